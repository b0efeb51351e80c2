#include "memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "faults.h"
#include "report.h"
#include "shared_memory.h"

namespace sapwood::emulator {

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlignment = 256;
constexpr size_t kDefaultTotal = size_t{16} << 30;
constexpr size_t kRange = size_t{1} << 40;
constexpr size_t kHugePageWorth = size_t{4} << 20;
constexpr unsigned char kCanary = 0xcb;

size_t round_up(size_t value, size_t unit) {
    return (value + unit - 1) / unit * unit;
}

}  // namespace

Memory& memory() {
    static auto* const instance = new Memory;
    return *instance;
}

bool Memory::reserve() {
    for (size_t bytes = kRange; range_ == 0 && bytes >= size_t{32} << 30; bytes /= 2) {
        void* range = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range != MAP_FAILED) {
            range_ = next_ = reinterpret_cast<uintptr_t>(range);
            range_bytes_ = bytes;
        }
    }
    return range_ != 0;
}

// Pages between those in use, behind the latest ones for as long as the range lasts. 0 if there are none.
uintptr_t Memory::find_gap(size_t bytes) {
    for (int round = 0; round < 2; ++round) {
        uintptr_t begin = next_;
        for (auto pages = pages_.lower_bound(begin); pages != pages_.end() && pages->first < begin + bytes; ++pages) {
            begin = pages->second.begin + pages->second.bytes + kPage;
        }
        if (begin + bytes + kPage <= range_ + range_bytes_) {
            next_ = begin + bytes + kPage;
            return begin;
        }
        next_ = range_ + kPage;
    }
    return 0;
}

CUresult Memory::allocate(size_t bytes, uintptr_t* address) {
    *address = 0;
    if (bytes == 0) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const size_t limit = total();
    const std::lock_guard lock(mutex_);
    if (bytes > limit || used_ + round_up(bytes, kAlignment) > limit || (range_ == 0 && !reserve())) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    const size_t usable = round_up(bytes, kAlignment);
    const Pages pages{find_gap(round_up(usable, kPage)), round_up(usable, kPage)};
    if (pages.begin == 0
        || mprotect(reinterpret_cast<void*>(pages.begin), pages.bytes, PROT_READ | PROT_WRITE) != 0) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    if (pages.bytes >= kHugePageWorth) {
        madvise(reinterpret_cast<void*>(pages.begin), pages.bytes, MADV_HUGEPAGE);
    }
    const uintptr_t begin = pages.begin + pages.bytes - usable;
    std::memset(reinterpret_cast<void*>(pages.begin), kCanary, begin - pages.begin);
    poison(reinterpret_cast<void*>(begin), bytes);
    std::memset(reinterpret_cast<void*>(begin + bytes), kCanary, usable - bytes);
    allocations_[begin] = {begin, bytes, true};
    pages_[pages.begin] = pages;
    first_page_[begin] = pages.begin;
    used_ += usable;
    *address = begin;
    return CUDA_SUCCESS;
}

bool Memory::canaries_intact(const Allocation& allocation, const Pages& pages) const {
    const auto intact = [](uintptr_t begin, uintptr_t end) {
        const auto* first = reinterpret_cast<const unsigned char*>(begin);
        return std::all_of(first, first + (end - begin), [](unsigned char byte) { return byte == kCanary; });
    };
    return intact(pages.begin, allocation.begin)
           && intact(allocation.begin + allocation.bytes, pages.begin + pages.bytes);
}

CUresult Memory::free(uintptr_t address) {
    if (address == 0) {
        return CUDA_SUCCESS;
    }
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(address);
    if (found == allocations_.end() || !found->second.on_device) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const Allocation allocation = found->second;
    const Pages pages = pages_.at(first_page_.at(address));
    const bool intact = canaries_intact(allocation, pages);
    allocations_.erase(found);
    pages_.erase(pages.begin);
    first_page_.erase(address);
    used_ -= round_up(allocation.bytes, kAlignment);
    // A new mapping in its place gives the memory back and makes the pages untouchable in one call.
    mmap(reinterpret_cast<void*>(pages.begin), pages.bytes, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (!intact) {
        report("out-of-bounds write beside the allocation of " + std::to_string(allocation.bytes)
               + " bytes, found when it was freed; the checked build says which kernel wrote there");
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    return CUDA_SUCCESS;
}

void* Memory::allocate_host(size_t bytes) {
    void* address = std::aligned_alloc(kPage, round_up(std::max<size_t>(bytes, 1), kPage));
    if (address != nullptr) {
        const std::lock_guard lock(mutex_);
        const auto begin = reinterpret_cast<uintptr_t>(address);
        allocations_[begin] = {begin, bytes, false};
    }
    return address;
}

CUresult Memory::free_host(void* address) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = allocations_.find(reinterpret_cast<uintptr_t>(address));
        if (found == allocations_.end() || found->second.on_device) {
            return CUDA_ERROR_INVALID_VALUE;
        }
        allocations_.erase(found);
    }
    std::free(address);
    return CUDA_SUCCESS;
}

std::optional<Allocation> Memory::find(uintptr_t address) const {
    const std::shared_lock lock(mutex_);
    auto after = allocations_.upper_bound(address);
    if (after == allocations_.begin()) {
        return std::nullopt;
    }
    const Allocation& allocation = std::prev(after)->second;
    return allocation.contains(address, 1) ? std::optional(allocation) : std::nullopt;
}

bool Memory::is_device(uintptr_t address, size_t bytes) const {
    if (bytes == 0) {
        return true;
    }
    const std::optional<Allocation> allocation = find(address);
    return allocation && allocation->on_device && allocation->contains(address, bytes);
}

bool Memory::is_device_range(uintptr_t address) const {
    return address - range_ < range_bytes_;
}

std::string Memory::nearest(uintptr_t address) const {
    const std::shared_lock lock(mutex_);
    const auto after = allocations_.upper_bound(address);
    const Allocation* best = nullptr;
    size_t distance = SIZE_MAX;
    const char* side = "";
    if (after != allocations_.begin()) {
        best = &std::prev(after)->second;
        distance = address - (best->begin + best->bytes);
        side = " bytes past the end of";
    }
    if (after != allocations_.end() && after->second.begin - address < distance) {
        best = &after->second;
        distance = best->begin - address;
        side = " bytes before";
    }
    if (best == nullptr || distance > size_t{1} << 30) {
        return "far from every allocation";
    }
    return std::to_string(distance) + side + " the allocation of " + std::to_string(best->bytes) + " bytes";
}

size_t Memory::total() const {
    const std::optional<size_t> fault = fault_memory();
    return fault ? *fault : kDefaultTotal;
}

size_t Memory::used() const {
    const std::shared_lock lock(mutex_);
    return used_;
}

}  // namespace sapwood::emulator
