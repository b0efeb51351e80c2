#include "stacks.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>

namespace sapwood::emulator {

namespace {

constexpr size_t kStacksPerSlab = 32;
constexpr size_t kSlabBytes = kStacksPerSlab * kStackBytes;
constexpr size_t kGuardBytes = 4096;

// Where the stacks of all blocks lie. Only ever appended to, so that a signal handler may read it at any time.
constexpr size_t kMaxSlabs = 4096;
std::atomic<uintptr_t> slabs[kMaxSlabs];
std::atomic<size_t> slab_count{0};

}  // namespace

void Stacks::grow() {
    const size_t number = slab_count.fetch_add(1);
    const size_t bytes = kSlabBytes + kStackBytes;  // one stack more, to align
    void* slab = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED || number >= kMaxSlabs) {
        throw std::bad_alloc();
    }
    const uintptr_t first = (reinterpret_cast<uintptr_t>(slab) + kStackBytes - 1) & ~(kStackBytes - 1);
    for (size_t i = 0; i < kStacksPerSlab; ++i) {
        const uintptr_t bottom = first + i * kStackBytes;
        mprotect(reinterpret_cast<void*>(bottom), kGuardBytes, PROT_NONE);
        Fiber* fiber = fiber_at(bottom);
        all_.push_back(fiber);
        free_.push_back(fiber);
    }
    slabs[number].store(first, std::memory_order_release);
}

bool Stacks::contain(uintptr_t address) {
    const size_t count = std::min(slab_count.load(), kMaxSlabs);
    for (size_t i = 0; i < count; ++i) {
        const uintptr_t first = slabs[i].load(std::memory_order_acquire);
        if (first != 0 && address - first < kSlabBytes) {
            return true;
        }
    }
    return false;
}

}  // namespace sapwood::emulator
