// Blocks of a launch run on the calling thread and, if there are several, on helpers, one per further core. Launches of
// several streams run side by side; the helpers serve one of them at a time.
#include "launch.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <thread>

#include "block.h"
#include "fault_handler.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

// Waking a helper takes as long as running some hundred threads that do little.
constexpr uint64_t kThreadsWorthHelp = 512;

// A Block holds hundreds of stacks once used, so they are lent and reused.
class Blocks {
public:
    std::unique_ptr<Block> take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            return std::make_unique<Block>();
        }
        std::unique_ptr<Block> block = std::move(free_.back());
        free_.pop_back();
        return block;
    }

    void give_back(std::unique_ptr<Block> block) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(block));
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Block>> free_;
};

// Never destroyed: threads may still run while the process ends.
Blocks& blocks() {
    static auto* const instance = new Blocks;
    return *instance;
}

// Asked once: the answer costs several system calls.
unsigned cores() {
    static const unsigned count = std::max(1u, std::thread::hardware_concurrency());
    return count;
}

void run_share(Launch& launch) {
    std::unique_ptr<Block> block = blocks().take();
    const uint64_t total = launch.blocks();
    const uint64_t chunk = std::max<uint64_t>(1, total / (16 * cores()));
    while (!launch.failed.load(std::memory_order_relaxed)) {
        const uint64_t first = launch.next_block.fetch_add(chunk, std::memory_order_relaxed);
        if (first >= total) {
            break;
        }
        const uint64_t end = std::min(total, first + chunk);
        for (uint64_t number = first; number < end && !launch.failed.load(std::memory_order_relaxed); ++number) {
            block->run(launch, number);
        }
    }
    blocks().give_back(std::move(block));
}

class Helpers {
public:
    // Runs the launch with the helpers' help; false if they serve another one.
    bool run(Launch& launch) {
        {
            const std::lock_guard lock(mutex_);
            if (launch_ != nullptr || active_ > 0) {
                return false;
            }
            while (threads_ + 1 < cores()) {
                ++threads_;
                std::thread([this] { serve(); }).detach();
            }
            if (threads_ == 0) {
                return false;
            }
            launch_ = &launch;
            ++generation_;
        }
        wake_.notify_all();
        run_share(launch);
        std::unique_lock lock(mutex_);
        launch_ = nullptr;  // who wakes late finds nothing
        done_.wait(lock, [this] { return active_ == 0; });
        return true;
    }

private:
    void serve() {
        uint64_t served = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this, served] { return launch_ != nullptr && generation_ != served; });
            served = generation_;
            Launch& launch = *launch_;
            ++active_;
            lock.unlock();
            run_share(launch);
            lock.lock();
            if (--active_ == 0) {
                done_.notify_all();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    Launch* launch_ = nullptr;
    uint64_t generation_ = 0;
    unsigned threads_ = 0;
    unsigned active_ = 0;
};

Helpers& helpers() {
    static auto* const instance = new Helpers;
    return *instance;
}

}  // namespace

CUresult run(Launch& launch) {
    install_fault_handler();
    const uint64_t threads = static_cast<uint64_t>(launch.block.x) * launch.block.y * launch.block.z;
    const uint64_t total = launch.blocks();
    if (total == 1 || total * threads < kThreadsWorthHelp || !helpers().run(launch)) {
        run_share(launch);
    }
    return launch.result;
}

void Launch::fail(CUresult error, const std::string& text) {
    const std::lock_guard lock(mutex);
    if (result == CUDA_SUCCESS) {
        result = error;
        failed.store(true, std::memory_order_relaxed);
        report(text);
    }
}

}  // namespace sapwood::emulator
