// The calls that g++ inserts with -fsanitize=alignment,bounds where an address is not a multiple of what its type needs,
// or an index is outside its array: a row of a shared tile, for example, whose neighbour would hide the mistake.
#include <cstdint>
#include <string>

#include "block.h"
#include "fiber.h"
#include "report.h"

namespace sapwood::emulator {

namespace {

// As g++ lays them out.
struct SourceLocation {
    const char* file;
    uint32_t line;
    uint32_t column;
};

struct TypeDescriptor {
    uint16_t kind;
    uint16_t info;
    char name[1];
};

struct TypeMismatch {
    SourceLocation location;
    const TypeDescriptor* type;
    unsigned char log_alignment;
    unsigned char kind;
};

struct OutOfBounds {
    SourceLocation location;
    const TypeDescriptor* array_type;
    const TypeDescriptor* index_type;
};

std::string text(const SourceLocation& location) {
    return " (" + base_name(location.file) + ":" + std::to_string(location.line) + ")";
}

Block& running_block() {
    return *static_cast<Block*>(fiber().block);
}

}  // namespace

extern "C" void __ubsan_handle_type_mismatch_v1(TypeMismatch* mismatch, uintptr_t address) {
    const uintptr_t alignment = uintptr_t{1} << mismatch->log_alignment;
    running_block().fail(CUDA_ERROR_MISALIGNED_ADDRESS,
                         "misaligned access: the address ends in 0x" + std::string(1, "0123456789abcdef"[address & 15])
                             + ", but " + mismatch->type->name + " needs a multiple of " + std::to_string(alignment)
                             + text(mismatch->location));
}

extern "C" void __ubsan_handle_out_of_bounds(OutOfBounds* bounds, uintptr_t index) {
    running_block().fail(CUDA_ERROR_ILLEGAL_ADDRESS, "out-of-bounds index " + std::to_string(static_cast<int64_t>(index))
                                                         + " of " + bounds->array_type->name + text(bounds->location));
}

}  // namespace sapwood::emulator
