// Driver calls about the device, its context and errors.
#include <cstdlib>
#include <cstring>
#include <thread>

#include "block.h"
#include "driver.h"
#include "faults.h"
#include "memory.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

constexpr const char* kName = "Sapwood emulator";
constexpr int kMultiprocessors = 2;

std::atomic<bool> initialized{false};

// The one context. What it points to is of no interest; it must not be null.
int context_object;
void* const primary_context = &context_object;

// Contexts are current per thread, but thread-local variables of this library are the blocks' shared memory.
std::atomic<bool> any_context{false};

int attribute(int number) {
    switch (number) {
        case 1: return 1024;                                       // threads per block
        case 2: case 3: return 1024;                               // block, x and y
        case 4: return 64;                                         // block, z
        case 5: return INT32_MAX;                                  // grid, x
        case 6: case 7: return 65535;                              // grid, y and z
        case 8: return 48 << 10;                                   // shared bytes per block
        case 9: return 64 << 10;                                   // constant bytes
        case 10: return 32;                                        // warp
        case 12: return 65536;                                     // registers per block
        case 13: return 1000000;                                   // kHz
        case 14: return 512;                                       // texture alignment
        case 15: return 1;                                         // copies beside kernels
        case 16: return kMultiprocessors;
        case 19: return 1;                                         // maps host memory
        case 31: return 1;                                         // concurrent kernels
        case 36: return 1000000;                                   // memory kHz
        case 37: return 64;                                        // bus bits
        case 38: return 2 << 20;                                   // L2 bytes
        case 39: return 2048;                                      // threads per multiprocessor
        case 40: return 1;                                         // copy engines
        case 41: return 1;                                         // unified addresses
        case 75: return 9;                                         // compute capability
        case 76: return 0;
        case 81: return 228 << 10;                                 // shared bytes per multiprocessor
        case 82: return 65536;                                     // registers per multiprocessor
        case 97: return static_cast<int>(kMaxDynamicShared);       // shared bytes per block, on request
        case 99: return 1;                                         // host memory can be registered
        case 106: return 32;                                       // blocks per multiprocessor
        case 111: return 1024;                                     // reserved shared bytes per block
        default: return 0;
    }
}

struct SeedState {
    std::atomic<uint64_t> value{0x5a9d00d};

    SeedState() {
        if (const char* text = std::getenv("SAPWOOD_EMULATOR_SEED")) {
            value = std::strtoull(text, nullptr, 0);
        }
    }
};

SeedState seed_state;

bool is_device(CUdevice device) {
    return device == 0 && !has_fault("no-device");
}

}  // namespace

bool is_initialized() {
    return initialized.load(std::memory_order_relaxed);
}

uint64_t seed() {
    return seed_state.value.load(std::memory_order_relaxed);
}

void set_seed(uint64_t seed) {
    seed_state.value = seed;
}

SAPWOOD_EXPORT void sapwood_emulator_set_seed(unsigned long long value) {
    set_seed(value);
}

SAPWOOD_EXPORT void sapwood_emulator_set_fault(const char* fault) {
    set_fault(fault == nullptr ? "" : fault);
}

SAPWOOD_EXPORT const char* sapwood_emulator_last_report() {
    return last_report();
}

SAPWOOD_EXPORT CUresult cuInit(unsigned flags) {
    if (flags != 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (has_fault("no-device")) {
        return CUDA_ERROR_NO_DEVICE;
    }
    initialized = true;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDriverGetVersion(int* version) {
    *version = has_fault("old-driver") ? 11000 : 13000;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceGetCount(int* count) {
    if (!is_initialized()) {
        return CUDA_ERROR_NOT_INITIALIZED;
    }
    *count = has_fault("no-device") ? 0 : 1;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    if (!is_initialized()) {
        return CUDA_ERROR_NOT_INITIALIZED;
    }
    if (!is_device(ordinal)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *device = ordinal;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    if (!is_device(device) || length <= 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    std::strncpy(name, kName, static_cast<size_t>(length));
    name[length - 1] = '\0';
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceGetUuid(char* uuid, CUdevice device) {
    if (!is_device(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    std::memcpy(uuid, kName, 16);
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceGetAttribute(int* value, int number, CUdevice device) {
    if (!is_device(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *value = attribute(number);
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
    if (!is_device(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *major = attribute(75);
    *minor = attribute(76);
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    if (!is_device(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *bytes = memory().total();
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDevicePrimaryCtxRetain(void** context, CUdevice device) {
    if (!is_device(device)) {
        return CUDA_ERROR_INVALID_DEVICE;
    }
    *context = primary_context;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    return is_device(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

SAPWOOD_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
    return is_device(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

SAPWOOD_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
    return is_device(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

SAPWOOD_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
    *flags = 0;
    *active = 1;
    return is_device(device) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

SAPWOOD_EXPORT CUresult cuCtxCreate_v2(void** context, unsigned, CUdevice device) {
    any_context = true;
    return cuDevicePrimaryCtxRetain(context, device);
}

SAPWOOD_EXPORT CUresult cuCtxDestroy_v2(void* context) {
    return context == primary_context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

SAPWOOD_EXPORT CUresult cuCtxSetCurrent(void* context) {
    if (context != nullptr && context != primary_context) {
        return CUDA_ERROR_INVALID_CONTEXT;
    }
    any_context = any_context || context != nullptr;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuCtxPushCurrent_v2(void* context) {
    return cuCtxSetCurrent(context);
}

SAPWOOD_EXPORT CUresult cuCtxPopCurrent_v2(void** context) {
    *context = primary_context;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuCtxGetCurrent(void** context) {
    *context = any_context ? primary_context : nullptr;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
    *device = 0;
    return any_context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

SAPWOOD_EXPORT CUresult cuCtxSynchronize() {
    return any_context ? refuse_if_capturing() : CUDA_ERROR_INVALID_CONTEXT;
}

SAPWOOD_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = 0;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuProfilerStart() {
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuProfilerStop() {
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGetErrorName(CUresult error, const char** name) {
    switch (error) {
#define SAPWOOD_NAME(result, number, text) \
    case result: *name = #result; return CUDA_SUCCESS;
        SAPWOOD_RESULTS(SAPWOOD_NAME)
#undef SAPWOOD_NAME
    }
    *name = nullptr;
    return CUDA_ERROR_INVALID_VALUE;
}

SAPWOOD_EXPORT CUresult cuGetErrorString(CUresult error, const char** text) {
    switch (error) {
#define SAPWOOD_TEXT(result, number, words) \
    case result: *text = words; return CUDA_SUCCESS;
        SAPWOOD_RESULTS(SAPWOOD_TEXT)
#undef SAPWOOD_TEXT
    }
    *text = nullptr;
    return CUDA_ERROR_INVALID_VALUE;
}

}  // namespace sapwood::emulator
