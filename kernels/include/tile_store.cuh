// What becomes of a finished tile in most products: it is scaled, shifted by a bias, and stored or added.
#pragma once

#include <type_traits>

#include "sapwood.cuh"

// Stores what is not read again soon.
template <class V>
__device__ __forceinline__ void store_streaming(V* to, const V& value) {
#if defined(SAPWOOD_EMULATOR)
    *to = value;
#else
    __stcs(to, value);
#endif
}

// Hands the finished sums of the tile at (first_row, first_column) to a target, through `shared` if that makes for
// longer runs.
template <class Sums, class Target>
__device__ __forceinline__ void store_tile(const Sums& sums, int first_row, int first_column, const Target& target,
                                           unsigned char* shared) {
    const auto store = [&](int row, int column, const auto& run) {
        target(first_row + row, first_column + column, run);
    };
    if (target.is_by_vectors()) {
        sums.template each_row<4>(shared, store);
    } else if (target.is_by_rows()) {
        sums.template each_row<1>(shared, store);
    } else {
        sums.each_run(store);
    }
}

// C [rows, columns] with one of the two strides 1.
struct Store {
    float* first;
    long long row_stride;
    long long column_stride;
    int rows;
    int columns;
    float alpha;
    const float* bias;  // [columns], or null
    bool accumulate;
    bool streams;       // whether C is larger than the cache, so that it need not hold C

    // Stores the neighbours (row, column), (row, column + 1), …
    template <int kRun>
    __device__ __forceinline__ void operator()(int row, int column, const float (&sums)[kRun]) const {
        if (row >= rows) {
            return;
        }
        float* const at = first + row * row_stride + column * column_stride;
        if constexpr (kRun > 1) {
            using Vector = std::conditional_t<kRun == 2, float2, float4>;
            static_assert(sizeof(Vector) == kRun * sizeof(float), "runs are of 1, 2 or 4");
            const bool aligned = reinterpret_cast<uintptr_t>(at) % sizeof(Vector) == 0;
            if (aligned && column_stride == 1 && column + kRun <= columns) {
                alignas(Vector) float values[kRun];
                if (accumulate) {
                    *reinterpret_cast<Vector*>(values) = *reinterpret_cast<const Vector*>(at);
                }
#pragma unroll
                for (int r = 0; r < kRun; r++) {
                    const float finished = value(column + r, sums[r]);
                    values[r] = accumulate ? __fadd_rn(values[r], finished) : finished;
                }
                put(reinterpret_cast<Vector*>(at), *reinterpret_cast<const Vector*>(values));
                return;
            }
        }
#pragma unroll
        for (int r = 0; r < kRun; r++) {
            if (column + r < columns) {
                float* const to = at + r * column_stride;
                const float finished = value(column + r, sums[r]);
                put(to, accumulate ? __fadd_rn(*to, finished) : finished);
            }
        }
    }

    // Whether runs of 1, of neighbours in a row, are neighbours in memory, and whether runs of 4 are aligned vectors.
    __device__ __forceinline__ bool is_by_rows() const {
        return column_stride == 1;
    }
    __device__ __forceinline__ bool is_by_vectors() const {
        return is_by_rows() && is_aligned16(first) && row_stride % 4 == 0 && columns % 4 == 0;
    }

private:
    template <class V>
    __device__ __forceinline__ void put(V* to, const V& values) const {
        if (streams) {
            store_streaming(to, values);
        } else {
            *to = values;
        }
    }

    // Rounded before it is added to what stands there, whatever the compiler would like to fuse.
    __device__ __forceinline__ float value(int column, float sum) const {
        const float scaled = __fmul_rn(alpha, sum);
        return bias == nullptr ? scaled : __fadd_rn(scaled, bias[column]);
    }
};
