// Device memory, and the host memory that the driver pins.
//
// Device memory lies in one reserved range of addresses. Each allocation has pages of its own there and ends with its last
// page, up to the 256 bytes that CUDA aligns to; the pages around it cannot be touched. So an access past the end stops
// the process in the fast build too, and the few bytes between are checked when the memory is freed. Addresses are not
// used again until the range is used up: a pointer to freed memory stays invalid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>

#include "result.h"

namespace sapwood::emulator {

struct Allocation {
    uintptr_t begin;
    size_t bytes;
    bool on_device;  // otherwise pinned host memory, which kernels can reach as well

    bool contains(uintptr_t address, size_t length) const {
        return address >= begin && length <= bytes && address - begin <= bytes - length;
    }
};

class Memory {
public:
    // Null pointer in *address if there is not enough.
    CUresult allocate(size_t bytes, uintptr_t* address);
    CUresult free(uintptr_t address);

    void* allocate_host(size_t bytes);
    CUresult free_host(void* address);

    // The live allocation that holds the address.
    std::optional<Allocation> find(uintptr_t address) const;
    // Whether the bytes lie in one live allocation on the device.
    bool is_device(uintptr_t address, size_t bytes) const;
    // Whether the address lies where device memory comes from, allocated or not.
    bool is_device_range(uintptr_t address) const;
    // Says which allocation is nearest, for reports.
    std::string nearest(uintptr_t address) const;

    size_t total() const;
    size_t used() const;

private:
    struct Pages {
        uintptr_t begin;
        size_t bytes;
    };

    bool reserve();
    uintptr_t find_gap(size_t bytes);
    bool canaries_intact(const Allocation& allocation, const Pages& pages) const;

    mutable std::shared_mutex mutex_;
    uintptr_t range_ = 0;
    size_t range_bytes_ = 0;
    uintptr_t next_ = 0;
    size_t used_ = 0;
    std::map<uintptr_t, Allocation> allocations_;
    std::map<uintptr_t, Pages> pages_;  // by the first page
    std::map<uintptr_t, uintptr_t> first_page_;  // by the address handed out
};

Memory& memory();

}  // namespace sapwood::emulator
