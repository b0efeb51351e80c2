// Driver calls about modules, kernels and their launch.
#include <algorithm>
#include <cstring>

#include "block.h"
#include "driver.h"
#include "faults.h"
#include "report.h"
#include "shared_memory.h"

namespace sapwood::emulator {

namespace {

constexpr char kImagePrefix[] = "sapwood-emulator:";

// Copies the arguments, each to a multiple of eight bytes of the storage.
void copy_arguments(LaunchNode& node, void** parameters) {
    const KernelCode& code = node.kernel->code;
    size_t words = 0;
    for (size_t i = 0; i < code.arguments; ++i) {
        words += (code.argument_bytes[i] + 7) / 8;
    }
    node.storage.resize(words);
    node.arguments.resize(code.arguments);
    uint64_t* place = node.storage.data();
    for (size_t i = 0; i < code.arguments; ++i) {
        std::memcpy(place, parameters[i], code.argument_bytes[i]);
        node.arguments[i] = place;
        place += (code.argument_bytes[i] + 7) / 8;
    }
}

CUresult launch_now(Kernel* kernel, dim3 grid, dim3 block, unsigned shared_bytes, void** arguments) {
    if (launch_fails(kernel->code.name)) {
        report("kernel " + std::string(kernel->code.name) + ": launch failed on demand");
        return CUDA_ERROR_LAUNCH_FAILED;
    }
    Launch launch{};
    launch.kernel = kernel;
    launch.grid = grid;
    launch.block = block;
    launch.shared_bytes = shared_bytes;
    launch.arguments = arguments;
    return run(launch);
}

}  // namespace

CUresult execute_launch(const LaunchNode& node) {
    return launch_now(
        node.kernel, node.grid, node.block, node.shared_bytes, const_cast<void**>(node.arguments.data()));
}

SAPWOOD_EXPORT CUresult cuModuleLoadData(Module** module, const void* image) {
    if (!is_initialized()) {
        return CUDA_ERROR_NOT_INITIALIZED;
    }
    const auto* text = static_cast<const char*>(image);
    if (has_fault("no-binary") || std::strncmp(text, kImagePrefix, sizeof(kImagePrefix) - 1) != 0) {
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    const std::string family = text + sizeof(kImagePrefix) - 1;
    if (!has_family(family)) {
        report("no kernel file " + family + ".cu in this library: build it again");
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    *module = new Module{family};
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuModuleLoadDataEx(Module** module, const void* image, unsigned, int*, void**) {
    return cuModuleLoadData(module, image);
}

SAPWOOD_EXPORT CUresult cuModuleLoadFatBinary(Module** module, const void* image) {
    return cuModuleLoadData(module, image);
}

SAPWOOD_EXPORT CUresult cuModuleUnload(Module* module) {
    delete module;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuModuleGetFunction(Kernel** function, const Module* module, const char* name) {
    if (module == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    *function = has_fault("missing-kernel", name) ? nullptr : find_kernel(module->family, name);
    return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr*, size_t*, Module*, const char*) {
    return CUDA_ERROR_NOT_FOUND;
}

SAPWOOD_EXPORT CUresult cuFuncGetAttribute(int* value, int attribute, const Kernel* kernel) {
    if (kernel == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    switch (attribute) {
        case 0: *value = 1024; break;  // threads per block
        case 4: *value = 32; break;    // registers
        case 5: case 6: *value = 90; break;
        case 8: *value = kernel->max_dynamic_shared; break;
        case 9: *value = -1; break;  // no preference
        default: *value = 0; break;  // static shared, constant and local bytes: not known here
    }
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuFuncSetAttribute(Kernel* kernel, int attribute, int value) {
    if (kernel == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    if (attribute == 8) {
        if (value < 0 || value > static_cast<int>(kMaxDynamicShared)) {
            return CUDA_ERROR_INVALID_VALUE;
        }
        kernel->max_dynamic_shared = value;
        return CUDA_SUCCESS;
    }
    return attribute == 9 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SAPWOOD_EXPORT CUresult cuFuncSetCacheConfig(Kernel* kernel, int) {
    return kernel == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuLaunchKernel(Kernel* kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                       unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                       Stream* stream, void** parameters, void** extra) {
    if (kernel == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    const uint64_t threads = static_cast<uint64_t>(block_x) * block_y * block_z;
    if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_x > INT32_MAX || grid_y > 65535 || grid_z > 65535
        || threads == 0 || threads > kMaxThreads || block_z > 64 || extra != nullptr
        || shared_bytes > static_cast<unsigned>(kernel->max_dynamic_shared.load())
        || (parameters == nullptr && kernel->code.arguments > 0)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const dim3 grid(grid_x, grid_y, grid_z);
    const dim3 block(block_x, block_y, block_z);
    CUresult refusal;
    Stream& target = stream_of(stream);
    if (is_capturing(target, &refusal)) {
        if (refusal != CUDA_SUCCESS) {
            return refusal;
        }
        LaunchNode node{kernel, grid, block, shared_bytes, {}, {}};
        copy_arguments(node, parameters);
        return submit(stream, std::move(node));
    }
    refusal = refuse_on_legacy_stream(target);
    return refusal != CUDA_SUCCESS ? refusal : launch_now(kernel, grid, block, shared_bytes, parameters);
}

SAPWOOD_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, const Kernel* kernel, int threads, size_t shared_bytes, unsigned) {
    if (kernel == nullptr || threads <= 0 || threads > static_cast<int>(kMaxThreads)) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const int by_threads = 2048 / ((threads + 31) / 32 * 32);
    const int by_shared = static_cast<int>((size_t{228} << 10) / (shared_bytes + 1024));
    *blocks = std::min({by_threads, by_shared, 32});
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(
    int* blocks, const Kernel* kernel, int threads, size_t shared_bytes) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, kernel, threads, shared_bytes, 0);
}

}  // namespace sapwood::emulator
