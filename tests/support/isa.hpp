// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/isa.hpp"

namespace inhibitor {
namespace test {

/// The instruction set of a test program: given by the build for programs that are built once per instruction set
/// (cmake/IsaVariants.cmake), else that of the compiler flags.
using tested_isa = best_isa;

}  // namespace test
}  // namespace inhibitor
