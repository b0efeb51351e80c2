// The shared memory of the block that a thread of the operating system runs: the static arrays, which are the
// thread-local variables of this library, and the dynamic buffer. Real shared memory starts with what another block left
// there; here each block finds NaN.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sapwood::emulator {

struct Kernel;

// A NaN as float and as double, and as an integer far out of every array.
constexpr uint32_t kPoison = 0x7ff97ff9u;
constexpr size_t kMaxDynamicShared = 232448;

void poison(void* begin, size_t bytes);

class SharedMemory {
public:
    SharedMemory();
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    ~SharedMemory();

    // Before a block of the kernel runs on the calling thread.
    void begin_block(Kernel& kernel, unsigned dynamic_bytes);
    // After it.
    void end_block(Kernel& kernel);

    unsigned char* dynamic() const {
        return dynamic_;
    }
    unsigned dynamic_bytes() const {
        return dynamic_bytes_;
    }
    unsigned char* static_begin() const {
        return static_begin_;
    }
    size_t static_bytes() const {
        return static_bytes_;
    }

private:
    unsigned char* dynamic_;
    unsigned dynamic_bytes_ = 0;
    unsigned char* static_begin_ = nullptr;
    size_t static_bytes_ = 0;
    bool watching_ = false;
};

}  // namespace sapwood::emulator
