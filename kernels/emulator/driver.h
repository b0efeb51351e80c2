// What the files with the driver's calls share: handles, streams that capture, and how a call is exported.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "launch.h"
#include "result.h"

#define SAPWOOD_EXPORT extern "C" __attribute__((visibility("default")))

namespace sapwood::emulator {

using CUdevice = int;
using CUdeviceptr = unsigned long long;

struct Module {
    std::string family;
};

// A launch, as recorded: the arguments are copied, as the real driver does.
struct LaunchNode {
    Kernel* kernel;
    dim3 grid;
    dim3 block;
    unsigned shared_bytes;
    std::vector<uint64_t> storage;
    std::vector<void*> arguments;  // into the storage
};

struct CopyNode {
    void* target;
    const void* source;
    size_t bytes;
};

struct FillNode {
    CUdeviceptr target;
    unsigned value;
    unsigned width;  // bytes of an element
    size_t count;
};

using Node = std::variant<LaunchNode, CopyNode, FillNode>;

struct Graph {
    std::vector<std::unique_ptr<const Node>> nodes;
};

// The work of an instantiated graph outlives the graph.
struct GraphExec {
    std::vector<Node> nodes;
};

struct Stream;

// A capture under way. Streams that wait for an event of a capturing stream join it.
struct Capture {
    std::unique_ptr<Graph> graph = std::make_unique<Graph>();
    Stream* origin = nullptr;
    int mode = 0;
    std::thread::id thread;
    bool invalidated = false;
};

struct Stream {
    bool non_blocking = false;
    std::shared_ptr<Capture> capture;
};

struct Event {
    std::shared_ptr<Capture> capture;  // where it was recorded last, if in a capture
    int64_t nanoseconds = 0;
    bool recorded = false;
};

// The stream of a handle; the handles 0, 1 and 2 are the driver's own streams.
Stream& stream_of(Stream* handle);

// Whether the stream captures. If so, *refusal tells whether work may be added.
bool is_capturing(Stream& stream, CUresult* refusal);

// CUDA_SUCCESS, or the refusal of a call that may wait for the device while some stream captures; such a call ends the
// captures that it disturbs.
CUresult refuse_if_capturing();
// The same for work on the legacy stream, which other streams wait for.
CUresult refuse_on_legacy_stream(const Stream& stream);

// Runs it now or adds it to the stream's capture.
CUresult submit(Stream* handle, Node&& node);
CUresult execute(const Node& node);

bool is_initialized();

}  // namespace sapwood::emulator
