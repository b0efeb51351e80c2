#include "block.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "context_switch.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

Block& running_block() {
    return *static_cast<Block*>(fiber().block);
}

const char* name_of(BarrierKind kind) {
    switch (kind) {
        case BarrierKind::kPlain: return "__syncthreads";
        case BarrierKind::kOr: return "__syncthreads_or";
        case BarrierKind::kAnd: return "__syncthreads_and";
        case BarrierKind::kCount: return "__syncthreads_count";
    }
    return "?";
}

const char* name_of(WarpKind kind) {
    switch (kind) {
        case WarpKind::kSync: return "__syncwarp";
        case WarpKind::kIndexed: return "__shfl_sync";
        case WarpKind::kUp: return "__shfl_up_sync";
        case WarpKind::kDown: return "__shfl_down_sync";
        case WarpKind::kXor: return "__shfl_xor_sync";
        case WarpKind::kBallot: return "__ballot_sync";
        case WarpKind::kAny: return "__any_sync";
        case WarpKind::kAll: return "__all_sync";
        case WarpKind::kGather: return "an instruction of the whole warp";
    }
    return "?";
}

std::string text(const Site& site) {
    return base_name(site.file_name()) + ":" + std::to_string(site.line());
}

bool same(const Site& a, const Site& b) {
    return a.line() == b.line() && a.column() == b.column();
}

uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

}  // namespace

int block_barrier(BarrierKind kind, int predicate, Site site) {
    return running_block().barrier(kind, predicate, site);
}

uint64_t warp_exchange(WarpKind kind, unsigned mask, uint64_t value, unsigned operand, unsigned width, Site site) {
    return running_block().exchange(kind, mask, value, operand, width, site);
}

void warp_all_gather(const void* mine, void* all, unsigned bytes, Site site) {
    running_block().all_gather(mine, all, bytes, site);
}

unsigned warp_active_lanes() {
    return running_block().active_lanes();
}

Block::Block() = default;

uint64_t Block::random() {
    random_state_ += 0x9e3779b97f4a7c15u;
    return mix(random_state_);
}

// Orders of the 32 lanes to choose from; shuffling anew each time would cost more than the threads that run in it.
void Block::prepare_orders(uint64_t seed) {
    random_state_ = mix(seed);
    for (auto& order : lane_orders_) {
        std::iota(order, order + kLanes, uint8_t{0});
        for (unsigned i = kLanes - 1; i > 0; --i) {
            std::swap(order[i], order[random() % (i + 1)]);
        }
    }
    orders_seed_ = seed;
    orders_ready_ = true;
}

void Block::begin_round() {
    for (unsigned i = warp_count_ - 1; i > 0; --i) {
        std::swap(warp_order_[i], warp_order_[random() % (i + 1)]);
    }
    for (unsigned i = 0; i < warp_count_; ++i) {
        Warp& warp = warps_[i];
        warp.ready = i + 1 < warp_count_ || count_ % kLanes == 0 ? ~0u : (1u << count_ % kLanes) - 1;
        warp.position = 0;
        warp.order = lane_orders_[random() % kLaneOrders];
    }
    cursor_ = 0;
}

void Block::run(Launch& launch, uint64_t number) {
    if (!orders_ready_ || orders_seed_ != seed()) {
        prepare_orders(seed());
    }
    launch_ = &launch;
    grid = launch.grid;
    threads = launch.block;
    index = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
             static_cast<unsigned>(number / grid.x / grid.y)};
    one_row_ = threads.y == 1 && threads.z == 1;
    count_ = threads.x * threads.y * threads.z;
    warp_count_ = (count_ + kLanes - 1) / kLanes;
    random_state_ = mix(orders_seed_ ^ mix(number + 1));
    exited_ = 0;
    at_barrier_ = 0;
    barriers_passed_ = 0;
    predicates_ = 0;
    std::iota(warp_order_, warp_order_ + warp_count_, uint8_t{0});
    std::memset(context_, 0, count_ * sizeof(context_[0]));
    for (unsigned i = 0; i < warp_count_; ++i) {
        warps_[i].waiting = 0;
        warps_[i].exited = 0;
        warps_[i].syncs = 0;
        warps_[i].meetings = 0;
    }
    begin_round();
    shared_.begin_block(*launch.kernel, launch.shared_bytes);
    dynamic_shared = shared_.dynamic();
    begin_checks(*this);

    start_on_new_stack(next(), &main_);

    if (exited_ != count_ && !launch.failed.load(std::memory_order_relaxed)) {
        launch.fail(CUDA_ERROR_LAUNCH_FAILED, where() + ": " + describe_deadlock());
    }
    shared_.end_block(*launch.kernel);
    stacks_.reset();
}

void Block::set_thread(Fiber* fiber, unsigned thread) {
    fiber->thread = thread;
    fiber->thread_index = one_row_ ? uint3{thread, 0, 0}
                                   : uint3{thread % threads.x, thread / threads.x % threads.y,
                                           thread / threads.x / threads.y};
    current_ = thread;
}

void Block::start_on_new_stack(int thread, void** save) {
    Fiber* fiber = stacks_.take();
    fiber->block = this;
    set_thread(fiber, static_cast<unsigned>(thread));
    sapwood_switch_context(save, new_context(reinterpret_cast<char*>(fiber), &Block::fiber_entry));
}

void Block::fiber_entry() {
    running_block().run_threads();
}

// Runs threads on the calling fiber's stack for as long as there are some that have not started.
void Block::run_threads() {
    Fiber* const own = fiber_at(stack_pointer());
    for (;;) {
        launch_->kernel->code.run(launch_->arguments);
        warps_[current_ / kLanes].exited |= 1u << current_ % kLanes;
        ++exited_;
        const int thread = next();
        if (thread < 0) {
            leave_block();
        }
        if (context_[thread] == nullptr) {
            set_thread(own, static_cast<unsigned>(thread));
            continue;
        }
        // Nobody takes this stack before the switch away from it.
        stacks_.give_back(own);
        current_ = static_cast<unsigned>(thread);
        sapwood_switch_context(&abandoned_, context_[thread]);
    }
}

void Block::leave_block() {
    sapwood_switch_context(&abandoned_, main_);
    __builtin_unreachable();
}

// The next thread that can go on, or -1 if all wait or have returned. A warp goes on until none of its lanes can.
int Block::next() {
    for (; cursor_ < warp_count_; ++cursor_) {
        const unsigned number = warp_order_[cursor_];
        Warp& warp = warps_[number];
        if (warp.ready == 0) {
            continue;
        }
        unsigned position = warp.position;
        while ((warp.ready >> warp.order[position] & 1) == 0) {
            position = (position + 1) % kLanes;
        }
        const unsigned lane = warp.order[position];
        warp.position = static_cast<uint8_t>((position + 1) % kLanes);
        warp.ready &= ~(1u << lane);
        return static_cast<int>(number * kLanes + lane);
    }
    return -1;
}

// Leaves the running thread until it is ready and its turn comes.
void Block::suspend() {
    const unsigned self = current_;
    const int thread = next();
    if (thread == static_cast<int>(self)) {
        return;
    }
    if (thread < 0) {
        sapwood_switch_context(&context_[self], main_);
    } else if (context_[thread] == nullptr) {
        start_on_new_stack(thread, &context_[self]);
    } else {
        current_ = static_cast<unsigned>(thread);
        sapwood_switch_context(&context_[self], context_[thread]);
    }
}

int Block::barrier(BarrierKind kind, int predicate, Site site) {
    if (at_barrier_ == 0) {
        barrier_kind_ = kind;
        barrier_site_ = site;
    } else if (kind != barrier_kind_ || !same(site, barrier_site_)) {
        fail(CUDA_ERROR_LAUNCH_FAILED,
             std::string("divergent barrier: this thread is at ") + name_of(kind) + " (" + text(site) + "), "
                 + std::to_string(at_barrier_) + " others wait at " + name_of(barrier_kind_) + " ("
                 + text(barrier_site_) + ")");
    }
    predicates_ += predicate != 0;
    if (++at_barrier_ == count_) {
        barrier_result_ = kind == BarrierKind::kOr    ? predicates_ != 0
                          : kind == BarrierKind::kAnd ? predicates_ == count_
                                                      : static_cast<int>(predicates_);
        at_barrier_ = 0;
        predicates_ = 0;
        ++barriers_passed_;
        begin_round();
    }
    suspend();
    // It stands until the next barrier opens, and that one waits for this thread.
    return barrier_result_;
}

bool Block::arrive(Warp& warp, unsigned lane, unsigned mask) {
    warp.waiting |= 1u << lane;
    if ((warp.waiting & mask) != mask) {
        return false;
    }
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        const auto other = static_cast<unsigned>(__builtin_ctz(rest));
        if (warp.mask[other] != mask) {
            return false;  // it waits for others; if they never come, nobody goes on
        }
        if (warp.kind[other] != warp.kind[lane] || !same(warp.site[other], warp.site[lane])) {
            fail(CUDA_ERROR_LAUNCH_FAILED,
                 std::string("divergent warp: this thread is at ") + name_of(warp.kind[lane]) + " ("
                     + text(warp.site[lane]) + "), lane " + std::to_string(other) + " of its warp is at "
                     + name_of(warp.kind[other]) + " (" + text(warp.site[other]) + ")");
        }
    }
    ++warp.meetings;
    warp.waiting &= ~mask;
    warp.ready |= mask & ~(1u << lane);
    return true;
}

uint64_t Block::exchange(WarpKind kind, unsigned mask, uint64_t value, unsigned operand, unsigned width, Site site) {
    Warp& warp = warps_[current_ / kLanes];
    const unsigned lane = current_ % kLanes;
    if ((mask >> lane & 1) == 0) {
        fail(CUDA_ERROR_LAUNCH_FAILED, std::string("this thread calls ") + name_of(kind) + " (" + text(site)
                                           + ") with a mask that does not name its own lane");
    }
    warp.mask[lane] = mask;
    warp.kind[lane] = kind;
    warp.value[lane] = value;
    warp.operand[lane] = operand;
    warp.width[lane] = width;
    warp.site[lane] = site;
    if (arrive(warp, lane, mask)) {
        complete(warp, mask, kind);
    } else {
        suspend();
    }
    return warp.result[lane];
}

// The last lane to arrive computes what each lane gets.
void Block::complete(Warp& warp, unsigned mask, WarpKind kind) {
    if (kind == WarpKind::kSync) {
        ++warp.syncs;
        return;
    }
    if (kind == WarpKind::kBallot || kind == WarpKind::kAny || kind == WarpKind::kAll) {
        unsigned votes = 0;
        for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
            const auto lane = static_cast<unsigned>(__builtin_ctz(rest));
            votes |= static_cast<unsigned>(warp.value[lane]) << lane;
        }
        const uint64_t result = kind == WarpKind::kBallot ? votes
                                : kind == WarpKind::kAny  ? votes != 0
                                                          : votes == mask;
        for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
            warp.result[__builtin_ctz(rest)] = result;
        }
        return;
    }
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
        const auto lane = static_cast<unsigned>(__builtin_ctz(rest));
        const unsigned width = warp.width[lane];
        const unsigned operand = warp.operand[lane];
        const unsigned first = lane & ~(width - 1);
        const unsigned end = first + width;
        unsigned source = lane;
        switch (kind) {
            case WarpKind::kIndexed: source = first + (operand & (width - 1)); break;
            case WarpKind::kUp: source = lane >= first + operand ? lane - operand : lane; break;
            case WarpKind::kDown: source = operand < end - lane ? lane + operand : lane; break;
            case WarpKind::kXor: source = (lane ^ operand) < end ? lane ^ operand : lane; break;
            default: break;
        }
        // The value of a lane that the mask does not name is undefined on a GPU.
        warp.result[lane] = (mask >> source & 1) != 0 ? warp.value[source]
                                                      : static_cast<uint64_t>(kPoison) << 32 | kPoison;
    }
}

void Block::all_gather(const void* mine, void* all, unsigned bytes, Site site) {
    Warp& warp = warps_[current_ / kLanes];
    const unsigned lane = current_ % kLanes;
    warp.mask[lane] = ~0u;
    warp.kind[lane] = WarpKind::kGather;
    warp.value[lane] = reinterpret_cast<uint64_t>(mine);
    warp.result[lane] = reinterpret_cast<uint64_t>(all);
    warp.site[lane] = site;
    if (!arrive(warp, lane, ~0u)) {
        suspend();
        return;
    }
    auto* const first = static_cast<unsigned char*>(all);
    for (unsigned other = 0; other < kLanes; ++other) {
        std::memcpy(first + other * bytes, reinterpret_cast<const void*>(warp.value[other]), bytes);
    }
    for (unsigned other = 0; other < kLanes; ++other) {
        if (other != lane) {
            std::memcpy(reinterpret_cast<void*>(warp.result[other]), first, kLanes * bytes);
        }
    }
}

unsigned Block::active_lanes() const {
    const unsigned warp = current_ / kLanes;
    const unsigned present =
        warp + 1 < warp_count_ || count_ % kLanes == 0 ? ~0u : (1u << count_ % kLanes) - 1;
    return present & ~warps_[warp].exited;
}

std::string Block::where() const {
    return "kernel " + std::string(launch_->kernel->code.name) + ", block (" + std::to_string(index.x) + ", "
           + std::to_string(index.y) + ", " + std::to_string(index.z) + ")";
}

void Block::fail(CUresult error, const std::string& what) {
    const Fiber& self = fiber();
    launch_->fail(error, where() + ", thread (" + std::to_string(self.thread_index.x) + ", "
                             + std::to_string(self.thread_index.y) + ", " + std::to_string(self.thread_index.z)
                             + "): " + what);
    // The other fibers are abandoned where they stand: kernels own nothing that must be given back.
    leave_block();
}

std::string Block::thread_ranges(const std::vector<unsigned>& listed) const {
    std::string ranges = listed.size() == 1 ? "thread " : "threads ";
    for (size_t i = 0; i < listed.size();) {
        size_t last = i;
        while (last + 1 < listed.size() && listed[last + 1] == listed[last] + 1) {
            ++last;
        }
        ranges += (i > 0 ? ", " : "") + std::to_string(listed[i]);
        if (last > i) {
            ranges += "-" + std::to_string(listed[last]);
        }
        i = last + 1;
    }
    return ranges;
}

std::string Block::describe_deadlock() const {
    std::map<std::string, std::vector<unsigned>> groups;
    bool warp_operation = false;
    for (unsigned thread = 0; thread < count_; ++thread) {
        const Warp& warp = warps_[thread / kLanes];
        const unsigned lane = thread % kLanes;
        std::string state;
        if ((warp.exited >> lane & 1) != 0) {
            state = "returned";
        } else if ((warp.waiting >> lane & 1) != 0) {
            char mask[16];
            std::snprintf(mask, sizeof(mask), "0x%08x", warp.mask[lane]);
            state = std::string("at ") + name_of(warp.kind[lane]) + " (" + text(warp.site[lane]) + ") for lanes " + mask;
            warp_operation = true;
        } else {
            state = std::string("at ") + name_of(barrier_kind_) + " (" + text(barrier_site_) + ")";
        }
        groups[state].push_back(thread);
    }
    std::string report = warp_operation ? "missing lanes: not all lanes named by a warp operation reach it: "
                                        : "divergent barrier: not all threads of the block reach it: ";
    bool first = true;
    for (const auto& [state, listed] : groups) {
        report += (first ? "" : "; ") + thread_ranges(listed) + " " + state;
        first = false;
    }
    return report;
}

}  // namespace sapwood::emulator
