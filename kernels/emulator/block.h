// Runs the threads of a block, as fibers of the calling thread.
//
// A thread that never waits costs one call: the fiber that ran it goes on with the next thread on the same stack. Only a
// thread that waits keeps its stack. Warps run in a random order, and so do the lanes of a warp; the order follows from
// the seed and the block alone, not from the core that runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "launch.h"
#include "shared_memory.h"
#include "stacks.h"
#include "warp.h"

namespace sapwood::emulator {

class Accesses;

constexpr unsigned kLanes = 32;
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kMaxWarps = kMaxThreads / kLanes;

class Block : public BlockView {
public:
    Block();

    // Runs one block of the launch; a failure is noted there.
    void run(Launch& launch, uint64_t number);

    // What the running thread of the block calls.
    int barrier(BarrierKind kind, int predicate, Site site);
    uint64_t exchange(WarpKind kind, unsigned mask, uint64_t value, unsigned operand, unsigned width, Site site);
    void all_gather(const void* mine, void* all, unsigned bytes, Site site);
    unsigned active_lanes() const;
    [[noreturn]] void fail(CUresult error, const std::string& what);

    // Kernel, block and thread, for reports.
    std::string where() const;

    unsigned current_thread() const {
        return current_;
    }
    const Launch& launch() const {
        return *launch_;
    }
    SharedMemory& shared() {
        return shared_;
    }
    // How often the block has passed a barrier.
    uint32_t barriers_passed() const {
        return barriers_passed_;
    }
    // How often lanes of the warp have passed __syncwarp, which orders their accesses to memory.
    uint16_t warp_syncs(unsigned warp) const {
        return warps_[warp].syncs;
    }
    // How often they have met at any operation of the warp, after which none of them is still before it.
    uint16_t warp_meetings(unsigned warp) const {
        return warps_[warp].meetings;
    }
    // The account that the checked build keeps of the block's accesses.
    std::shared_ptr<Accesses> accesses;

private:
    // What the lanes of a warp wait for. Values of the lanes lie side by side: the last lane to arrive reads them all.
    struct Warp {
        uint32_t ready;    // lanes that can go on
        uint32_t waiting;  // lanes at a warp operation
        uint32_t exited;
        uint16_t syncs;
        uint16_t meetings;
        uint8_t position;  // in the order of its lanes
        const uint8_t* order;
        uint32_t mask[kLanes];
        WarpKind kind[kLanes];
        uint32_t operand[kLanes];
        uint32_t width[kLanes];
        uint64_t value[kLanes];
        uint64_t result[kLanes];
        Site site[kLanes];
    };

    static void fiber_entry();
    void run_threads();
    void begin_round();
    void prepare_orders(uint64_t seed);
    int next();
    void suspend();
    void start_on_new_stack(int thread, void** save);
    void set_thread(Fiber* fiber, unsigned thread);
    [[noreturn]] void leave_block();
    bool arrive(Warp& warp, unsigned lane, unsigned mask);
    void complete(Warp& warp, unsigned mask, WarpKind kind);
    uint64_t random();
    std::string describe_deadlock() const;
    std::string thread_ranges(const std::vector<unsigned>& threads_listed) const;

    Launch* launch_ = nullptr;
    Stacks stacks_;
    SharedMemory shared_;
    void* main_ = nullptr;
    void* abandoned_ = nullptr;

    unsigned count_ = 0;  // threads of the block
    unsigned warp_count_ = 0;
    unsigned current_ = 0;
    unsigned exited_ = 0;
    unsigned cursor_ = 0;  // in the order of the warps
    bool one_row_ = true;

    unsigned at_barrier_ = 0;
    uint32_t barriers_passed_ = 0;
    BarrierKind barrier_kind_ = BarrierKind::kPlain;
    Site barrier_site_;
    unsigned predicates_ = 0;
    int barrier_result_ = 0;

    uint64_t random_state_ = 0;
    uint64_t orders_seed_ = 0;
    bool orders_ready_ = false;
    uint8_t warp_order_[kMaxWarps];
    static constexpr unsigned kLaneOrders = 64;
    uint8_t lane_orders_[kLaneOrders][kLanes];

    void* context_[kMaxThreads];  // null for a thread that has not started
    Warp warps_[kMaxWarps];
};

// The order of fibers follows from it.
uint64_t seed();
void set_seed(uint64_t seed);

}  // namespace sapwood::emulator
