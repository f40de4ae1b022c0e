// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/dispatch/dispatch.hpp"
#include "inhibitor/kernels/gemm/panels.hpp"

// Row passes and matrix products of one instruction set as plain function pointers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// The table of `Isa`, for which the calling translation unit must be compiled.
template <class Isa, class T>
inline constexpr boundary::inference_table<T> inference_table_of = {
    activate_rows<Isa, T>, bias_activate_rows<Isa, T>, residual_norm_rows<Isa, T>, embed_norm_rows<Isa, T>,
    panel_width<Isa, T>,   pack_panels<Isa, T>,        multiply_panels<Isa, T>,
};

/// The table that calls on `Isa` use: compiled here, or chosen at run time.
template <class Isa, class T>
const boundary::inference_table<T>& inference_kernels() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    if constexpr (std::is_same_v<T, float>) {
      return active_tables().floats->inference_f32;
    } else {
      return active_tables().floats->inference_f64;
    }
  } else {
    return inference_table_of<compiled_for<Isa>, T>;
  }
}

/// Name of the instruction set that calls on `Isa` use.
template <class Isa>
const char* inference_isa() {
  if constexpr (std::is_same_v<Isa, isa::run_time>) {
    return active_isa();
  } else {
    return isa_name<Isa>();
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
