#include "checked_accesses.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdio>

#include "report.h"

namespace sapwood::emulator {

namespace {

struct Image {
    uintptr_t begin = UINTPTR_MAX;
    uintptr_t end = 0;
};

int note_image(dl_phdr_info* info, size_t, void* data) {
    const auto here = reinterpret_cast<uintptr_t>(&note_image);
    Image image;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const ElfW(Phdr)& header = info->dlpi_phdr[i];
        if (header.p_type == PT_LOAD) {
            const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
            image.begin = std::min(image.begin, begin);
            image.end = std::max(image.end, begin + header.p_memsz);
        }
    }
    if (here < image.begin || here >= image.end) {
        return 0;
    }
    *static_cast<Image*>(data) = image;
    return 1;
}

// Where this library is loaded: tables that a kernel file defines lie there.
bool is_in_library(uintptr_t address) {
    static const Image image = [] {
        Image found;
        dl_iterate_phdr(note_image, &found);
        return found;
    }();
    return address >= image.begin && address < image.end;
}

const char* verb(AccessKind kind) {
    switch (kind) {
        case AccessKind::kRead: return "read";
        case AccessKind::kWrite: return "write";
        case AccessKind::kAtomic: return "atomic";
    }
    return "?";
}

}  // namespace

std::string source_line(const void* code) {
    Dl_info info;
    if (dladdr(code, &info) == 0 || info.dli_fname == nullptr) {
        return "";
    }
    // The byte before the return address belongs to the call.
    const auto offset = reinterpret_cast<uintptr_t>(code) - reinterpret_cast<uintptr_t>(info.dli_fbase) - 1;
    char command[1024];
    std::snprintf(command, sizeof(command), "addr2line -e '%s' 0x%zx 2>/dev/null", info.dli_fname, offset);
    std::string line;
    if (FILE* tool = popen(command, "r")) {
        char buffer[512];
        if (std::fgets(buffer, sizeof(buffer), tool) != nullptr) {
            line = buffer;
        }
        pclose(tool);
    }
    line = line.substr(0, line.find_first_of(" \n"));
    return line.empty() || line[0] == '?' ? "" : " (" + base_name(line) + ")";
}

void Accesses::begin_block() {
    first_phase_ = last_phase_ = last_phase_ + 1;
    const SharedMemory& shared = block_.shared();
    dynamic_.name = "dynamic";
    dynamic_.begin = reinterpret_cast<uintptr_t>(shared.dynamic());
    dynamic_.bytes = shared.dynamic_bytes();
    static_.name = "static";
    static_.begin = reinterpret_cast<uintptr_t>(shared.static_begin());
    static_.bytes = shared.static_bytes();
    for (Region* region : {&dynamic_, &static_}) {
        const size_t words = (region->bytes + 3) / 4 + 1;
        if (region->words.size() < words) {
            region->words.resize(words);
        }
    }
    for (Allocation& allocation : recent_) {
        allocation = {};
    }
}

void Accesses::check(uintptr_t address, size_t bytes, AccessKind kind, const void* code) {
    if (check_shared(static_, address, bytes, kind, code) || check_shared(dynamic_, address, bytes, kind, code)) {
        return;
    }
    for (const Allocation& allocation : recent_) {
        if (allocation.contains(address, bytes)) {
            return;
        }
    }
    if (is_block_index(address) || is_allocated(address, bytes) || is_in_library(address)) {
        return;
    }
    fail_bounds(address, bytes, kind, code);
}

// blockIdx and its like are read from the block itself.
bool Accesses::is_block_index(uintptr_t address) const {
    return address - reinterpret_cast<uintptr_t>(static_cast<const BlockView*>(&block_)) < sizeof(BlockView);
}

bool Accesses::is_allocated(uintptr_t address, size_t bytes) {
    const auto allocation = memory().find(address);
    if (!allocation || !allocation->contains(address, bytes)) {
        return false;
    }
    recent_[next_recent_++ % std::size(recent_)] = *allocation;
    return true;
}

bool Accesses::check_shared(Region& region, uintptr_t address, size_t bytes, AccessKind kind, const void* code) {
    const uintptr_t offset = address - region.begin;
    if (offset >= region.bytes || bytes > region.bytes - offset) {
        return false;
    }
    last_phase_ = first_phase_ + block_.barriers_passed();
    const uintptr_t end = offset + bytes;
    for (uintptr_t word = offset / 4; word * 4 < end; ++word) {
        const uintptr_t first = std::max(offset, word * 4) - word * 4;
        const uintptr_t last = std::min(end, word * 4 + 4) - word * 4;
        check_word(region, word, static_cast<uint8_t>((1u << last) - (1u << first)), kind, code);
    }
    return true;
}

void Accesses::check_word(Region& region, size_t index, uint8_t mask, AccessKind kind, const void* code) {
    Word& word = region.words[index];
    const unsigned thread = block_.current_thread();
    const unsigned warp = thread / kLanes;
    const bool writes = kind != AccessKind::kRead;

    const bool written_in_block = word.written_in_block == first_phase_;
    if (kind != AccessKind::kWrite && (!written_in_block || (word.written_bytes & mask) != mask)) {
        block_.fail(CUDA_ERROR_LAUNCH_FAILED,
                    std::string(verb(kind)) + " of uninitialised shared memory, byte " + std::to_string(4 * index)
                        + " of the " + region.name + " part" + source_line(code));
    }

    // Against the last write: another warp must have passed a barrier since, another lane of the warp a __syncwarp.
    if (word.write_phase == last_phase_ && word.writer != thread && (word.write_bytes & mask) != 0
        && !(word.atomic_write && kind == AccessKind::kAtomic)
        && (word.writer / kLanes != warp || word.write_syncs == block_.warp_syncs(warp))) {
        fail_race(region, index, kind, "wrote", word.writer, code);
    }
    // Against reads: what was read before a meeting of the warp has been read.
    const bool same_phase_read = word.read_phase == last_phase_ && word.read_bytes != 0;
    if (writes && same_phase_read && (word.read_bytes & mask) != 0) {
        const bool other_warp = word.several_warps || word.reader / kLanes != warp;
        const bool other_lane = word.several_lanes || word.reader != thread;
        if (other_warp || (other_lane && word.read_meetings == block_.warp_meetings(warp))) {
            fail_race(region, index, kind, "read", word.reader, code);
        }
    }

    if (writes) {
        word.written_bytes = static_cast<uint8_t>((written_in_block ? word.written_bytes : 0) | mask);
        word.written_in_block = first_phase_;
        word.write_phase = last_phase_;
        word.writer = static_cast<uint16_t>(thread);
        word.write_syncs = block_.warp_syncs(warp);
        word.write_bytes = mask;
        word.atomic_write = kind == AccessKind::kAtomic;
        return;
    }
    if (same_phase_read && (word.read_bytes & mask) != 0) {
        const bool same_warp = word.reader / kLanes == warp;
        word.several_warps = word.several_warps || !same_warp;
        word.several_lanes = same_warp && word.read_meetings == block_.warp_meetings(warp)
                             && (word.several_lanes || word.reader != thread);
        word.read_bytes &= mask;
    } else {
        word.several_warps = false;
        word.several_lanes = false;
        word.read_bytes = mask;
    }
    word.read_phase = last_phase_;
    word.reader = static_cast<uint16_t>(thread);
    word.read_meetings = block_.warp_meetings(warp);
}

void Accesses::fail_race(Region& region, size_t word, AccessKind kind, const char* other_did, unsigned other,
                         const void* code) {
    block_.fail(CUDA_ERROR_LAUNCH_FAILED,
                std::string("race in shared memory: ") + verb(kind) + " of byte " + std::to_string(4 * word) + " of the "
                    + region.name + " part, which "
                    + (other == block_.current_thread() ? "another thread" : "thread " + std::to_string(other)) + " "
                    + other_did
                    + " with no barrier in between" + source_line(code));
}

void Accesses::fail_bounds(uintptr_t address, size_t bytes, AccessKind kind, const void* code) {
    const bool on_device = memory().is_device_range(address);
    const uintptr_t dynamic_offset = address - dynamic_.begin;
    std::string where;
    if (dynamic_offset < kMaxDynamicShared) {
        where = "byte " + std::to_string(dynamic_offset) + " of dynamic shared memory, of which the launch has "
                + std::to_string(dynamic_.bytes) + " bytes";
    } else if (on_device) {
        where = memory().nearest(address);
    } else {
        where = address < 4096 ? "a null pointer" : "host memory, not on the device";
    }
    char text[32];
    std::snprintf(text, sizeof(text), "0x%zx", static_cast<size_t>(address));
    block_.fail(CUDA_ERROR_ILLEGAL_ADDRESS, std::string("out-of-bounds ") + verb(kind) + " of " + std::to_string(bytes)
                                                + " bytes at " + text + ": " + where + source_line(code));
}

}  // namespace sapwood::emulator
