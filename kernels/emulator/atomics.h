// Integer atomics. Blocks run on several cores, so these are real ones. There are none for floats: kernels of this
// project add in a fixed order.
#pragma once

#include <cstdint>

namespace sapwood::emulator {

#if defined(SAPWOOD_EMULATOR_CHECKED)
void check_atomic(const volatile void* address, unsigned bytes);
#else
inline void check_atomic(const volatile void*, unsigned) {}
#endif

// Replaces *address by combine(*address, value) and returns what stood there.
template <class T, class Combine>
inline __attribute__((no_sanitize("thread"))) T atomic_replace(T* address, T value, Combine combine) {
    check_atomic(address, sizeof(T));
    T old = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        address, &old, combine(old, value), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}

}  // namespace sapwood::emulator

#define SAPWOOD_ATOMICS(T)                                                                                    \
    inline T atomicAdd(T* address, T value) {                                                                 \
        return ::sapwood::emulator::atomic_replace(address, value, [](T a, T b) { return a + b; });        \
    }                                                                                                         \
    inline T atomicMax(T* address, T value) {                                                                 \
        return ::sapwood::emulator::atomic_replace(address, value, [](T a, T b) { return a > b ? a : b; });   \
    }                                                                                                         \
    inline T atomicMin(T* address, T value) {                                                                 \
        return ::sapwood::emulator::atomic_replace(address, value, [](T a, T b) { return a < b ? a : b; });   \
    }                                                                                                         \
    inline T atomicOr(T* address, T value) {                                                                  \
        return ::sapwood::emulator::atomic_replace(address, value, [](T a, T b) { return a | b; });        \
    }                                                                                                         \
    inline T atomicAnd(T* address, T value) {                                                                 \
        return ::sapwood::emulator::atomic_replace(address, value, [](T a, T b) { return a & b; });        \
    }                                                                                                         \
    inline T atomicExch(T* address, T value) {                                                                \
        return ::sapwood::emulator::atomic_replace(address, value, [](T, T b) { return b; });                 \
    }                                                                                                         \
    inline T atomicCAS(T* address, T expected, T value) {                                                     \
        return ::sapwood::emulator::atomic_replace(                                                           \
            address, value, [expected](T a, T b) { return a == expected ? b : a; });                          \
    }

SAPWOOD_ATOMICS(int)
SAPWOOD_ATOMICS(unsigned)
SAPWOOD_ATOMICS(unsigned long long)
#undef SAPWOOD_ATOMICS

// Blocks see each other's writes at once here; on a GPU they need this fence.
inline void __threadfence() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

inline void __threadfence_block() {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
