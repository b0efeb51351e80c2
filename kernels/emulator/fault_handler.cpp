// Faults of kernels are told from those of the process around by the stack they happen on. The latter go to the handler
// that was there before: a JVM's, which lives on such faults.
#include "fault_handler.h"

#include <signal.h>
#include <ucontext.h>

#include <cstdio>
#include <mutex>
#include <string>

#include "block.h"
#include "memory.h"
#include "stacks.h"

namespace sapwood::emulator {

namespace {

struct sigaction previous[2];

struct sigaction& previous_of(int signal) {
    return previous[signal == SIGSEGV ? 0 : 1];
}

uintptr_t stack_pointer_of([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
    return static_cast<uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
    return static_cast<const ucontext_t*>(context)->uc_mcontext.sp;
#else
    return 0;
#endif
}

void forward(int signal, siginfo_t* info, void* context) {
    const struct sigaction& action = previous_of(signal);
    if ((action.sa_flags & SA_SIGINFO) != 0) {
        action.sa_sigaction(signal, info, context);
    } else if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) {
        action.sa_handler(signal);
    } else {
        // The access happens again and now ends the process.
        sigaction(signal, &action, nullptr);
    }
}

void handle(int signal, siginfo_t* info, void* context) {
    const uintptr_t stack = stack_pointer_of(context);
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    if (!Stacks::contain(stack)) {
        forward(signal, info, context);
        return;
    }
    Block& block = *static_cast<Block*>(fiber_at(stack)->block);
    if (info->si_code == SI_KERNEL) {
        // The processor does not say the address of an access that is misaligned, or in no address space at all.
        block.fail(CUDA_ERROR_MISALIGNED_ADDRESS,
                   "misaligned vector access, or a wild pointer; the checked build says more");
    }
    char text[32];
    std::snprintf(text, sizeof(text), "0x%zx", static_cast<size_t>(address));
    block.fail(CUDA_ERROR_ILLEGAL_ADDRESS,
               std::string("out-of-bounds access at ") + text + ": "
                   + (memory().is_device_range(address) ? memory().nearest(address) : "not on the device")
                   + "; the checked build says where");
}

}  // namespace

void install_fault_handler() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action {};
        action.sa_sigaction = handle;
        // The handler may leave to another stack for good, so the signal must not stay blocked.
        action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
        sigemptyset(&action.sa_mask);
        for (const int signal : {SIGSEGV, SIGBUS}) {
            sigaction(signal, &action, &previous_of(signal));
        }
    });
}

}  // namespace sapwood::emulator
