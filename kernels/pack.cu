// Copies of matrices in the form in which the products of gemm and convolution read them: rows padded with zeros to
// whole vectors of 16 bytes, rounded to bfloat16 or not, transposed or not.
//
//   pack_fp32, pack_bf16    up to three copies: to[b, r, c] = from[b, r, c], or from[b, c, r] if transposed; zero where
//                           that does not exist
//
// from [batches, rows, columns] with any alignment, to [batches, to_rows, to_columns], 16-byte aligned, to_columns a
// multiple of a vector (4 floats, 8 bfloat16).
//
// Launch contract: a thread per vector of `to`, blocks of one dimension, those of each copy one after the other; a copy
// that is not wanted has none. Weights are small: with a launch for them alone, starting it takes as long as the copy.
//
// Bytes: 4 per element read, 4 or 2 written. Floor on an H200 for 2^25 elements (256 images [32·32, 128]) to bfloat16:
// 201 MB, 47 µs.
#include "tensor_core.cuh"

namespace {

__device__ __forceinline__ void write_vector(float* to, const float (&values)[4]) {
    *reinterpret_cast<float4*>(to) = make_float4(values[0], values[1], values[2], values[3]);
}

__device__ __forceinline__ void write_vector(bfloat16* to, const float (&values)[8]) {
    *reinterpret_cast<uint4*>(to) =
        make_uint4(pack_bfloat16(values[0], values[1]), pack_bfloat16(values[2], values[3]),
                   pack_bfloat16(values[4], values[5]), pack_bfloat16(values[6], values[7]));
}

template <class T>
constexpr int kVector = 16 / static_cast<int>(sizeof(T));

// The values of a vector whose elements are `apart` in memory, of which the first `count` exist.
template <class T>
__device__ __forceinline__ void copy_vector(const float* from, int apart, int count, T* to) {
    float values[kVector<T>];
    if (apart == 1 && count >= kVector<T> && is_aligned16(from)) {
#pragma unroll
        for (int i = 0; i < kVector<T>; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(from + i);
            values[i] = four.x;
            values[i + 1] = four.y;
            values[i + 2] = four.z;
            values[i + 3] = four.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < kVector<T>; i++) {
            values[i] = i < count ? from[static_cast<long long>(i) * apart] : 0;
        }
    }
    write_vector(to, values);
}

// Which vector of `to` a thread writes, in units of vectors.
struct Place {
    unsigned batch;
    unsigned row;
    unsigned column;
};

template <class T>
struct Copy {
    const float* from;
    int batches;
    int rows;
    int columns;
    bool transposed;
    T* to;
    int to_rows;
    int to_columns;
    int blocks;
};

template <class T>
__device__ __forceinline__ void pack(const Copy<T>& copy, unsigned vector) {
    const unsigned per_row = copy.to_columns / kVector<T>;
    if (copy.rows == copy.to_rows && copy.columns == copy.to_columns) {
        if (vector < static_cast<long long>(copy.batches) * copy.rows * per_row) {
            const long long at = static_cast<long long>(vector) * kVector<T>;
            copy_vector(copy.from + at, 1, kVector<T>, copy.to + at);
        }
        return;
    }
    const unsigned all_rows = vector / per_row;
    const Place place = {all_rows / copy.to_rows, all_rows % copy.to_rows, vector % per_row};
    if (place.batch < static_cast<unsigned>(copy.batches)) {
        const int column = place.column * kVector<T>;
        const long long row = static_cast<long long>(place.batch) * copy.rows + place.row;
        copy_vector(copy.from + row * copy.columns + column, 1,
                    place.row < static_cast<unsigned>(copy.rows) ? copy.columns - column : 0,
                    copy.to + static_cast<long long>(vector) * kVector<T>);
    }
}

// Rows of `to` run fastest over the threads, so that reading is coalesced; what is written meets again in L2.
template <class T>
__device__ __forceinline__ void pack_transposed(const Copy<T>& copy, unsigned vector) {
    const unsigned per_row = copy.to_columns / kVector<T>;
    const unsigned group = vector / copy.to_rows;
    const Place place = {group / per_row, vector % copy.to_rows, group % per_row};
    if (place.batch < static_cast<unsigned>(copy.batches)) {
        const int column = place.column * kVector<T>;
        const long long source_row = static_cast<long long>(place.batch) * copy.rows + column;
        const long long row = static_cast<long long>(place.batch) * copy.to_rows + place.row;
        copy_vector(copy.from + source_row * copy.columns + place.row, copy.columns,
                    place.row < static_cast<unsigned>(copy.columns) ? copy.rows - column : 0,
                    copy.to + row * copy.to_columns + column);
    }
}

// The copy that this block belongs to.
template <class T>
__device__ __forceinline__ void pack_one_of(const Copy<T> (&copies)[3]) {
    int block = blockIdx.x;
#pragma unroll
    for (const Copy<T>& copy : copies) {
        if (0 <= block && block < copy.blocks) {
            const unsigned vector = static_cast<unsigned>(block) * blockDim.x + threadIdx.x;
            if (copy.transposed) {
                pack_transposed(copy, vector);
            } else {
                pack(copy, vector);
            }
        }
        block -= copy.blocks;
    }
}

}  // namespace

// Kernels take no structs of their own file.
#define COPY(T, n)                                                                                                     \
    const float *from_##n, int batches_##n, int rows_##n, int columns_##n, int transposed_##n, T *to_##n,              \
        int to_rows_##n, int to_columns_##n, int blocks_##n
#define COPY_OF(n)                                                                                                     \
    {from_##n, batches_##n, rows_##n, columns_##n, transposed_##n != 0, to_##n, to_rows_##n, to_columns_##n, blocks_##n}

extern "C" __global__ void pack_fp32(COPY(float, 0), COPY(float, 1), COPY(float, 2)) {
    pack_one_of<float>({COPY_OF(0), COPY_OF(1), COPY_OF(2)});
}
EXPORT_KERNEL(pack_fp32)

extern "C" __global__ void pack_bf16(COPY(bfloat16, 0), COPY(bfloat16, 1), COPY(bfloat16, 2)) {
    pack_one_of<bfloat16>({COPY_OF(0), COPY_OF(1), COPY_OF(2)});
}
EXPORT_KERNEL(pack_bf16)
