// Multi-head attention, softmax(q·kᵀ/√d)·v, and its gradients; nothing of size Tq × Tk is stored.
//
// q, y and their gradients are [B, Tq, C], k, v and theirs [B, Tk, C], logSumExp and delta [B, heads, Tq]; d = C /
// heads. A kernel's name ends with the precision and the largest d that it is made for. attention_rows.cuh holds the
// fp32 versions, attention_fragments.cuh those for tensor cores (heads up to 64 wide; wider ones are computed in fp32).
//
// Launch contract: `blocks` blocks in x per sample and head, a multiple of 32 threads up to 128 (fp32) or 256. With
// blockDim.x threads a block owns, in fp32, 2·16·blockDim.x/dims queries or 16·blockDim.x/dims keys; on tensor cores
// blockDim.x / 2 rows, and in attention_forward those of every `blocks`-th such block. The kernel that owns queries
// runs before the one that owns keys, which reads its delta. attention_forward on tensor cores takes dynamic shared
// memory for two tiles, of keys rounded up to 32 if these fit (rows_that_fit) and of 64 otherwise.
// attention_backward_whole: one block per sample and head, of 32 threads per 16 keys, at most 256 keys (128 for heads
// over 32 wide) and any number of queries for which shared memory suffices.
//
// FLOPs per (sample, head): forward 4·Tq·Tk·d; backward 6 for dq and 8 for dk and dv, or 10 for all in one pass, times
// Tq·Tk·d. For B = 512, 4 heads, T = 256, d = 32 that is 17 and 60 GFLOP: 0.3 and 1.0 ms at the H200's 60 TFLOP/s of
// fp32, 22 and 76 us at 790 TFLOP/s of bf16. The tensors are 0.27 and 0.54 GB, 62 and 125 us at 4.3 TB/s; the
// exponentials of one pass 37 us.
//
// Measured on an H200 (2026-11-26), bf16, [512, T, 128], 4 heads:
//                                                      T = 256    T = 64
//   forward                                           142.4 us   31.7 us   1.89, 2.12 TB/s
//     without the wish for three blocks               149.0      32.6
//     two blocks per head                             190.8      32.4
//     half the threads, without the wish              180.5      35.8
//   backward in one pass                              353.5      57.1
//     in two, dq and then dk and dv           250.0 + 331.3      45.8 + 50.3
#include "attention_fragments.cuh"
#include "attention_rows.cuh"
#include "attention_whole.cuh"

// The three kernels of one precision and width, of up to `threads` threads. `forward_blocks` of the forward kernel are
// to fit on a multiprocessor, 0 for as many as will: it lets the compiler use the registers that leaves.
// `implementation` is the namespace and the arguments of its templates.
#define ATTENTION_KERNELS(suffix, threads, forward_blocks, implementation, ...)                                      \
    extern "C" __global__ void __launch_bounds__(threads, forward_blocks) attention_forward_##suffix(                \
        const float* q,                                                                                              \
        const float* k,                                                                                              \
        const float* v,                                                                                              \
        int queries,                                                                                                 \
        int keys,                                                                                                    \
        int channels,                                                                                                \
        int heads,                                                                                                   \
        int blocks,                                                                                                  \
        float scale,                                                                                                 \
        float* log_sum_exp,                                                                                          \
        float* y) {                                                                                                  \
        implementation::forward<__VA_ARGS__>(                                                                        \
            q, k, v, queries, keys, channels, heads, blocks, scale, log_sum_exp, y);                                 \
    }                                                                                                                \
    EXPORT_KERNEL(attention_forward_##suffix)                                                                        \
    extern "C" __global__ void __launch_bounds__(threads) attention_backward_queries_##suffix(                       \
        const float* q,                                                                                              \
        const float* k,                                                                                              \
        const float* v,                                                                                              \
        const float* log_sum_exp,                                                                                    \
        const float* y,                                                                                              \
        const float* dy,                                                                                             \
        int queries,                                                                                                 \
        int keys,                                                                                                    \
        int channels,                                                                                                \
        int heads,                                                                                                   \
        int blocks,                                                                                                  \
        float scale,                                                                                                 \
        float* delta,                                                                                                \
        float* dq,                                                                                                   \
        int accumulate) {                                                                                            \
        implementation::backward_queries<__VA_ARGS__>(                                                               \
            q, k, v, log_sum_exp, y, dy, queries, keys, channels, heads, blocks, scale, delta, dq, accumulate);      \
    }                                                                                                                \
    EXPORT_KERNEL(attention_backward_queries_##suffix)                                                               \
    extern "C" __global__ void __launch_bounds__(threads) attention_backward_keys_##suffix(                          \
        const float* q,                                                                                              \
        const float* k,                                                                                              \
        const float* v,                                                                                              \
        const float* log_sum_exp,                                                                                    \
        const float* delta,                                                                                          \
        const float* dy,                                                                                             \
        int queries,                                                                                                 \
        int keys,                                                                                                    \
        int channels,                                                                                                \
        int heads,                                                                                                   \
        int blocks,                                                                                                  \
        float scale,                                                                                                 \
        float* dk,                                                                                                   \
        int accumulate_k,                                                                                            \
        float* dv,                                                                                                   \
        int accumulate_v) {                                                                                          \
        implementation::backward_keys<__VA_ARGS__>(                                                                  \
            q, k, v, log_sum_exp, delta, dy, queries, keys, channels, heads, blocks, scale, dk, accumulate_k,        \
            dv, accumulate_v);                                                                                       \
    }                                                                                                                \
    EXPORT_KERNEL(attention_backward_keys_##suffix)

ATTENTION_KERNELS(fp32_16, 128, 0, attention_rows, 1)
ATTENTION_KERNELS(fp32_32, 128, 0, attention_rows, 2)
ATTENTION_KERNELS(fp32_64, 128, 0, attention_rows, 4)
ATTENTION_KERNELS(fp32_128, 128, 0, attention_rows, 8)
ATTENTION_KERNELS(fp32_256, 128, 0, attention_rows, 16)
ATTENTION_KERNELS(fp32_512, 128, 0, attention_rows, 32)

ATTENTION_KERNELS(tf32_16, 256, 0, attention_fragments, attention_fragments::Tf32, 16)
ATTENTION_KERNELS(tf32_32, 256, 0, attention_fragments, attention_fragments::Tf32, 32)
ATTENTION_KERNELS(tf32_64, 256, 0, attention_fragments, attention_fragments::Tf32, 64)

ATTENTION_KERNELS(bf16_16, 256, 0, attention_fragments, attention_fragments::Bfloat16, 16)
ATTENTION_KERNELS(bf16_32, 256, 3, attention_fragments, attention_fragments::Bfloat16, 32)
ATTENTION_KERNELS(bf16_64, 256, 0, attention_fragments, attention_fragments::Bfloat16, 64)

// The gradients in one pass, where attention_whole.cuh can have them.
#define WHOLE_KERNEL(dims, threads)                                                                                  \
    extern "C" __global__ void __launch_bounds__(threads, 1) attention_backward_whole_bf16_##dims(                   \
        const float* q,                                                                                              \
        const float* k,                                                                                              \
        const float* v,                                                                                              \
        const float* log_sum_exp,                                                                                    \
        const float* y,                                                                                              \
        const float* dy,                                                                                             \
        int queries,                                                                                                 \
        int keys,                                                                                                    \
        int channels,                                                                                                \
        int heads,                                                                                                   \
        float scale,                                                                                                 \
        float* dq,                                                                                                   \
        int accumulate_q,                                                                                            \
        float* dk,                                                                                                   \
        int accumulate_k,                                                                                            \
        float* dv,                                                                                                   \
        int accumulate_v) {                                                                                          \
        attention_whole::backward<dims>(                                                                             \
            q, k, v, log_sum_exp, y, dy, queries, keys, channels, heads, scale, dq, accumulate_q, dk, accumulate_k,  \
            dv, accumulate_v);                                                                                       \
    }                                                                                                                \
    EXPORT_KERNEL(attention_backward_whole_bf16_##dims)

WHOLE_KERNEL(16, 512)
WHOLE_KERNEL(32, 512)
WHOLE_KERNEL(64, 256)
