// How kernels make themselves known: EXPORT_KERNEL(name) after the definition. The linker lays what it leaves side by side
// in one section, so nothing runs while the library is loaded.
#pragma once

#include <cstddef>
#include <utility>

namespace sapwood::emulator {

// One kernel as its file knows it.
struct KernelCode {
    const char* file;  // the .cu file
    const char* name;
    void (*run)(void** arguments);  // runs the calling thread of the block
    const size_t* argument_bytes;
    size_t arguments;
};

template <auto function>
struct Trampoline;

template <class... Parameters, void (*function)(Parameters...)>
struct Trampoline<function> {
    static constexpr size_t kArguments = sizeof...(Parameters);
    static constexpr size_t kBytes[kArguments + 1] = {sizeof(Parameters)..., 0};

    static void run(void** arguments) {
        run(arguments, std::index_sequence_for<Parameters...>());
    }

private:
    // The arguments lie in host memory: not for kernels to read, so the checked build must not look here.
    template <size_t... indices>
    __attribute__((no_sanitize("thread", "alignment"))) static void run([[maybe_unused]] void** arguments,
                                                                        std::index_sequence<indices...>) {
        function(*static_cast<Parameters*>(arguments[indices])...);
    }
};

}  // namespace sapwood::emulator

#define EXPORT_KERNEL(kernel)                                                                                  \
    static constexpr ::sapwood::emulator::KernelCode sapwood_code_##kernel{                                    \
        __BASE_FILE__, #kernel, &::sapwood::emulator::Trampoline<&kernel>::run,                                \
        ::sapwood::emulator::Trampoline<&kernel>::kBytes, ::sapwood::emulator::Trampoline<&kernel>::kArguments}; \
    __attribute__((used, section("sapwood_kernels"))) static const ::sapwood::emulator::KernelCode*            \
        sapwood_kernel_##kernel = &sapwood_code_##kernel;
