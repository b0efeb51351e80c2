#include "faults.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>

namespace sapwood::emulator {

namespace {

struct State {
    std::mutex mutex;
    std::string fault;
    std::atomic<bool> any{false};
    uint64_t launches = 0;  // of the kernel that will fail

    State() {
        if (const char* text = std::getenv("SAPWOOD_EMULATOR_FAULT")) {
            fault = text;
            any = !fault.empty();
        }
    }
};

State& state() {
    static auto* const instance = new State;
    return *instance;
}

}  // namespace

bool has_fault(const std::string& kind) {
    if (!state().any.load(std::memory_order_relaxed)) {
        return false;
    }
    const std::lock_guard lock(state().mutex);
    return state().fault == kind;
}

bool has_fault(const std::string& kind, const std::string& name) {
    return state().any.load(std::memory_order_relaxed) && has_fault(kind + ":" + name);
}

std::optional<size_t> fault_memory() {
    static const std::string prefix = "out-of-memory:";
    if (!state().any.load(std::memory_order_relaxed)) {
        return std::nullopt;
    }
    const std::lock_guard lock(state().mutex);
    if (state().fault.compare(0, prefix.size(), prefix) != 0) {
        return std::nullopt;
    }
    return std::strtoull(state().fault.c_str() + prefix.size(), nullptr, 10);
}

bool launch_fails(const std::string& kernel) {
    static const std::string prefix = "launch-failure:";
    if (!state().any.load(std::memory_order_relaxed)) {
        return false;
    }
    const std::lock_guard lock(state().mutex);
    const std::string& fault = state().fault;
    const size_t at = std::min(fault.find('@'), fault.size());
    if (fault.substr(0, at) != prefix + kernel) {
        return false;
    }
    const uint64_t first = at == fault.size() ? 1 : std::strtoull(fault.c_str() + at + 1, nullptr, 10);
    return ++state().launches >= first;
}

void set_fault(const std::string& fault) {
    const std::lock_guard lock(state().mutex);
    state().fault = fault;
    state().launches = 0;
    state().any = !fault.empty();
}

}  // namespace sapwood::emulator
