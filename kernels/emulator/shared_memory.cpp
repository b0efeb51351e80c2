// The thread-local block of this library holds the static arrays of all kernels, hundreds of KiB, and no table says which
// of them a kernel uses. So the first blocks of each kernel are watched: everything is poisoned before, and what has
// changed afterwards is the range to poison from then on.
#include "shared_memory.h"

#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "launch.h"

namespace sapwood::emulator {

namespace {

constexpr unsigned kBlocksToWatch = 8;

struct ThreadShare {
    unsigned char* begin;
    size_t bytes;
};

// The only thread-local variable of the driver itself. It lies amid the shared arrays and must survive the poison.
thread_local constinit ThreadShare thread_share{nullptr, 0};

int note_thread_share(dl_phdr_info* info, size_t, void*) {
    const auto here = reinterpret_cast<uintptr_t>(&note_thread_share);
    bool ours = false;
    size_t bytes = 0;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = info->dlpi_phdr[i];
        const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
        if (header.p_type == PT_LOAD && here >= begin && here < begin + header.p_memsz) {
            ours = true;
        } else if (header.p_type == PT_TLS) {
            bytes = header.p_memsz;
        }
    }
    if (!ours) {
        return 0;
    }
    thread_share = {static_cast<unsigned char*>(info->dlpi_tls_data), info->dlpi_tls_data == nullptr ? 0 : bytes};
    return 1;
}

const ThreadShare& find_thread_share() {
    if (thread_share.begin == nullptr) {
        dl_iterate_phdr(note_thread_share, nullptr);
    }
    return thread_share;
}

void poison_share(const ThreadShare& share, size_t begin, size_t end) {
    const ThreadShare saved = thread_share;
    poison(share.begin + begin, end - begin);
    thread_share = saved;
}

// The poison repeats every four bytes from each address that is a multiple of four.
bool is_poison(const unsigned char* address) {
    return *address == static_cast<unsigned char>(kPoison >> (8 * (reinterpret_cast<uintptr_t>(address) & 3)));
}

}  // namespace

void poison(void* begin, size_t bytes) {
    auto* address = static_cast<unsigned char*>(begin);
    auto* const end = address + bytes;
    while (address < end && (reinterpret_cast<uintptr_t>(address) & 3) != 0) {
        *address = static_cast<unsigned char>(kPoison >> (8 * (reinterpret_cast<uintptr_t>(address) & 3)));
        ++address;
    }
    const size_t words = static_cast<size_t>(end - address) / 4;
    std::fill_n(reinterpret_cast<uint32_t*>(address), words, kPoison);
    address += 4 * words;
    for (; address < end; ++address) {
        *address = static_cast<unsigned char>(kPoison >> (8 * (reinterpret_cast<uintptr_t>(address) & 3)));
    }
}

SharedMemory::SharedMemory() : dynamic_(static_cast<unsigned char*>(std::aligned_alloc(4096, 57 * 4096))) {
    static_assert(57 * 4096 >= kMaxDynamicShared);
    if (dynamic_ == nullptr) {
        throw std::bad_alloc();
    }
}

SharedMemory::~SharedMemory() {
    std::free(dynamic_);
}

void SharedMemory::begin_block(Kernel& kernel, unsigned dynamic_bytes) {
    dynamic_bytes_ = dynamic_bytes;
    poison(dynamic_, dynamic_bytes);
    const ThreadShare share = find_thread_share();
    static_begin_ = share.begin;
    static_bytes_ = share.bytes;
    watching_ = kernel.blocks_watched.load(std::memory_order_acquire) < kBlocksToWatch;
    if (watching_) {
        poison_share(share, 0, share.bytes);
        return;
    }
    const size_t begin = kernel.shared_begin.load(std::memory_order_relaxed);
    const size_t end = kernel.shared_end.load(std::memory_order_relaxed);
    if (begin < end) {
        poison_share(share, begin, end);
    }
}

void SharedMemory::end_block(Kernel& kernel) {
    if (!watching_) {
        return;
    }
    const auto* own = reinterpret_cast<const unsigned char*>(&thread_share);
    const auto is_clean = [this, own](size_t offset) {
        const unsigned char* address = static_begin_ + offset;
        return is_poison(address) || (address >= own && address < own + sizeof(ThreadShare));
    };
    size_t begin = 0;
    while (begin < static_bytes_ && is_clean(begin)) {
        ++begin;
    }
    size_t end = static_bytes_;
    while (end > begin && is_clean(end - 1)) {
        --end;
    }
    const std::lock_guard lock(kernel.shared_mutex);
    if (begin < end) {
        kernel.shared_begin.store(std::min(kernel.shared_begin.load(), begin), std::memory_order_relaxed);
        kernel.shared_end.store(std::max(kernel.shared_end.load(), end), std::memory_order_relaxed);
    }
    kernel.blocks_watched.fetch_add(1, std::memory_order_release);
}

}  // namespace sapwood::emulator
