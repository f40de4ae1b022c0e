// SPDX-License-Identifier: Apache-2.0
// The core, with kernels that are chosen when the program runs.
#include <inhibitor/kernels/dispatch/dispatch.hpp>
#include <string>

int main() { return inhibitor::active_isa() == std::string("scalar") ? 0 : 1; }
