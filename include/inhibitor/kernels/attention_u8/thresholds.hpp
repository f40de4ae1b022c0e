// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "inhibitor/kernels/attention_u8/layout.hpp"
#include "inhibitor/simd/ops.hpp"

// From the 16-bit distances of a row to its thresholds, in integers alone (rule: layout.hpp). With T the distance at
// which z leaves 0, that is the row mean (or 0) less the worth of the shift parameter,
//
//   z = floor(a (d - T)),  0 below T,  255 above the range          a = multiplier * 2^shift / 2^16
//
// The half that turns floor into rounding is part of T. A negative T (z positive at every distance) becomes `raise`.
// Where a is so small that raising saturates 16 bits before z reaches 255, the whole steps go to `base`.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Below this multiplier (a < 1/256) z may need more than 65535 units of raise.
inline constexpr std::int64_t u8_flat_multiplier = 256;

/// Sum of the first n distances. `Small`: all are below 2^15, as those of 128 features are.
template <class Isa, bool Small>
inline std::int64_t u8_distance_sum(const std::uint16_t* distances, index_t n) {
  using ops = byte_ops<Isa>;
  using u16 = typename ops::u16;
  using u32 = typename ops::u32;
  constexpr index_t lanes_u16 = ops::width / 2;
  // A 32-bit lane grows by 2 * 65535 per register.
  constexpr index_t registers = 32768;
  std::int64_t total = 0;
  index_t j = 0;
  while (j + lanes_u16 <= n) {
    const index_t end = n - j < registers * lanes_u16 ? n : j + registers * lanes_u16;
    u32 sum(0U);
    for (; j + lanes_u16 <= end; j += lanes_u16) {
      const u16 x = u16::load_unaligned(distances + j);
      sum = Small ? ops::add_small_pairs(sum, x) : ops::add_pairs(sum, x);
    }
    total += static_cast<std::int64_t>(ops::sum_of_lanes(sum));
  }
  for (; j < n; ++j) total += distances[j];
  return total;
}

/// The rule of a row whose mean distance is sum / count, rounded to the nearest integer; count 0: no mean is
/// subtracted.
template <class Isa>
inline u8_row_threshold u8_row_rule(const u8_threshold_rule& rule, std::int64_t sum, std::int64_t count) {
  u8_row_threshold row;
  if (rule.multiplier == 0) {
    row.base = static_cast<std::uint16_t>(rule.constant);
    return row;
  }
  const std::int64_t mean = count == 0 ? 0 : (2 * sum + count) / (2 * count);
  const std::int64_t start = (rule.flip == 0 ? mean : 65535 - mean) - rule.offset;
  if (start >= 0) {
    row.lower = static_cast<std::uint16_t>(start < 65535 ? start : 65535);
  } else if (rule.multiplier < u8_flat_multiplier && rule.shift == 0) {
    const std::int64_t scaled = -start * rule.multiplier;
    const std::int64_t steps = scaled >> 16;
    row.base = static_cast<std::uint16_t>(steps < 255 ? steps : 255);
    row.raise = static_cast<std::uint16_t>((scaled & 0xffff) / rule.multiplier);
  } else {
    row.raise = static_cast<std::uint16_t>(-start < 65535 ? -start : 65535);
  }
  return row;
}

namespace detail {

/// `Plain`: flip, limit, shift, raise and base do nothing, which is the usual case and half the instructions.
template <class Isa, bool Plain>
inline void u8_apply_rule(std::uint8_t* row_bytes, index_t n, const u8_threshold_rule& rule,
                          const u8_row_threshold& row) {
  using ops = byte_ops<Isa>;
  using u16 = typename ops::u16;
  constexpr index_t lanes_u16 = ops::width / 2;
  const u16 raise(row.raise), lower(row.lower), base(row.base);
  const u16 flip(rule.flip), limit(rule.limit), multiplier(rule.multiplier);
  for (index_t j = 0; j < n; j += lanes_u16) {
    u16 x = u16::load_unaligned(reinterpret_cast<const std::uint16_t*>(row_bytes) + j);
    if (!Plain) x = ops::add_saturated(x ^ flip, raise);
    x = ops::subtract_saturated(x, lower);
    if (!Plain) x = min(x, limit) << rule.shift;
    x = ops::multiply_high(x, multiplier);
    if (!Plain) x = ops::add_saturated(x, base);
    ops::store_saturated(row_bytes + j, x);
  }
}

}  // namespace detail

/// Turns a row of distances into thresholds, in place: row_bytes holds 2 * padded bytes, distances before, the first
/// `padded` bytes thresholds after. Keys from `visible` on are fully inhibited.
template <class Isa>
inline void u8_thresholds(std::uint8_t* row_bytes, index_t visible, index_t padded, const u8_threshold_rule& rule,
                          const u8_row_threshold& row) {
  const bool plain = rule.flip == 0 && rule.limit == 0xffff && rule.shift == 0 && row.base == 0 && row.raise == 0;
  if (plain) {
    detail::u8_apply_rule<Isa, true>(row_bytes, visible, rule, row);
  } else {
    detail::u8_apply_rule<Isa, false>(row_bytes, visible, rule, row);
  }
  if (visible < padded) std::memset(row_bytes + visible, 255, static_cast<std::size_t>(padded - visible));
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
