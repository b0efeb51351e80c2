// A thread of a block, as a kernel sees itself. It runs on a stack of kStackBytes that is aligned to its size, so the
// stack pointer alone leads to the thread's own description: threadIdx costs a few instructions and no thread-local
// variable, whose address the compiler would look up through a call in a shared library.
#pragma once

#include <cstdint>

#include "vectors.h"

namespace sapwood::emulator {

class Block;

// What all threads of a block know about it.
struct BlockView {
    uint3 index;
    dim3 threads;
    dim3 grid;
    unsigned char* dynamic_shared;
};

struct alignas(64) Fiber {
    BlockView* block;
    uint3 thread_index;
    unsigned thread;  // number of the thread in its block
};

constexpr uintptr_t kStackBytes = 64 << 10;
constexpr uintptr_t kFiberColours = 128;

// Where the description of the fiber lies whose stack holds the address. Its place differs between neighbouring stacks:
// at the same offset in each, the descriptions of a block would all fall into one set of the cache.
inline Fiber* fiber_at(uintptr_t address) {
    const uintptr_t top = (address | (kStackBytes - 1)) + 1;
    const uintptr_t colour = (address / kStackBytes) % kFiberColours;
    return reinterpret_cast<Fiber*>(top - (colour + 1) * sizeof(Fiber));
}

inline __attribute__((always_inline)) uintptr_t stack_pointer() {
    uintptr_t pointer;
#if defined(__x86_64__)
    // Not volatile: any address in the stack will do, so the compiler may compute it once per function.
    asm("movq %%rsp, %0" : "=r"(pointer));
#else
    pointer = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
#endif
    return pointer;
}

inline __attribute__((always_inline)) const Fiber& fiber() {
    return *fiber_at(stack_pointer());
}

}  // namespace sapwood::emulator
