// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/dispatch/dispatch.hpp"
#include "inhibitor/kernels/gemm_s8/multiply.hpp"

// Products in bytes of one instruction set as plain function pointers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

using boundary::s8_table;

/// The table of `Isa`, for which the calling translation unit must be compiled.
template <class Isa>
inline constexpr s8_table s8_table_of = {
    s8_row_bytes<Isa>,          s8_group* s8_strip_groups<Isa>, s8_quantize_rows<Isa>,
    s8_multiply<Isa, s8_plain>, s8_multiply<Isa, s8_gelu>,      s8_multiply<Isa, s8_residual>,
};

/// The table that calls on `Isa` use: compiled here, or chosen at run time.
template <class Isa>
const s8_table& s8_kernels() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_tables().s8;
  } else {
    return s8_table_of<compiled_for<Isa>>;
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
