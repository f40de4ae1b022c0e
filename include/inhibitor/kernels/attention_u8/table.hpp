// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention_u8/order.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// The u8 kernels of one instruction set as plain function pointers: what the attention level calls, so that it can be
/// compiled once for all instruction sets.
struct u8_table {
  const char* isa;
  std::uint32_t (*largest_magnitude)(const float_rows& rows, index_t size);
  void (*pack_keys)(std::uint8_t* packed, const float_rows& rows, index_t head_size, float inverse_step);
  void (*pack_signed_values)(std::uint8_t* packed, std::uint8_t* bound, const float_rows& rows, index_t value_size,
                             float inverse_step);
  void (*pack_unsigned_values)(std::uint8_t* packed, std::uint8_t* bound, const float_rows& rows, index_t value_size,
                               float inverse_step);
  void (*order_keys)(index_t* order, index_t count, const std::uint8_t* keys, const float_rows& queries,
                     index_t head_size, float inverse_step, std::uint8_t* scratch);
  void (*attention_head)(const u8_head_call& call);
};

/// The table of `Isa`. The calling translation unit must be compiled with its flags.
template <class Isa>
inline constexpr u8_table u8_table_of = {isa_name<Isa>(),           u8_largest_magnitude<Isa>,  u8_pack_keys<Isa>,
                                         u8_pack_values<Isa, true>, u8_pack_values<Isa, false>, u8_order_keys<Isa>,
                                         u8_attention_head<Isa>};

/// Where the attention level gets its table from: compiled here for an instruction set, or chosen at run time
/// (kernels/dispatch/dispatch.hpp).
template <class Isa>
struct u8_tables {
  static const u8_table& get() { return u8_table_of<Isa>; }
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
