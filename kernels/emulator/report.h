// What went wrong in kernels: one line, kept for whoever asks and written to standard error.
#pragma once

#include <string>

namespace sapwood::emulator {

class Block;

void report(const std::string& line);
const char* last_report();

std::string base_name(const std::string& path);

// Called before a block runs; the checked build starts its bookkeeping there.
void begin_checks(Block& block);

}  // namespace sapwood::emulator
