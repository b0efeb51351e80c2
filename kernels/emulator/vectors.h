// The vector types, with the alignment they have on a GPU: a vector access needs it there, and the checked build says so.
#pragma once

#include <cstdint>

#define SAPWOOD_VECTOR2(name, scalar)             \
    struct alignas(2 * sizeof(scalar)) name {     \
        scalar x, y;                              \
    };                                            \
    inline name make_##name(scalar x, scalar y) { \
        return {x, y};                            \
    }
#define SAPWOOD_VECTOR3(name, scalar)                       \
    struct name {                                           \
        scalar x, y, z;                                     \
    };                                                      \
    inline name make_##name(scalar x, scalar y, scalar z) { \
        return {x, y, z};                                   \
    }
#define SAPWOOD_VECTOR4(name, scalar)                                 \
    struct alignas(4 * sizeof(scalar)) name {                         \
        scalar x, y, z, w;                                            \
    };                                                                \
    inline name make_##name(scalar x, scalar y, scalar z, scalar w) { \
        return {x, y, z, w};                                          \
    }

SAPWOOD_VECTOR2(char2, signed char)
SAPWOOD_VECTOR4(char4, signed char)
SAPWOOD_VECTOR2(uchar2, unsigned char)
SAPWOOD_VECTOR4(uchar4, unsigned char)
SAPWOOD_VECTOR2(short2, short)
SAPWOOD_VECTOR4(short4, short)
SAPWOOD_VECTOR2(ushort2, unsigned short)
SAPWOOD_VECTOR4(ushort4, unsigned short)
SAPWOOD_VECTOR2(int2, int)
SAPWOOD_VECTOR3(int3, int)
SAPWOOD_VECTOR4(int4, int)
SAPWOOD_VECTOR2(uint2, unsigned)
SAPWOOD_VECTOR3(uint3, unsigned)
SAPWOOD_VECTOR4(uint4, unsigned)
SAPWOOD_VECTOR2(float2, float)
SAPWOOD_VECTOR3(float3, float)
SAPWOOD_VECTOR4(float4, float)
SAPWOOD_VECTOR2(double2, double)
SAPWOOD_VECTOR2(longlong2, long long)
SAPWOOD_VECTOR2(ulonglong2, unsigned long long)

#undef SAPWOOD_VECTOR2
#undef SAPWOOD_VECTOR3
#undef SAPWOOD_VECTOR4

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
