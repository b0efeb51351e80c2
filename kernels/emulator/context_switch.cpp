// swapcontext() asks the kernel to swap the signal mask at each switch, which costs more than all the rest. On x86-64 it
// is enough to swap the stack pointer and the six registers that a callee must preserve. Other processors take the slow
// way; SAPWOOD_EMULATOR_UCONTEXT selects it here, too. Floating-point control words are not swapped: kernels do not
// change them.
#include "context_switch.h"

#include <cstdint>

#if defined(__x86_64__) && !defined(SAPWOOD_EMULATOR_UCONTEXT)

// clang-format off
asm(R"(
    .text
    .p2align 4
    .globl sapwood_switch_context
    .hidden sapwood_switch_context
    .type sapwood_switch_context, @function
sapwood_switch_context:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size sapwood_switch_context, . - sapwood_switch_context
)");
// clang-format on

namespace sapwood::emulator {

void* new_context(char* top, Entry entry) {
    // A function finds its stack pointer 8 below a multiple of 16; above stands a return address of 0, where a debugger
    // that walks the stack stops.
    auto* slot = reinterpret_cast<uintptr_t*>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15});
    *--slot = 0;
    *--slot = 0;
    slot[0] = reinterpret_cast<uintptr_t>(entry);
    slot[1] = 0;
    for (int preserved = 0; preserved < 6; ++preserved) {
        *--slot = 0;
    }
    return slot;
}

}  // namespace sapwood::emulator

#else

#include <ucontext.h>

#include "fiber.h"

namespace sapwood::emulator {

void* new_context(char* top, Entry entry) {
    auto place = (reinterpret_cast<uintptr_t>(top) - sizeof(ucontext_t)) & ~uintptr_t{63};
    auto* context = reinterpret_cast<ucontext_t*>(place);
    getcontext(context);
    const uintptr_t bottom = (place & ~(kStackBytes - 1)) + 4096;
    context->uc_stack.ss_sp = reinterpret_cast<void*>(bottom);
    context->uc_stack.ss_size = place - bottom;
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
    return context;
}

extern "C" void sapwood_switch_context(void** save, void* next) {
    ucontext_t here;
    *save = &here;
    swapcontext(&here, static_cast<ucontext_t*>(next));
}

}  // namespace sapwood::emulator

#endif
