// What the checked build knows of the memory that the threads of one block may touch, and of what they did to shared
// memory since the block began.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "block.h"
#include "memory.h"

namespace sapwood::emulator {

enum class AccessKind { kRead, kWrite, kAtomic };

class Accesses {
public:
    explicit Accesses(Block& block) : block_(block) {}

    void begin_block();
    // Ends the launch with a report if the running thread must not do this.
    void check(uintptr_t address, size_t bytes, AccessKind kind, const void* code);

private:
    // Four bytes of shared memory. A phase lasts from one barrier to the next.
    struct Word {
        uint32_t written_in_block;  // the block for which written_bytes holds
        uint32_t write_phase;
        uint32_t read_phase;
        uint16_t writer;
        uint16_t write_syncs;
        uint16_t reader;
        uint16_t read_meetings;
        uint8_t written_bytes;
        uint8_t write_bytes;  // of the last write
        uint8_t read_bytes;   // that all noted reads have in common
        bool atomic_write;
        bool several_lanes;   // of the reader's warp have read
        bool several_warps;
    };

    struct Region {
        uintptr_t begin = 0;
        size_t bytes = 0;
        const char* name = "";
        std::vector<Word> words;
    };

    bool check_shared(Region& region, uintptr_t address, size_t bytes, AccessKind kind, const void* code);
    void check_word(Region& region, size_t word, uint8_t mask, AccessKind kind, const void* code);
    bool is_block_index(uintptr_t address) const;
    bool is_allocated(uintptr_t address, size_t bytes);
    [[noreturn]] void fail_race(Region& region, size_t word, AccessKind kind, const char* other_did, unsigned other,
                                const void* code);
    [[noreturn]] void fail_bounds(uintptr_t address, size_t bytes, AccessKind kind, const void* code);

    Block& block_;
    Region dynamic_;
    Region static_;
    uint32_t first_phase_ = 0;
    uint32_t last_phase_ = 0;
    Allocation recent_[4] = {};
    unsigned next_recent_ = 0;
};

// The source line of an address in the code of this library, if a tool that knows is there.
std::string source_line(const void* code);

}  // namespace sapwood::emulator
