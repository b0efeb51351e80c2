// The calls that g++ inserts at each access with -fsanitize=thread. The sanitizer's own library would look for races among
// threads of the operating system; here they lead to the account of the block that runs.
#include <cstddef>
#include <cstdint>

#include "checked_accesses.h"
#include "fiber.h"
#include "report.h"

namespace sapwood::emulator {

void begin_checks(Block& block) {
    if (block.accesses == nullptr) {
        block.accesses = std::make_shared<Accesses>(block);
    }
    block.accesses->begin_block();
}

namespace {

inline __attribute__((always_inline)) void check(const volatile void* pointer, size_t bytes, AccessKind kind) {
    const auto address = reinterpret_cast<uintptr_t>(pointer);
    // The thread's own stack, which is most of what the compiler cannot rule out itself.
    if ((address ^ stack_pointer()) < kStackBytes) {
        return;
    }
    static_cast<Block*>(fiber().block)->accesses->check(address, bytes, kind, __builtin_return_address(0));
}

}  // namespace

void check_atomic(const volatile void* address, unsigned bytes) {
    check(address, bytes, AccessKind::kAtomic);
}

#define SAPWOOD_ACCESS(bytes)                                   \
    extern "C" void __tsan_read##bytes(void* address) {         \
        check(address, bytes, AccessKind::kRead);               \
    }                                                           \
    extern "C" void __tsan_write##bytes(void* address) {        \
        check(address, bytes, AccessKind::kWrite);              \
    }                                                           \
    extern "C" void __tsan_unaligned_read##bytes(void* address) {  \
        check(address, bytes, AccessKind::kRead);               \
    }                                                           \
    extern "C" void __tsan_unaligned_write##bytes(void* address) { \
        check(address, bytes, AccessKind::kWrite);              \
    }                                                           \
    extern "C" void __tsan_volatile_read##bytes(void* address) {   \
        check(address, bytes, AccessKind::kRead);               \
    }                                                           \
    extern "C" void __tsan_volatile_write##bytes(void* address) {  \
        check(address, bytes, AccessKind::kWrite);              \
    }
SAPWOOD_ACCESS(1)
SAPWOOD_ACCESS(2)
SAPWOOD_ACCESS(4)
SAPWOOD_ACCESS(8)
SAPWOOD_ACCESS(16)
#undef SAPWOOD_ACCESS

extern "C" void __tsan_read_range(void* address, size_t bytes) {
    check(address, bytes, AccessKind::kRead);
}

extern "C" void __tsan_write_range(void* address, size_t bytes) {
    check(address, bytes, AccessKind::kWrite);
}

extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}
extern "C" void __tsan_vptr_read(void**) {}
extern "C" void __tsan_atomic_thread_fence(int) {}
extern "C" void __tsan_atomic_signal_fence(int) {}

}  // namespace sapwood::emulator
