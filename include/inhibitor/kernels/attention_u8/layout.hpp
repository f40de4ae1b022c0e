// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"

// Packed keys and values of the u8 path. The layout is the same on every instruction set, so packed data may be kept
// and shared; registers of 16, 32 and 64 bytes read it in pieces.
//
// Keys (S, D) as offset-binary bytes, in groups of 32 keys by 8 features:
//
//   group g | features 8f .. 8f+7 | row r of 64 bytes  | 8 bytes: key 32 g + 4 l + r, features 8f .. 8f+7
//           | f = 0 .. D'/8 - 1   | r = 0 .. 3         | l = 0 .. 7
//
// One sum of absolute differences of a 64-bit lane is one key. Joining the sums of the four rows as 16-bit lanes puts
// the keys in their order with shifts alone, whatever the register width.
//
// Values (S, Dv) as magnitude byte and sign byte (+1 or -1), in quads of 4 keys by 16 features:
//
//   quad t | features 16f .. 16f+15 | 64 magnitudes        | 64 signs
//          | f = 0 .. Dv'/16 - 1    | feature-major: 4 bytes of keys 4t .. 4t+3 per feature
//
// A 32-bit lane is one output feature, so four keys are added without crossing lanes. D' and Dv' are D and Dv rounded
// up to 8 and 16; keys are rounded up to a whole group. Padding counts for nothing: features pad with equal bytes in
// queries and keys, keys with values of magnitude 0.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

inline constexpr index_t u8_group_keys = 32;
inline constexpr index_t u8_quad_keys = 4;
/// 255 * 257 = 65535: the distance still fits 16 bits.
inline constexpr index_t u8_max_head_size = 257;

INHIBITOR_INLINE constexpr index_t u8_padded_keys(index_t keys) { return round_up(keys, u8_group_keys); }
INHIBITOR_INLINE constexpr index_t u8_padded_head(index_t head_size) { return round_up(head_size, 8); }
INHIBITOR_INLINE constexpr index_t u8_padded_value(index_t value_size) { return round_up(value_size, 16); }
/// Bytes of the packed keys.
INHIBITOR_INLINE constexpr index_t u8_key_bytes(index_t keys, index_t head_size) {
  return u8_padded_keys(keys) * u8_padded_head(head_size);
}
/// Bytes of the packed values.
INHIBITOR_INLINE constexpr index_t u8_value_bytes(index_t keys, index_t value_size) {
  return u8_padded_keys(keys) * u8_padded_value(value_size) * 2;
}
/// Bytes of the largest magnitudes per key: read in whole registers.
INHIBITOR_INLINE constexpr index_t u8_bound_bytes(index_t keys) { return round_up(keys, 64); }

/// The part of the rule that belongs to a row.
struct u8_row_threshold {
  std::uint16_t raise = 0;
  std::uint16_t lower = 0;
  std::uint16_t base = 0;
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
