// Faults on demand: what goes wrong on other people's machines, for tests of the answers to it. One at a time, through
// sapwood_emulator_set_fault() or the variable SAPWOOD_EMULATOR_FAULT:
//   no-device             there is no device
//   no-binary             the device cannot run any module
//   missing-kernel:NAME   the module lacks a kernel
//   out-of-memory:BYTES   the device has no more memory than that
//   old-driver            the driver is for CUDA 11.0
//   launch-failure:NAME   each launch of a kernel fails; with @N behind NAME, from the N-th on, counted from 1
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace sapwood::emulator {

bool has_fault(const std::string& kind);
bool has_fault(const std::string& kind, const std::string& name);
bool launch_fails(const std::string& kernel);
std::optional<size_t> fault_memory();
void set_fault(const std::string& fault);

}  // namespace sapwood::emulator
