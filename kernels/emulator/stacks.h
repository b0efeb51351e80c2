// The stacks that fibers run on. A page that cannot be touched lies below each, so that a kernel with too many locals
// stops where it overflows. Stacks are never returned to the system: they are reused.
#pragma once

#include <cstddef>
#include <vector>

#include "fiber.h"

namespace sapwood::emulator {

class Stacks {
public:
    Stacks() = default;
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    Fiber* take() {
        if (free_.empty()) {
            grow();
        }
        Fiber* fiber = free_.back();
        free_.pop_back();
        return fiber;
    }

    void give_back(Fiber* fiber) {
        free_.push_back(fiber);
    }

    // Takes back every stack, whatever runs on it.
    void reset() {
        if (free_.size() != all_.size()) {
            free_ = all_;
        }
    }

    // Whether the address lies in the stack of a fiber, of whichever block. May be asked from a signal handler.
    static bool contain(uintptr_t address);

private:
    void grow();

    std::vector<Fiber*> all_;
    std::vector<Fiber*> free_;
};

}  // namespace sapwood::emulator
