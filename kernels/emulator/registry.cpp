#include "registry.h"

#include <memory>
#include <string>
#include <vector>

#include "launch.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

// The kernels by family and name. The linker defines the two ends of the section if there is one.
extern "C" __attribute__((weak, visibility("hidden"))) const KernelCode* __start_sapwood_kernels[];
extern "C" __attribute__((weak, visibility("hidden"))) const KernelCode* __stop_sapwood_kernels[];

std::vector<std::unique_ptr<Kernel>>* list_kernels() {
    auto* const kernels = new std::vector<std::unique_ptr<Kernel>>;
    for (const KernelCode** code = __start_sapwood_kernels; code != __stop_sapwood_kernels; ++code) {
        auto kernel = std::make_unique<Kernel>();
        kernel->code = **code;
        const std::string file = base_name((*code)->file);
        kernel->family = file.substr(0, file.rfind('.'));
        kernels->push_back(std::move(kernel));
    }
    return kernels;
}

const std::vector<std::unique_ptr<Kernel>>& kernels() {
    static const auto* const instance = list_kernels();
    return *instance;
}

}  // namespace

Kernel* find_kernel(const std::string& family, const std::string& name) {
    for (const auto& kernel : kernels()) {
        if (kernel->family == family && kernel->code.name == name) {
            return kernel.get();
        }
    }
    return nullptr;
}

bool has_family(const std::string& family) {
    for (const auto& kernel : kernels()) {
        if (kernel->family == family) {
            return true;
        }
    }
    return false;
}

}  // namespace sapwood::emulator
