// A kernel that touches a page which is not there fails its launch, as on a GPU, instead of ending the process.
#pragma once

namespace sapwood::emulator {

void install_fault_handler();

}  // namespace sapwood::emulator
