// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/dispatch/variant.hpp"

// For a translation unit of its own, compiled with the flags of one instruction set: INHIBITOR_INSTANTIATE(avx2)
// defines the kernels that kernels/dispatch/dispatch.hpp chooses from. Such a unit includes nothing above kernels/: every
// function in it is a template on the instruction set or always inlined, so none can replace a namesake of the rest of
// the program.

#define INHIBITOR_INSTANTIATE(name)         \
  namespace inhibitor {                     \
  namespace kernels {                       \
  template <>                               \
  const u8_table& u8_variant<isa::name>() { \
    return u8_table_of<isa::name>;          \
  }                                         \
  }                                         \
  }
