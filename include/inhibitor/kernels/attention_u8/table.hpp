// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention_u8/order.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"

// The u8 kernels of one instruction set as plain function pointers: what the attention level calls, so that it is
// compiled once for all instruction sets.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

using boundary::u8_table;

/// The table of `Isa`, for which the calling translation unit must be compiled.
template <class Isa>
inline constexpr u8_table u8_table_of = {u8_largest_magnitude<Isa>,  u8_pack_keys<Isa>,  u8_pack_values<Isa, true>,
                                         u8_pack_values<Isa, false>, u8_order_keys<Isa>, u8_attention_head<Isa>};

/// The table that calls on `Isa` use: compiled here, or chosen at run time.
template <class Isa>
const u8_table& u8_kernels() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_tables().u8;
  } else {
    return u8_table_of<compiled_for<Isa>>;
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
