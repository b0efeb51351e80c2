// One launch of a kernel over a grid of blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "registry.h"
#include "result.h"
#include "vectors.h"

namespace sapwood::emulator {

// What the driver knows of a kernel.
struct Kernel {
    KernelCode code;
    std::string family;
    std::atomic<int> max_dynamic_shared{48 << 10};

    // Where, in a thread's share of the static shared memory, this kernel was seen to write.
    std::mutex shared_mutex;
    std::atomic<unsigned> blocks_watched{0};
    std::atomic<size_t> shared_begin{SIZE_MAX};
    std::atomic<size_t> shared_end{0};
};

struct Launch {
    Kernel* kernel;
    dim3 grid;
    dim3 block;
    unsigned shared_bytes;
    void** arguments;

    std::atomic<uint64_t> next_block{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    CUresult result = CUDA_SUCCESS;

    uint64_t blocks() const {
        return static_cast<uint64_t>(grid.x) * grid.y * grid.z;
    }

    // Ends the launch with an error. The first report stands.
    void fail(CUresult error, const std::string& report);
};

// Runs all blocks and returns when they have ended; CUDA_SUCCESS or the error of the first block that failed.
CUresult run(Launch& launch);

// The kernel of that name in a family, or null.
Kernel* find_kernel(const std::string& family, const std::string& name);

// Whether a kernel file of that name is in this library.
bool has_family(const std::string& family);

}  // namespace sapwood::emulator
