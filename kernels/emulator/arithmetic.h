// The arithmetic that kernels call by its CUDA name. The fast approximations (__expf and the like) are the exact
// functions here: a GPU is less accurate.
#pragma once

#include <math.h>

#include <bit>
#include <cstdint>

#define CUDART_INF_F (__builtin_inff())
#define CUDART_NAN_F (__builtin_nanf(""))
#define CUDART_INF (__builtin_inf())
#define CUDART_NAN (__builtin_nan(""))
#define CUDART_PI_F 3.141592654f
#define CUDART_PI 3.1415926535897931e+0
#define CUDART_MAX_NORMAL_F 3.402823466e+38f
#define CUDART_SQRT_HALF_F 0.707106781f
#define CUDART_SQRT_2OVERPI_F 0.797884561f
#define CUDART_L2E_F 1.442695041f
#define CUDART_LN2_F 0.693147181f

#define SAPWOOD_MIN_MAX(T)        \
    inline T min(T a, T b) {      \
        return b < a ? b : a;     \
    }                             \
    inline T max(T a, T b) {      \
        return a < b ? b : a;     \
    }
SAPWOOD_MIN_MAX(int)
SAPWOOD_MIN_MAX(unsigned)
SAPWOOD_MIN_MAX(long)
SAPWOOD_MIN_MAX(unsigned long)
SAPWOOD_MIN_MAX(long long)
SAPWOOD_MIN_MAX(unsigned long long)
#undef SAPWOOD_MIN_MAX

inline unsigned min(int a, unsigned b) {
    return min(static_cast<unsigned>(a), b);
}

inline unsigned min(unsigned a, int b) {
    return min(a, static_cast<unsigned>(b));
}

inline unsigned max(int a, unsigned b) {
    return max(static_cast<unsigned>(a), b);
}

inline unsigned max(unsigned a, int b) {
    return max(a, static_cast<unsigned>(b));
}

// As on a GPU, NaN loses against a number.
inline float min(float a, float b) {
    return fminf(a, b);
}

inline float max(float a, float b) {
    return fmaxf(a, b);
}

inline double min(double a, double b) {
    return fmin(a, b);
}

inline double max(double a, double b) {
    return fmax(a, b);
}

template <class T>
inline T __ldg(const T* address) {
    return *address;
}

template <class T>
inline T __ldcg(const T* address) {
    return *address;
}

template <class T>
inline T __ldcs(const T* address) {
    return *address;
}

template <class T>
inline void __stcs(T* address, T value) {
    *address = value;
}

inline int __float_as_int(float value) {
    return std::bit_cast<int>(value);
}

inline unsigned __float_as_uint(float value) {
    return std::bit_cast<unsigned>(value);
}

inline float __int_as_float(int bits) {
    return std::bit_cast<float>(bits);
}

inline float __uint_as_float(unsigned bits) {
    return std::bit_cast<float>(bits);
}

inline long long __double_as_longlong(double value) {
    return std::bit_cast<long long>(value);
}

inline double __longlong_as_double(long long bits) {
    return std::bit_cast<double>(bits);
}

inline int __double2hiint(double value) {
    return static_cast<int>(std::bit_cast<uint64_t>(value) >> 32);
}

inline int __double2loint(double value) {
    return static_cast<int>(std::bit_cast<uint64_t>(value));
}

inline double __hiloint2double(int high, int low) {
    return std::bit_cast<double>(static_cast<uint64_t>(static_cast<unsigned>(high)) << 32 | static_cast<unsigned>(low));
}

// Conversions saturate on a GPU, and NaN becomes 0 (the smallest long long from a double).
inline int __float2int_rn(float value) {
    return value != value ? 0 : value >= 0x1p31f ? INT32_MAX : value < -0x1p31f ? INT32_MIN : int(rintf(value));
}

inline int __float2int_rd(float value) {
    return __float2int_rn(floorf(value));
}

inline int __float2int_rz(float value) {
    return __float2int_rn(truncf(value));
}

inline unsigned __float2uint_rn(float value) {
    return !(value > 0) ? 0 : value >= 0x1p32f ? UINT32_MAX : unsigned(rintf(value));
}

inline long long __float2ll_rn(float value) {
    return value != value        ? INT64_MIN
           : value >= 0x1p63f    ? INT64_MAX
           : value < -0x1p63f    ? INT64_MIN
                                 : static_cast<long long>(rintf(value));
}

inline int __double2int_rn(double value) {
    return value != value ? INT32_MIN : value >= 0x1p31 ? INT32_MAX : value <= -0x1p31 ? INT32_MIN : int(rint(value));
}

inline long long __double2ll_rn(double value) {
    return value != value      ? INT64_MIN
           : value >= 0x1p63   ? INT64_MAX
           : value < -0x1p63   ? INT64_MIN
                               : static_cast<long long>(rint(value));
}

inline float __int2float_rn(int value) {
    return static_cast<float>(value);
}

inline float __uint2float_rn(unsigned value) {
    return static_cast<float>(value);
}

inline float __ll2float_rn(long long value) {
    return static_cast<float>(value);
}

inline double __int2double_rn(int value) {
    return value;
}

inline double __ll2double_rn(long long value) {
    return static_cast<double>(value);
}

inline float __double2float_rn(double value) {
    return static_cast<float>(value);
}

inline float rsqrtf(float value) {
    return static_cast<float>(1.0 / sqrt(static_cast<double>(value)));
}

inline double rsqrt(double value) {
    return 1.0 / sqrt(value);
}

inline void sincospif(float value, float* sine, float* cosine) {
    const double angle = remainder(static_cast<double>(value), 2.0) * CUDART_PI;
    *sine = static_cast<float>(sin(angle));
    *cosine = static_cast<float>(cos(angle));
}

inline float sinpif(float value) {
    return static_cast<float>(sin(remainder(static_cast<double>(value), 2.0) * CUDART_PI));
}

inline float cospif(float value) {
    return static_cast<float>(cos(remainder(static_cast<double>(value), 2.0) * CUDART_PI));
}

inline void sincospi(double value, double* sine, double* cosine) {
    const double angle = remainder(value, 2.0) * CUDART_PI;
    *sine = sin(angle);
    *cosine = cos(angle);
}

inline float __expf(float value) {
    return expf(value);
}

inline float __exp10f(float value) {
    return static_cast<float>(pow(10.0, static_cast<double>(value)));
}

inline float __logf(float value) {
    return logf(value);
}

inline float __log2f(float value) {
    return log2f(value);
}

inline float __sinf(float value) {
    return sinf(value);
}

inline float __cosf(float value) {
    return cosf(value);
}

inline void __sincosf(float value, float* sine, float* cosine) {
    *sine = sinf(value);
    *cosine = cosf(value);
}

inline float __powf(float base, float exponent) {
    return powf(base, exponent);
}

inline float __fdividef(float a, float b) {
    return a / b;
}

inline float __saturatef(float value) {
    return value > 0 ? (value < 1 ? value : 1) : 0;
}

inline float __frcp_rn(float value) {
    return 1 / value;
}

inline float __fsqrt_rn(float value) {
    return sqrtf(value);
}

inline float __frsqrt_rn(float value) {
    return rsqrtf(value);
}

inline float __fadd_rn(float a, float b) {
    return a + b;
}

inline float __fsub_rn(float a, float b) {
    return a - b;
}

inline float __fmul_rn(float a, float b) {
    return a * b;
}

inline float __fdiv_rn(float a, float b) {
    return a / b;
}

inline float __fmaf_rn(float a, float b, float c) {
    return fmaf(a, b, c);
}

inline double __dadd_rn(double a, double b) {
    return a + b;
}

inline double __dsub_rn(double a, double b) {
    return a - b;
}

inline double __dmul_rn(double a, double b) {
    return a * b;
}

inline double __ddiv_rn(double a, double b) {
    return a / b;
}

inline double __dsqrt_rn(double value) {
    return sqrt(value);
}

inline double __fma_rn(double a, double b, double c) {
    return fma(a, b, c);
}

inline int __mulhi(int a, int b) {
    return static_cast<int>((static_cast<int64_t>(a) * b) >> 32);
}

inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32);
}

inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<unsigned long long>((static_cast<Wide>(a) * b) >> 64);
}

// The upper word of high:low shifted left by the lower five bits of the shift.
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    return static_cast<unsigned>(((static_cast<uint64_t>(high) << 32 | low) << (shift & 31)) >> 32);
}

inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return static_cast<unsigned>((static_cast<uint64_t>(high) << 32 | low) >> (shift & 31));
}

inline int __popc(unsigned value) {
    return std::popcount(value);
}

inline int __popcll(unsigned long long value) {
    return std::popcount(value);
}

inline int __clz(int value) {
    return std::countl_zero(static_cast<unsigned>(value));
}

inline int __clzll(long long value) {
    return std::countl_zero(static_cast<unsigned long long>(value));
}

// One more than the place of the lowest bit that is set, 0 without one.
inline int __ffs(int value) {
    return __builtin_ffs(value);
}

inline unsigned __brev(unsigned value) {
    unsigned reversed = 0;
    for (int bit = 0; bit < 32; ++bit) {
        reversed |= (value >> bit & 1u) << (31 - bit);
    }
    return reversed;
}

// Four bytes chosen out of the eight of b:a; the fourth bit of a choice spreads the byte's sign instead.
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    const uint64_t bytes = static_cast<uint64_t>(b) << 32 | a;
    unsigned result = 0;
    for (int i = 0; i < 4; ++i) {
        const unsigned choice = selector >> (4 * i) & 15u;
        unsigned byte = static_cast<unsigned>(bytes >> (8 * (choice & 7u))) & 255u;
        if (choice & 8u) {
            byte = byte & 128u ? 255u : 0u;
        }
        result |= byte << (8 * i);
    }
    return result;
}

// Addresses of shared memory are ordinary addresses here; the host twins of instructions that want the short form take
// pointers instead.
inline size_t __cvta_generic_to_shared(const void* pointer) {
    return reinterpret_cast<size_t>(pointer);
}
