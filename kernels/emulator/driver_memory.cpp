// Driver calls about memory. A copy between host and device needs a range that lies in one allocation, as on a GPU.
#include <algorithm>
#include <cstring>

#include "driver.h"
#include "memory.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

CUresult check_device(CUdeviceptr address, size_t bytes) {
    if (memory().is_device(address, bytes)) {
        return CUDA_SUCCESS;
    }
    report("copy or fill of " + std::to_string(bytes) + " bytes outside device memory; the address is "
           + memory().nearest(address));
    return CUDA_ERROR_INVALID_VALUE;
}

CUresult check_host(const void* address, size_t bytes) {
    const bool valid = bytes == 0 || (address != nullptr && !memory().is_device_range(
                                                                reinterpret_cast<uintptr_t>(address)));
    return valid ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

void* pointer(CUdeviceptr address) {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(address));
}

CUresult both(CUresult first, CUresult second) {
    return first != CUDA_SUCCESS ? first : second;
}

// A call that the caller waits for and that runs on the legacy stream.
CUresult refuse_waiting() {
    const CUresult refusal = refuse_if_capturing();
    return refusal != CUDA_SUCCESS ? refusal : refuse_on_legacy_stream(stream_of(nullptr));
}

CUresult copy_now(CUresult check, void* target, const void* source, size_t bytes) {
    const CUresult refusal = check != CUDA_SUCCESS ? check : refuse_waiting();
    return refusal != CUDA_SUCCESS ? refusal : execute(CopyNode{target, source, bytes});
}

CUresult copy_async(CUresult check, void* target, const void* source, size_t bytes, Stream* stream) {
    return check != CUDA_SUCCESS ? check : submit(stream, CopyNode{target, source, bytes});
}

// Whichever side is on the device must be valid there; a unified address says which that is.
CUresult check_either(CUdeviceptr address, size_t bytes) {
    return memory().is_device_range(address) ? check_device(address, bytes) : check_host(pointer(address), bytes);
}

CUresult fill(CUdeviceptr target, unsigned value, unsigned width, size_t count, Stream* stream, bool wait) {
    CUresult refusal = target % width != 0 ? CUDA_ERROR_INVALID_VALUE : check_device(target, width * count);
    if (refusal == CUDA_SUCCESS && wait) {
        refusal = refuse_waiting();
    }
    return refusal != CUDA_SUCCESS ? refusal : submit(stream, FillNode{target, value, width, count});
}

}  // namespace

CUresult execute_copy(const CopyNode& node) {
    std::memmove(node.target, node.source, node.bytes);
    return CUDA_SUCCESS;
}

CUresult execute_fill(const FillNode& node) {
    void* target = pointer(node.target);
    switch (node.width) {
        case 1: std::memset(target, static_cast<int>(node.value), node.count); break;
        case 2: std::fill_n(static_cast<uint16_t*>(target), node.count, static_cast<uint16_t>(node.value)); break;
        default: std::fill_n(static_cast<uint32_t*>(target), node.count, node.value); break;
    }
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    *total = memory().total();
    *free = *total - std::min(*total, memory().used());
    return CUDA_SUCCESS;
}

// A GPU's driver takes memory during a capture in relaxed mode only.
SAPWOOD_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    *address = 0;
    const CUresult refusal = refuse_if_capturing();
    if (refusal != CUDA_SUCCESS) {
        return refusal;
    }
    uintptr_t place;
    const CUresult result = memory().allocate(bytes, &place);
    *address = place;
    return result;
}

SAPWOOD_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
    const CUresult refusal = refuse_if_capturing();
    return refusal != CUDA_SUCCESS ? refusal : memory().free(address);
}

SAPWOOD_EXPORT CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, Stream*) {
    return cuMemAlloc_v2(address, bytes);
}

SAPWOOD_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, Stream*) {
    return cuMemFree_v2(address);
}

SAPWOOD_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* begin, size_t* bytes, CUdeviceptr address) {
    const auto allocation = memory().find(address);
    if (!allocation || !allocation->on_device) {
        return CUDA_ERROR_NOT_FOUND;
    }
    if (begin != nullptr) {
        *begin = allocation->begin;
    }
    if (bytes != nullptr) {
        *bytes = allocation->bytes;
    }
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    *address = memory().allocate_host(bytes);
    return *address == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemAllocHost_v2(void** address, size_t bytes) {
    return cuMemHostAlloc(address, bytes, 0);
}

SAPWOOD_EXPORT CUresult cuMemFreeHost(void* address) {
    return memory().free_host(address);
}

SAPWOOD_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host, unsigned) {
    *address = reinterpret_cast<uintptr_t>(host);
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemHostRegister_v2(void*, size_t, unsigned) {
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemHostUnregister(void*) {
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr target, const void* source, size_t bytes) {
    return copy_now(both(check_device(target, bytes), check_host(source, bytes)), pointer(target), source, bytes);
}

SAPWOOD_EXPORT CUresult cuMemcpyDtoH_v2(void* target, CUdeviceptr source, size_t bytes) {
    return copy_now(both(check_device(source, bytes), check_host(target, bytes)), target, pointer(source), bytes);
}

SAPWOOD_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    return copy_now(
        both(check_device(target, bytes), check_device(source, bytes)), pointer(target), pointer(source), bytes);
}

SAPWOOD_EXPORT CUresult cuMemcpy(CUdeviceptr target, CUdeviceptr source, size_t bytes) {
    return copy_now(
        both(check_either(target, bytes), check_either(source, bytes)), pointer(target), pointer(source), bytes);
}

SAPWOOD_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void* source, size_t bytes, Stream* stream) {
    return copy_async(
        both(check_device(target, bytes), check_host(source, bytes)), pointer(target), source, bytes, stream);
}

SAPWOOD_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* target, CUdeviceptr source, size_t bytes, Stream* stream) {
    return copy_async(
        both(check_device(source, bytes), check_host(target, bytes)), target, pointer(source), bytes, stream);
}

SAPWOOD_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr target, CUdeviceptr source, size_t bytes, Stream* stream) {
    return copy_async(both(check_device(target, bytes), check_device(source, bytes)), pointer(target),
                      pointer(source), bytes, stream);
}

SAPWOOD_EXPORT CUresult cuMemcpyAsync(CUdeviceptr target, CUdeviceptr source, size_t bytes, Stream* stream) {
    return copy_async(both(check_either(target, bytes), check_either(source, bytes)), pointer(target),
                      pointer(source), bytes, stream);
}

SAPWOOD_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr target, unsigned char value, size_t count) {
    return fill(target, value, 1, count, nullptr, true);
}

SAPWOOD_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr target, unsigned short value, size_t count) {
    return fill(target, value, 2, count, nullptr, true);
}

SAPWOOD_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr target, unsigned value, size_t count) {
    return fill(target, value, 4, count, nullptr, true);
}

SAPWOOD_EXPORT CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t count, Stream* stream) {
    return fill(target, value, 1, count, stream, false);
}

SAPWOOD_EXPORT CUresult cuMemsetD16Async(CUdeviceptr target, unsigned short value, size_t count, Stream* stream) {
    return fill(target, value, 2, count, stream, false);
}

SAPWOOD_EXPORT CUresult cuMemsetD32Async(CUdeviceptr target, unsigned value, size_t count, Stream* stream) {
    return fill(target, value, 4, count, stream, false);
}

}  // namespace sapwood::emulator
