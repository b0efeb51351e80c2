// Quads: four neighbouring floats, 16 bytes, the widest access there is. A tensor is read in quads where its pointer
// and its innermost extent allow, and float by float otherwise.
#pragma once

#include "sapwood.cuh"

__device__ __forceinline__ float4 read_quad(const float* from) {
    return *reinterpret_cast<const float4*>(from);
}

__device__ __forceinline__ void write_quad(float* to, float4 value) {
    *reinterpret_cast<float4*>(to) = value;
}

// The first `count` floats of a quad, the others zero. `whole` says that the quad may be read at once.
__device__ __forceinline__ float4 read_quad(const float* from, bool whole, int count) {
    if (whole) {
        return read_quad(from);
    }
    return make_float4(
        count > 0 ? from[0] : 0.0f,
        count > 1 ? from[1] : 0.0f,
        count > 2 ? from[2] : 0.0f,
        count > 3 ? from[3] : 0.0f);
}

__device__ __forceinline__ void write_quad(float* to, float4 value, bool whole, int count) {
    if (whole) {
        write_quad(to, value);
        return;
    }
    if (count > 0) {
        to[0] = value.x;
    }
    if (count > 1) {
        to[1] = value.y;
    }
    if (count > 2) {
        to[2] = value.z;
    }
    if (count > 3) {
        to[3] = value.w;
    }
}

template <class F>
__device__ __forceinline__ float4 each(float4 a, F function) {
    return make_float4(function(a.x), function(a.y), function(a.z), function(a.w));
}

template <class F>
__device__ __forceinline__ float4 each(float4 a, float4 b, F function) {
    return make_float4(function(a.x, b.x), function(a.y, b.y), function(a.z, b.z), function(a.w, b.w));
}

template <class F>
__device__ __forceinline__ float4 each(float4 a, float4 b, float4 c, F function) {
    return make_float4(
        function(a.x, b.x, c.x), function(a.y, b.y, c.y), function(a.z, b.z, c.z), function(a.w, b.w, c.w));
}

__device__ __forceinline__ float4 operator+(float4 a, float4 b) {
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
