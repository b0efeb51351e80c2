// Barriers and the exchange of values within a warp. Each call hands over its place in the source, so that a report can
// say who waits where.
#pragma once

#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

namespace sapwood::emulator {

using Site = std::source_location;

enum class BarrierKind : uint8_t { kPlain, kOr, kAnd, kCount };
enum class WarpKind : uint8_t { kSync, kIndexed, kUp, kDown, kXor, kBallot, kAny, kAll, kGather };

int block_barrier(BarrierKind kind, int predicate, Site site);
uint64_t warp_exchange(WarpKind kind, unsigned mask, uint64_t value, unsigned operand, unsigned width, Site site);
void warp_all_gather(const void* mine, void* all, unsigned bytes, Site site);
unsigned warp_active_lanes();

template <class T>
inline T shuffle(WarpKind kind, unsigned mask, T value, unsigned operand, int width, Site site) {
    static_assert(std::is_arithmetic_v<T>, "shuffles exchange numbers");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = warp_exchange(kind, mask, bits, operand, static_cast<unsigned>(width), site);
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

}  // namespace sapwood::emulator

inline void __syncthreads(::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    ::sapwood::emulator::block_barrier(::sapwood::emulator::BarrierKind::kPlain, 0, site);
}

inline int __syncthreads_or(int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::block_barrier(::sapwood::emulator::BarrierKind::kOr, predicate, site);
}

inline int __syncthreads_and(int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::block_barrier(::sapwood::emulator::BarrierKind::kAnd, predicate, site);
}

inline int __syncthreads_count(int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::block_barrier(::sapwood::emulator::BarrierKind::kCount, predicate, site);
}

inline void __syncwarp(
    unsigned mask = 0xffffffffu, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    ::sapwood::emulator::warp_exchange(::sapwood::emulator::WarpKind::kSync, mask, 0, 0, 32, site);
}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
                     ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::shuffle(::sapwood::emulator::WarpKind::kIndexed, mask, value, lane, width, site);
}

template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                        ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::shuffle(::sapwood::emulator::WarpKind::kUp, mask, value, delta, width, site);
}

template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                          ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::shuffle(::sapwood::emulator::WarpKind::kDown, mask, value, delta, width, site);
}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                         ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return ::sapwood::emulator::shuffle(::sapwood::emulator::WarpKind::kXor, mask, value, lanes, width, site);
}

inline unsigned __ballot_sync(
    unsigned mask, int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return static_cast<unsigned>(::sapwood::emulator::warp_exchange(
        ::sapwood::emulator::WarpKind::kBallot, mask, predicate != 0, 0, 32, site));
}

inline int __any_sync(
    unsigned mask, int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return static_cast<int>(
        ::sapwood::emulator::warp_exchange(::sapwood::emulator::WarpKind::kAny, mask, predicate != 0, 0, 32, site));
}

inline int __all_sync(
    unsigned mask, int predicate, ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    return static_cast<int>(
        ::sapwood::emulator::warp_exchange(::sapwood::emulator::WarpKind::kAll, mask, predicate != 0, 0, 32, site));
}

// The lanes of the warp that have not returned. On a GPU it may be fewer.
inline unsigned __activemask() {
    return ::sapwood::emulator::warp_active_lanes();
}

// For the host twins of instructions that a whole warp executes together: every lane learns the value of every lane. All
// 32 lanes must call it.
template <class T>
inline void emulated_all_gather(
    const T& mine, T (&all)[32], ::sapwood::emulator::Site site = ::sapwood::emulator::Site::current()) {
    static_assert(std::is_trivially_copyable_v<T>);
    ::sapwood::emulator::warp_all_gather(&mine, all, sizeof(T), site);
}
