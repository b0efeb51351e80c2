// Tests of the emulator through the driver's calls, as JCuda makes them. Prints one line per test, "ok NAME" or
// "FAILED NAME: why", and exits with 1 if one failed. Reports of planted mistakes go to standard error.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using Address = unsigned long long;

extern "C" {
void sapwood_emulator_set_seed(unsigned long long seed);
void sapwood_emulator_set_fault(const char* fault);
const char* sapwood_emulator_last_report();

int cuInit(unsigned flags);
int cuDriverGetVersion(int* version);
int cuDeviceGetCount(int* count);
int cuDeviceGetName(char* name, int length, int device);
int cuDevicePrimaryCtxRetain(void** context, int device);
int cuCtxSetCurrent(void* context);
int cuCtxSynchronize();
int cuModuleLoadData(void** module, const void* image);
int cuModuleGetFunction(void** function, void* module, const char* name);
int cuFuncSetAttribute(void* function, int attribute, int value);
int cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream, void** parameters,
                   void** extra);
int cuMemAlloc_v2(Address* address, size_t bytes);
int cuMemFree_v2(Address address);
int cuMemGetInfo_v2(size_t* free, size_t* total);
int cuMemcpyHtoD_v2(Address target, const void* source, size_t bytes);
int cuMemcpyDtoH_v2(void* target, Address source, size_t bytes);
int cuMemsetD32_v2(Address target, unsigned value, size_t count);
int cuMemsetD32Async(Address target, unsigned value, size_t count, void* stream);
int cuStreamCreate(void** stream, unsigned flags);
int cuStreamSynchronize(void* stream);
int cuStreamBeginCapture_v2(void* stream, int mode);
int cuStreamEndCapture(void* stream, void** graph);
int cuStreamIsCapturing(void* stream, int* status);
int cuGraphGetNodes(void* graph, void** nodes, size_t* count);
int cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long flags);
int cuGraphDestroy(void* graph);
int cuGraphLaunch(void* exec, void* stream);
}

namespace {

constexpr int kSeeds = 20;

void expect(bool condition, const std::string& what) {
    if (!condition) {
        throw std::runtime_error(what);
    }
}

void check(int result, const char* call) {
    expect(result == 0, std::string(call) + " answered " + std::to_string(result));
}

void expect_result(int expected, int result, const std::string& what) {
    expect(result == expected,
           what + ": answered " + std::to_string(result) + ", expected " + std::to_string(expected));
}

void expect_report(const std::vector<std::string>& words) {
    const std::string report = sapwood_emulator_last_report();
    for (const std::string& word : words) {
        expect(report.find(word) != std::string::npos, "the report lacks '" + word + "': " + report);
    }
}

template <class T>
class Array {
public:
    explicit Array(size_t count) : count_(count) {
        check(cuMemAlloc_v2(&address, count * sizeof(T)), "cuMemAlloc");
    }
    explicit Array(const std::vector<T>& values) : Array(values.size()) {
        check(cuMemcpyHtoD_v2(address, values.data(), count_ * sizeof(T)), "cuMemcpyHtoD");
    }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;
    ~Array() {
        cuMemFree_v2(address);
    }

    std::vector<T> read() const {
        std::vector<T> values(count_);
        check(cuMemcpyDtoH_v2(values.data(), address, count_ * sizeof(T)), "cuMemcpyDtoH");
        return values;
    }

    Address address = 0;

private:
    size_t count_;
};

struct Geometry {
    unsigned grid_x = 1;
    unsigned grid_y = 1;
    unsigned block_x = 96;
    unsigned block_y = 1;
    unsigned shared_bytes = 0;
    void* stream = nullptr;
};

void* find(const char* family, const char* name) {
    void* module = nullptr;
    check(cuModuleLoadData(&module, (std::string("sapwood-emulator:") + family).c_str()), "cuModuleLoadData");
    void* function = nullptr;
    check(cuModuleGetFunction(&function, module, name), "cuModuleGetFunction");
    return function;
}

template <class... Arguments>
int launch(const char* family, const char* name, const Geometry& geometry, Arguments... arguments) {
    void* parameters[] = {&arguments...};
    return cuLaunchKernel(find(family, name), geometry.grid_x, geometry.grid_y, 1, geometry.block_x, geometry.block_y,
                          1, geometry.shared_bytes, geometry.stream, parameters, nullptr);
}

// Launches a kernel of planted_bugs.cu with its flag.
using Planted = std::function<int(int bug)>;

// The mistake is found and named; without it, nothing is found under any seed.
void expect_found(const Planted& planted, int result, const std::vector<std::string>& words) {
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        const int sound = planted(0);
        expect(sound == 0, "the sound twin fails under seed " + std::to_string(seed) + ": "
                               + sapwood_emulator_last_report());
    }
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        expect_result(result, planted(1), "the mistake under seed " + std::to_string(seed));
        expect_report(words);
    }
}

std::vector<float> ramp(size_t count) {
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) {
        values[i] = static_cast<float>(i % 31);
    }
    return values;
}

Planted on_two_arrays(const char* name) {
    return [name](int bug) {
        const Array<float> in(ramp(200));
        const Array<float> out(200);
        return launch("planted_bugs", name, {}, in.address, out.address, 200, bug);
    };
}

Planted on_out(const char* name, unsigned shared_bytes = 0) {
    return [name, shared_bytes](int bug) {
        const Array<float> out(64);
        return launch("planted_bugs", name, {.shared_bytes = shared_bytes}, out.address, bug);
    };
}

struct Test {
    const char* name;
    std::function<void()> run;
};

void sound_kernels_agree() {
    std::set<std::vector<float>> sums;
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        const Array<float> in(ramp(7 * 1000));
        const Array<float> out(7);
        check(launch("sound_kernels", "sound_block_sum", {.grid_x = 7, .block_x = 256}, in.address, out.address, 1000),
              "sound_block_sum");
        const std::vector<float> values = out.read();
        for (int row = 0; row < 7; ++row) {
            float expected = 0;
            for (int i = 0; i < 1000; ++i) {
                expected += static_cast<float>((row * 1000 + i) % 31);
            }
            expect(values[row] == expected, "row " + std::to_string(row) + " sums to " + std::to_string(values[row]));
        }
        sums.insert(values);
    }
    expect(sums.size() == 1, "the sum depends on the order of threads");
}

// Streams of several threads launch side by side.
void threads_launch_side_by_side() {
    constexpr int kThreads = 4;
    std::string failures[kThreads];
    std::vector<std::thread> threads;
    for (int number = 0; number < kThreads; ++number) {
        threads.emplace_back([number, &failures] {
            try {
                const unsigned rows = 16 + number;
                const Array<float> in(std::vector<float>(rows * 100, static_cast<float>(number)));
                const Array<float> out(rows);
                for (int round = 0; round < 50; ++round) {
                    check(launch("sound_kernels", "sound_block_sum", {.grid_x = rows, .block_x = 64}, in.address,
                                 out.address, 100),
                          "sound_block_sum");
                    expect(out.read() == std::vector<float>(rows, 100.0f * static_cast<float>(number)), "a wrong sum");
                    check(cuMemsetD32_v2(out.address, 0, rows), "cuMemsetD32");
                }
            } catch (const std::exception& failure) {
                failures[number] = failure.what();
            }
        });
    }
    for (int number = 0; number < kThreads; ++number) {
        threads[number].join();
        expect(failures[number].empty(), failures[number]);
    }
}

void transposes() {
    const int rows = 45;
    const int columns = 70;
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        std::vector<float> values(rows * columns);
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(i);
        }
        const Array<float> in(values);
        const Array<float> out(values.size());
        check(launch("sound_kernels", "sound_transpose", {.grid_x = 3, .grid_y = 2, .block_x = 32, .block_y = 8},
                     in.address, out.address, rows, columns),
              "sound_transpose");
        const std::vector<float> transposed = out.read();
        for (int row = 0; row < rows; ++row) {
            for (int column = 0; column < columns; ++column) {
                expect(transposed[column * rows + row] == values[row * columns + column], "a wrong element");
            }
        }
    }
}

void warp_operations() {
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        const Array<int> out(96);
        check(launch("sound_kernels", "sound_warp_operations", {}, out.address), "sound_warp_operations");
        for (const int wrong : out.read()) {
            expect(wrong == 0, std::to_string(wrong) + " operations are wrong");
        }
    }
}

void histogram() {
    for (int seed = 0; seed < kSeeds; ++seed) {
        sapwood_emulator_set_seed(seed);
        std::vector<int> values(5000);
        std::vector<unsigned> expected(16);
        for (size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<int>(i * i % 16);
            ++expected[values[i]];
        }
        const Array<int> in(values);
        const Array<unsigned> counts(std::vector<unsigned>(16));
        check(launch("sound_kernels", "sound_histogram", {.grid_x = 40, .block_x = 128}, in.address, counts.address,
                     5000),
              "sound_histogram");
        expect(counts.read() == expected, "wrong counts");
    }
}

void halves() {
    const Array<unsigned short> out(96);
    check(launch("sound_kernels", "sound_halves", {.shared_bytes = 192}, out.address), "sound_halves");
    expect(out.read()[0] == 96, "wrong value");
}

std::vector<unsigned> order(int seed) {
    sapwood_emulator_set_seed(seed);
    const Array<unsigned> next(std::vector<unsigned>(1));
    const Array<unsigned> out(96);
    check(launch("sound_kernels", "order_of_threads", {}, next.address, out.address), "order_of_threads");
    return out.read();
}

void seeds_decide_the_order() {
    std::set<std::vector<unsigned>> orders;
    for (int seed = 0; seed < kSeeds; ++seed) {
        orders.insert(order(seed));
        expect(order(seed) == order(seed), "the same seed gives two orders");
    }
    expect(orders.size() > kSeeds / 2, "seeds give the same order");
}

void memory_is_poisoned() {
    const Array<unsigned> fresh(96);
    const Array<unsigned> out(96);
    check(launch("sound_kernels", "copies_bits", {}, fresh.address, out.address), "copies_bits");
    for (const unsigned bits : out.read()) {
        float value;
        std::memcpy(&value, &bits, sizeof(value));
        expect(value != value, "fresh memory is not NaN");
    }
}

struct Rows {
    Address first;
    long long stride;
    int samples_per_row;
    int accumulate;
};

void arguments_arrive() {
    const Array<double> out(1);
    check(launch("sound_kernels", "sums_arguments", {}, out.address, 1, 20LL, 300.5f, 4000.25, Rows{0, 7, 50, 1}),
          "sums_arguments");
    expect(out.read()[0] == 1 + 20 + 300.5 + 4000.25 + 7 + 50 + 1, "wrong sum of the arguments");
}

void host_pointer() {
    const std::vector<float> host(8);
    const Array<float> out(1);
    const auto pointer = reinterpret_cast<Address>(host.data());
    expect_result(700, launch("planted_bugs", "reads_one", {}, pointer, out.address), "a host pointer");
    expect_report({"reads_one", "host memory"});
    expect_result(700, launch("planted_bugs", "reads_one", {}, Address{0}, out.address), "a null pointer");
    expect_report({"null pointer"});
    Address stale;
    {
        const Array<float> gone(8);
        stale = gone.address;
    }
    expect_result(700, launch("planted_bugs", "reads_one", {}, stale, out.address), "freed memory");
}

void copies_are_checked() {
    const Array<float> array(8);
    float host[9] = {};
    expect_result(1, cuMemcpyHtoD_v2(array.address, host, sizeof(host)), "a copy past the end");
    expect_result(1, cuMemcpyDtoH_v2(host, reinterpret_cast<Address>(host), 4), "a copy from the host as device");
    expect_result(1, cuMemcpyHtoD_v2(array.address, reinterpret_cast<void*>(array.address), 4), "a device pointer as host");
    expect_result(1, cuMemFree_v2(array.address + 4), "freeing what was not allocated");
}

void launches_are_checked() {
    const Array<float> out(64);
    expect_result(1, launch("planted_bugs", "bug_two_barriers", {.block_x = 1056}, out.address, 0), "1056 threads");
    expect_result(1, launch("planted_bugs", "bug_two_barriers", {.grid_y = 65536}, out.address, 0), "65536 rows");
    expect_result(1, launch("planted_bugs", "bug_beyond_dynamic_shared", {.shared_bytes = 50000}, out.address, 0),
                  "more shared memory than asked for");
    expect_result(1, cuFuncSetAttribute(find("planted_bugs", "bug_two_shuffles"), 8, 232449), "too much shared memory");
    check(cuFuncSetAttribute(find("planted_bugs", "bug_beyond_dynamic_shared"), 8, 232448), "cuFuncSetAttribute");
    expect_result(0, launch("planted_bugs", "bug_beyond_dynamic_shared", {.shared_bytes = 50000}, out.address, 0),
                  "shared memory that was asked for");
}

void graphs_replay() {
    void* stream = nullptr;
    check(cuStreamCreate(&stream, 1), "cuStreamCreate");
    const Array<double> out(std::vector<double>(1));
    check(cuStreamBeginCapture_v2(stream, 0), "cuStreamBeginCapture");
    check(cuMemsetD32Async(out.address, 0, 2, stream), "cuMemsetD32Async");
    check(launch("sound_kernels", "sums_arguments", {.stream = stream}, out.address, 1, 0LL, 0.0f, 0.0,
                 Rows{0, 0, 0, 0}),
          "a captured launch");
    void* graph = nullptr;
    check(cuStreamEndCapture(stream, &graph), "cuStreamEndCapture");
    expect(out.read()[0] == 0, "a captured launch ran");
    size_t nodes = 0;
    check(cuGraphGetNodes(graph, nullptr, &nodes), "cuGraphGetNodes");
    expect(nodes == 2, std::to_string(nodes) + " nodes");
    void* exec = nullptr;
    check(cuGraphInstantiateWithFlags(&exec, graph, 0), "cuGraphInstantiate");
    check(cuGraphDestroy(graph), "cuGraphDestroy");
    for (int round = 0; round < 3; ++round) {
        check(cuMemsetD32_v2(out.address, 0x7fffffffu, 2), "cuMemsetD32");
        check(cuGraphLaunch(exec, stream), "cuGraphLaunch");
        expect(out.read()[0] == 1, "the graph did not run");
    }
}

void capture_refuses_waiting() {
    void* stream = nullptr;
    check(cuStreamCreate(&stream, 1), "cuStreamCreate");
    const Array<float> array(8);
    float host[8] = {};
    const std::vector<std::function<int()>> calls = {
        [stream] { return cuStreamSynchronize(stream); },
        [] { return cuCtxSynchronize(); },
        [&array, &host] { return cuMemcpyHtoD_v2(array.address, host, sizeof(host)); },
        [&array] { return cuMemsetD32_v2(array.address, 0, 8); },
        [&array] { return cuMemFree_v2(array.address); },
        [] {
            Address address = 0;
            return cuMemAlloc_v2(&address, 4);
        },
    };
    for (const auto& call : calls) {
        check(cuStreamBeginCapture_v2(stream, 0), "cuStreamBeginCapture");
        expect_result(900, call(), "a call that waits");
        int status = 0;
        check(cuStreamIsCapturing(stream, &status), "cuStreamIsCapturing");
        expect(status == 2, "the capture is still valid");
        expect_result(901, cuMemsetD32Async(array.address, 0, 8, stream), "work for an invalid capture");
        void* graph = nullptr;
        expect_result(901, cuStreamEndCapture(stream, &graph), "the end of an invalid capture");
        expect(graph == nullptr, "an invalid capture gave a graph");
        check(cuStreamSynchronize(stream), "cuStreamSynchronize");
    }
}

void relaxed_capture_takes_memory() {
    void* stream = nullptr;
    check(cuStreamCreate(&stream, 1), "cuStreamCreate");
    check(cuStreamBeginCapture_v2(stream, 2), "cuStreamBeginCapture");
    Address address = 0;
    check(cuMemAlloc_v2(&address, 4), "cuMemAlloc");
    void* graph = nullptr;
    check(cuStreamEndCapture(stream, &graph), "cuStreamEndCapture");
    check(cuMemFree_v2(address), "cuMemFree");
}

void faults_on_demand() {
    int number = 0;
    void* object = nullptr;
    sapwood_emulator_set_fault("no-device");
    check(cuDeviceGetCount(&number), "cuDeviceGetCount");
    expect(number == 0, "a device in spite of the fault");
    sapwood_emulator_set_fault("old-driver");
    check(cuDriverGetVersion(&number), "cuDriverGetVersion");
    expect(number == 11000, "a new driver in spite of the fault");
    sapwood_emulator_set_fault("no-binary");
    expect_result(209, cuModuleLoadData(&object, "sapwood-emulator:planted_bugs"), "no-binary");
    sapwood_emulator_set_fault(nullptr);
    void* module = nullptr;
    check(cuModuleLoadData(&module, "sapwood-emulator:planted_bugs"), "cuModuleLoadData");
    sapwood_emulator_set_fault("missing-kernel:reads_one");
    expect_result(500, cuModuleGetFunction(&object, module, "reads_one"), "missing-kernel");
    check(cuModuleGetFunction(&object, module, "bug_two_barriers"), "another kernel");
    sapwood_emulator_set_fault("launch-failure:bug_two_barriers");
    const Array<float> out(64);
    expect_result(719, launch("planted_bugs", "bug_two_barriers", {}, out.address, 0), "launch-failure");
    sapwood_emulator_set_fault("launch-failure:reads_one@2");
    const Array<float> in(1);
    check(launch("planted_bugs", "reads_one", {}, in.address, out.address), "the first launch");
    expect_result(719, launch("planted_bugs", "reads_one", {}, in.address, out.address), "the second launch");
    sapwood_emulator_set_fault("out-of-memory:65536");
    Address address = 0;
    expect_result(2, cuMemAlloc_v2(&address, 65537), "more than there is");
    size_t free = 0;
    size_t total = 0;
    check(cuMemGetInfo_v2(&free, &total), "cuMemGetInfo");
    expect(total == 65536 && free < total, "the wrong amount of memory");
    sapwood_emulator_set_fault("");
    check(cuMemAlloc_v2(&address, 65537), "cuMemAlloc");
    check(cuMemFree_v2(address), "cuMemFree");
}

void images_are_told_apart() {
    const unsigned char fatbin[] = {0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0};
    void* module = nullptr;
    expect_result(209, cuModuleLoadData(&module, fatbin), "a fatbin");
    expect_result(209, cuModuleLoadData(&module, "sapwood-emulator:no_such_family"), "an unknown family");
    check(cuModuleLoadData(&module, "sapwood-emulator:planted_bugs"), "cuModuleLoadData");
    void* function = nullptr;
    expect_result(500, cuModuleGetFunction(&function, module, "sound_halves"), "a kernel of another family");
    char name[64];
    check(cuDeviceGetName(name, sizeof(name), 0), "cuDeviceGetName");
    expect(std::strcmp(name, "Sapwood emulator") == 0, name);
}

const std::vector<Test>& tests() {
    static const std::vector<Test> all = {
        {"finds an out-of-bounds read",
         [] {
             expect_found(on_two_arrays("bug_out_of_bounds_read"), 700,
                          {"bug_out_of_bounds_read", "out-of-bounds read of 4 bytes", "thread (7, 0, 0)",
                           "0 bytes past the end of the allocation of 800 bytes"});
         }},
        {"finds an out-of-bounds write",
         [] {
             expect_found(on_two_arrays("bug_out_of_bounds_write"), 700,
                          {"bug_out_of_bounds_write", "out-of-bounds write of 4 bytes", "thread (0, 0, 0)",
                           "4 bytes before the allocation of 800 bytes"});
         }},
        {"finds an index beyond its row",
         [] { expect_found(on_out("bug_index_beyond_row"), 700, {"bug_index_beyond_row", "out-of-bounds index 8"}); }},
        {"finds an access beyond dynamic shared memory",
         [] {
             expect_found(on_out("bug_beyond_dynamic_shared", 256), 700,
                          {"bug_beyond_dynamic_shared", "byte 256 of dynamic shared memory"});
         }},
        {"finds a read of uninitialised shared memory",
         [] {
             expect_found(on_out("bug_uninitialised_shared"), 719,
                          {"bug_uninitialised_shared", "read of uninitialised shared memory", "thread (58, 0, 0)"});
         }},
        {"finds a divergent barrier",
         [] {
             expect_found(on_out("bug_divergent_barrier"), 719,
                          {"bug_divergent_barrier", "divergent barrier", "threads 48-95 returned",
                           "threads 0-47 at __syncthreads (planted_bugs.cu:"});
         }},
        {"finds two barriers taken for one",
         [] { expect_found(on_out("bug_two_barriers"), 719, {"bug_two_barriers", "divergent barrier"}); }},
        {"finds a missing lane",
         [] {
             expect_found(on_out("bug_missing_lane"), 719,
                          {"bug_missing_lane", "missing lanes", "threads 0-6, 8-31 at __shfl_xor_sync",
                           "for lanes 0xffffffff"});
         }},
        {"finds lanes at different operations",
         [] { expect_found(on_out("bug_two_shuffles"), 719, {"bug_two_shuffles", "divergent warp"}); }},
        {"finds a misaligned vector access",
         [] {
             expect_found(
                 [](int bug) {
                     const Array<float> in(ramp(64));
                     const Array<float> out(64);
                     return launch("planted_bugs", "bug_misaligned_vector", {}, in.address, out.address, bug);
                 },
                 716, {"bug_misaligned_vector", "misaligned access", "needs a multiple of 16"});
         }},
        {"finds a race between warps",
         [] { expect_found(on_out("bug_race_between_warps"), 719, {"bug_race_between_warps", "race in shared memory"}); }},
        {"finds a race between rounds",
         [] { expect_found(on_out("bug_race_of_rounds"), 719, {"bug_race_of_rounds", "race in shared memory"}); }},
        {"finds a race within a warp",
         [] { expect_found(on_out("bug_race_within_warp"), 719, {"bug_race_within_warp", "race in shared memory"}); }},
        {"finds pointers that are not on the device", host_pointer},
        {"sums in a block under every order", sound_kernels_agree},
        {"runs launches of several threads", threads_launch_side_by_side},
        {"transposes through shared memory", transposes},
        {"exchanges values within a warp", warp_operations},
        {"counts with atomics", histogram},
        {"tells halves of a word apart", halves},
        {"follows the seed", seeds_decide_the_order},
        {"poisons fresh memory", memory_is_poisoned},
        {"passes arguments of every kind", arguments_arrive},
        {"checks copies", copies_are_checked},
        {"checks launches", launches_are_checked},
        {"replays graphs", graphs_replay},
        {"refuses to wait during capture", capture_refuses_waiting},
        {"takes memory during a relaxed capture", relaxed_capture_takes_memory},
        {"has faults on demand", faults_on_demand},
        {"tells images apart", images_are_told_apart},
    };
    return all;
}

}  // namespace

int main() {
    void* context = nullptr;
    check(cuInit(0), "cuInit");
    check(cuDevicePrimaryCtxRetain(&context, 0), "cuDevicePrimaryCtxRetain");
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    int failures = 0;
    for (const Test& test : tests()) {
        try {
            test.run();
            std::printf("ok %s\n", test.name);
        } catch (const std::exception& failure) {
            std::printf("FAILED %s: %s\n", test.name, failure.what());
            sapwood_emulator_set_fault("");
            ++failures;
        }
        std::fflush(stdout);
    }
    return failures == 0 ? 0 : 1;
}
