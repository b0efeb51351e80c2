// Driver calls about streams, events and graphs. All work is done when its call returns, so only capture needs thought: it
// records instead, and refuses what a GPU's driver refuses, because that mistake should not wait for a GPU to be seen.
#include <algorithm>
#include <chrono>

#include "driver.h"

namespace sapwood::emulator {

CUresult execute_launch(const LaunchNode& node);
CUresult execute_copy(const CopyNode& node);
CUresult execute_fill(const FillNode& node);

namespace {

// Guards captures and which stream belongs to which.
std::mutex mutex;
std::vector<std::shared_ptr<Capture>> captures;
std::atomic<size_t> capture_count{0};

Stream legacy_stream;

bool any_capture() {
    return capture_count.load(std::memory_order_acquire) > 0;
}

// Whether a call on this thread that may wait for the device disturbs the capture.
bool disturbs(const Capture& capture) {
    return capture.mode == 0 || (capture.mode == 1 && capture.thread == std::this_thread::get_id());
}

CUresult refuse(Capture& capture) {
    capture.invalidated = true;
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

int64_t now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Stream& stream_of(Stream* handle) {
    return reinterpret_cast<uintptr_t>(handle) <= 2 ? legacy_stream : *handle;
}

bool is_capturing(Stream& stream, CUresult* refusal) {
    *refusal = CUDA_SUCCESS;
    if (!any_capture() || stream.capture == nullptr) {
        return false;
    }
    if (stream.capture->invalidated) {
        *refusal = CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    return true;
}

CUresult refuse_if_capturing() {
    CUresult result = CUDA_SUCCESS;
    if (any_capture()) {
        const std::lock_guard lock(mutex);
        for (const auto& capture : captures) {
            if (disturbs(*capture)) {
                result = refuse(*capture);
            }
        }
    }
    return result;
}

CUresult refuse_on_legacy_stream(const Stream& stream) {
    CUresult result = CUDA_SUCCESS;
    if (any_capture() && &stream == &legacy_stream) {
        const std::lock_guard lock(mutex);
        for (const auto& capture : captures) {
            if (!capture->origin->non_blocking) {
                capture->invalidated = true;
                result = CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
            }
        }
    }
    return result;
}

CUresult execute(const Node& node) {
    if (const auto* launch = std::get_if<LaunchNode>(&node)) {
        return execute_launch(*launch);
    }
    if (const auto* copy = std::get_if<CopyNode>(&node)) {
        return execute_copy(*copy);
    }
    return execute_fill(std::get<FillNode>(node));
}

CUresult submit(Stream* handle, Node&& node) {
    Stream& stream = stream_of(handle);
    CUresult refusal;
    if (!is_capturing(stream, &refusal)) {
        refusal = refuse_on_legacy_stream(stream);
        return refusal != CUDA_SUCCESS ? refusal : execute(node);
    }
    if (refusal == CUDA_SUCCESS) {
        const std::lock_guard lock(mutex);
        stream.capture->graph->nodes.push_back(std::make_unique<const Node>(std::move(node)));
    }
    return refusal;
}

SAPWOOD_EXPORT CUresult cuStreamCreate(Stream** stream, unsigned flags) {
    if (!is_initialized()) {
        return CUDA_ERROR_NOT_INITIALIZED;
    }
    if (flags > 1) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    *stream = new Stream{flags == 1, nullptr};
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamCreateWithPriority(Stream** stream, unsigned flags, int) {
    return cuStreamCreate(stream, flags);
}

SAPWOOD_EXPORT CUresult cuStreamDestroy_v2(Stream* stream) {
    if (reinterpret_cast<uintptr_t>(stream) <= 2) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    {
        // A capture that began here cannot end any more.
        const std::lock_guard lock(mutex);
        std::erase_if(captures, [stream](const auto& capture) { return capture->origin == stream; });
        capture_count = captures.size();
    }
    delete stream;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamSynchronize(Stream* handle) {
    CUresult refusal;
    if (is_capturing(stream_of(handle), &refusal)) {
        return refusal != CUDA_SUCCESS ? refusal : refuse(*stream_of(handle).capture);
    }
    return refuse_on_legacy_stream(stream_of(handle));
}

SAPWOOD_EXPORT CUresult cuStreamQuery(Stream* handle) {
    return cuStreamSynchronize(handle);
}

SAPWOOD_EXPORT CUresult cuStreamWaitEvent(Stream* handle, Event* event, unsigned) {
    if (event == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    const std::lock_guard lock(mutex);
    if (event->capture != nullptr && stream_of(handle).capture == nullptr) {
        stream_of(handle).capture = event->capture;
    }
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamGetFlags(Stream* handle, unsigned* flags) {
    *flags = stream_of(handle).non_blocking ? 1 : 0;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamGetPriority(Stream*, int* priority) {
    *priority = 0;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamBeginCapture_v2(Stream* handle, int mode) {
    Stream& stream = stream_of(handle);
    if (&stream == &legacy_stream) {
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    }
    if (mode < 0 || mode > 2) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    const std::lock_guard lock(mutex);
    if (stream.capture != nullptr) {
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    auto capture = std::make_shared<Capture>();
    capture->origin = &stream;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    stream.capture = capture;
    captures.push_back(std::move(capture));
    capture_count = captures.size();
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamEndCapture(Stream* handle, Graph** graph) {
    *graph = nullptr;
    const std::lock_guard lock(mutex);
    Stream& stream = stream_of(handle);
    const std::shared_ptr<Capture> capture = stream.capture;
    if (capture == nullptr) {
        return CUDA_ERROR_ILLEGAL_STATE;
    }
    if (capture->origin != &stream) {
        capture->invalidated = true;
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    }
    if (capture->mode != 2 && capture->thread != std::this_thread::get_id()) {
        return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    }
    stream.capture = nullptr;
    captures.erase(std::find(captures.begin(), captures.end(), capture));
    capture_count = captures.size();
    if (capture->invalidated) {
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    }
    *graph = capture->graph.release();
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuStreamIsCapturing(Stream* handle, int* status) {
    const std::lock_guard lock(mutex);
    const Stream& stream = stream_of(handle);
    *status = stream.capture == nullptr ? 0 : stream.capture->invalidated ? 2 : 1;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphCreate(Graph** graph, unsigned) {
    *graph = new Graph;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphDestroy(Graph* graph) {
    delete graph;
    return CUDA_SUCCESS;
}

// With a null array, only their number.
SAPWOOD_EXPORT CUresult cuGraphGetNodes(const Graph* graph, const Node** nodes, size_t* count) {
    if (graph == nullptr || count == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (nodes != nullptr) {
        for (size_t i = 0; i < *count; ++i) {
            nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
        }
    }
    *count = nodes == nullptr ? graph->nodes.size() : std::min(*count, graph->nodes.size());
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphNodeGetType(const Node* node, int* type) {
    *type = static_cast<int>(node->index());  // kernel, copy, fill: as the driver numbers them
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphInstantiateWithFlags(GraphExec** exec, const Graph* graph, unsigned long long) {
    if (graph == nullptr) {
        return CUDA_ERROR_INVALID_VALUE;
    }
    auto instance = std::make_unique<GraphExec>();
    instance->nodes.reserve(graph->nodes.size());
    for (const auto& node : graph->nodes) {
        instance->nodes.push_back(*node);
        if (auto* launch = std::get_if<LaunchNode>(&instance->nodes.back())) {
            // The copied pointers lead into the storage of the original.
            const uint64_t* original = std::get<LaunchNode>(*node).storage.data();
            for (void*& argument : launch->arguments) {
                argument = launch->storage.data() + (static_cast<uint64_t*>(argument) - original);
            }
        }
    }
    *exec = instance.release();
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphUpload(GraphExec*, Stream*) {
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuGraphLaunch(const GraphExec* exec, Stream* handle) {
    if (exec == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    CUresult result;
    if (is_capturing(stream_of(handle), &result)) {
        return result != CUDA_SUCCESS ? result : CUDA_ERROR_NOT_SUPPORTED;
    }
    result = refuse_on_legacy_stream(stream_of(handle));
    for (size_t i = 0; i < exec->nodes.size() && result == CUDA_SUCCESS; ++i) {
        result = execute(exec->nodes[i]);
    }
    return result;
}

SAPWOOD_EXPORT CUresult cuGraphExecDestroy(GraphExec* exec) {
    delete exec;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuEventCreate(Event** event, unsigned) {
    *event = new Event;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuEventDestroy_v2(Event* event) {
    delete event;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuEventRecord(Event* event, Stream* handle) {
    if (event == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    CUresult refusal;
    const bool capturing = is_capturing(stream_of(handle), &refusal);
    const std::lock_guard lock(mutex);
    event->capture = capturing ? stream_of(handle).capture : nullptr;
    event->nanoseconds = now();
    event->recorded = true;
    return refusal;
}

SAPWOOD_EXPORT CUresult cuEventRecordWithFlags(Event* event, Stream* handle, unsigned) {
    return cuEventRecord(event, handle);
}

SAPWOOD_EXPORT CUresult cuEventQuery(Event* event) {
    if (event == nullptr) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    const std::lock_guard lock(mutex);
    if (event->capture == nullptr) {
        return CUDA_SUCCESS;
    }
    event->capture->invalidated = true;
    return CUDA_ERROR_CAPTURED_EVENT;
}

SAPWOOD_EXPORT CUresult cuEventSynchronize(Event* event) {
    return cuEventQuery(event);
}

SAPWOOD_EXPORT CUresult cuEventElapsedTime(float* milliseconds, const Event* start, const Event* end) {
    if (start == nullptr || end == nullptr || !start->recorded || !end->recorded) {
        return CUDA_ERROR_INVALID_HANDLE;
    }
    *milliseconds = static_cast<float>(end->nanoseconds - start->nanoseconds) * 1e-6f;
    return CUDA_SUCCESS;
}

SAPWOOD_EXPORT CUresult cuLaunchHostFunc(Stream* handle, void (*function)(void*), void* data) {
    CUresult refusal;
    if (is_capturing(stream_of(handle), &refusal)) {
        return refusal != CUDA_SUCCESS ? refusal : CUDA_ERROR_NOT_SUPPORTED;
    }
    function(data);
    return CUDA_SUCCESS;
}

}  // namespace sapwood::emulator
