// Box-Muller in fp64 from two 64-bit uniforms: org.sapwood.privacy.random.BoxMuller, to the bit. Every operation names
// its rounding, so that the compiler fuses none; constants and the order of operations are those of the Java class,
// which says where they come from.
#pragma once

#include "sapwood.cuh"

// Natural logarithm of a normal positive number.
__device__ __forceinline__ double box_muller_log(double x) {
    constexpr long long kSqrtHalfBits = 0x3FE6A09E667F3BCDLL;
    const long long bits = __double_as_longlong(x);
    // x = 2^e * m with m in [sqrt(1/2), sqrt(2))
    const long long e = (bits - kSqrtHalfBits) >> 52;
    const double exponent = static_cast<double>(static_cast<int>(e));
    const double m = __longlong_as_double(bits - static_cast<long long>(static_cast<unsigned long long>(e) << 52));
    const double f = __dsub_rn(m, 1.0);
    const double s = __ddiv_rn(f, __dadd_rn(m, 1.0));
    const double z = __dmul_rn(s, s);
    double r = __fma_rn(z, 0.13086626147840102, 0.13268773138656886);
    r = __fma_rn(z, r, 0.15386239702814658);
    r = __fma_rn(z, r, 0.18181795640132906);
    r = __fma_rn(z, r, 0.22222222391713917);
    r = __fma_rn(z, r, 0.28571428570803614);
    r = __fma_rn(z, r, 0.4000000000000088);
    r = __fma_rn(z, r, 0.6666666666666666);
    const double tail = __fma_rn(s, __fma_rn(z, r, -f), __dmul_rn(exponent, 4.749325039031673e-07));
    return __fma_rn(exponent, 0.6931467056274414, __dadd_rn(f, tail));
}

// sin(t * pi / 4) for |t| <= 1.
__device__ __forceinline__ double box_muller_sine(double t) {
    const double z = __dmul_rn(t, t);
    double s = __fma_rn(z, 6.8874821400921975e-12, -1.7571791752800344e-09);
    s = __fma_rn(z, s, 3.133616535431528e-07);
    s = __fma_rn(z, s, -3.6576204173860995e-05);
    s = __fma_rn(z, s, 0.0024903945701920073);
    s = __fma_rn(z, s, -0.08074551218828077);
    return __dmul_rn(t, __fma_rn(z, s, 0.7853981633974483));
}

// cos(t * pi / 4) for |t| <= 1.
__device__ __forceinline__ double box_muller_cosine(double t) {
    const double z = __dmul_rn(t, t);
    double c = __fma_rn(z, -3.863156948832656e-13, 1.1500679700940496e-10);
    c = __fma_rn(z, c, -2.4611366238309744e-08);
    c = __fma_rn(z, c, 3.590860447448612e-06);
    c = __fma_rn(z, c, -0.0003259918869271996);
    c = __fma_rn(z, c, 0.015854344243815488);
    c = __fma_rn(z, c, -0.30842513753404244);
    return __fma_rn(z, c, 1.0);
}

// Two normals, r * cos and r * sin, from the radius' uniform a and the angle's uniform b.
__device__ __forceinline__ void box_muller(unsigned long long a, unsigned long long b, double& first, double& second) {
    // a >> 1 is below 2^63, so the signed conversion is the right one.
    const double uniform = __dmul_rn(__dadd_rn(__ll2double_rn(static_cast<long long>(a >> 1)), 0.5), 0x1p-63);
    const double r = __dsqrt_rn(__dmul_rn(-2.0, box_muller_log(uniform)));
    // The nearest quarter turn is taken off in integers; the upper two bits are dropped and the third is the sign.
    const long long rest = static_cast<long long>(b << 2) >> 2;
    const int quarters = static_cast<int>((b - static_cast<unsigned long long>(rest)) >> 62);
    const double t = __dmul_rn(__ll2double_rn(rest), 0x1p-61);
    const double c = __dmul_rn(r, box_muller_cosine(t));
    const double s = __dmul_rn(r, box_muller_sine(t));
    const double x = (quarters & 1) == 0 ? c : s;
    const double y = (quarters & 1) == 0 ? s : c;
    first = quarters == 1 || quarters == 2 ? -x : x;
    second = quarters >= 2 ? -y : y;
}
