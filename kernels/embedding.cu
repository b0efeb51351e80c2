// Rows of a table [V, C] by index, and the gradient of the table.
//
// embedding_lookup: y[b] = table[indices[b]]; a thread per element of y. The caller checks indices; a replayed
// recording does not, and then a bad one shows as NaN.
// embedding_gradient: a thread per coordinate of each gradient row, [rows, V·C]. It goes over the samples of its row in
// ascending order and adds the dy of those whose index is the coordinate's; a coordinate that no sample hits becomes
// zero, or stays as it is where the target accumulates.
//
// The gradient writes 4·V·C bytes per row and reads little: per-sample gradients of 512 samples into [10, 128] are 2.6
// MB, a launch's latency.
#include "sapwood.cuh"

extern "C" __global__ void __launch_bounds__(256) embedding_lookup(
    const float* __restrict__ table,
    const int* __restrict__ indices,
    float* __restrict__ y,
    int table_rows,
    int channels,
    int count) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < static_cast<unsigned>(count)) {
        const unsigned sample = i / channels;
        const int row = indices[sample];
        y[i] = row >= 0 && row < table_rows
            ? table[static_cast<long long>(row) * channels + (i - sample * channels)]
            : CUDART_NAN_F;
    }
}
EXPORT_KERNEL(embedding_lookup)

extern "C" __global__ void __launch_bounds__(256) embedding_gradient(
    const int* __restrict__ indices,
    const float* __restrict__ dy,
    int samples,
    int table_rows,
    int channels,
    Rows rows) {
    const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int width = table_rows * channels;
    const int row = item / width;
    const int at = item - static_cast<long long>(row) * width;
    const int table_row = at / channels;
    const int c = at % channels;
    const int first = row * rows.samples_per_row;
    if (first >= samples) {
        return;
    }
    float* target = rows.first + row * rows.stride + at;
    float sum = rows.accumulate ? *target : 0.0f;
    bool hit = !rows.accumulate;
    const int end = min(first + rows.samples_per_row, samples);
    for (int sample = first; sample < end; sample++) {
        if (indices[sample] == table_row) {
            sum += dy[static_cast<long long>(sample) * channels + c];
            hit = true;
        }
    }
    if (hit) {
        *target = sum;
    }
}
EXPORT_KERNEL(embedding_gradient)
