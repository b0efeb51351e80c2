// Going from one stack to another.
#pragma once

namespace sapwood::emulator {

using Entry = void (*)();

// A context that calls entry on a fresh stack whose highest usable address is top; entry must not return.
void* new_context(char* top, Entry entry);

// Leaves the running context, to be found in *save, and goes on with another.
extern "C" void sapwood_switch_context(void** save, void* next);

}  // namespace sapwood::emulator
