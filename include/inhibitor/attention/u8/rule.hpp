// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "inhibitor/kernels/dispatch/boundary.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// The integer rule from byte distances to byte thresholds of a head (kernels/dispatch/boundary.hpp) for
///
///   Z = max(score_scale / sqrt(D) * step_key * (d - mean d) + shift, 0),   z = round(Z / step_value)
///
/// The slope a = |score_scale| / sqrt(D) * step_key / step_value is held in 16 bits: as a * 2^16 below 1, as a * 2^8
/// from 1 on (256 units of distance then reach every threshold). `offset` is taken from the slope as held, so that
/// rounding the slope does not move the shift. Expressions are products or sums, never a sum of products that a
/// compiler could fuse: the rule has the same bits everywhere.
inline kernels::u8_threshold_rule u8_rule_of(float score_scale, float shift, index_t head_size, float step_key,
                                             float step_value) {
  kernels::u8_threshold_rule rule = kernels::u8_no_threshold();
  if (step_value == 0.0F) {  // all values are 0, so any threshold will do
    rule.constant = 255;
    return rule;
  }
  const double size = std::sqrt(static_cast<double>(head_size));
  const double slope = std::fabs(static_cast<double>(score_scale)) / size * static_cast<double>(step_key) /
                       static_cast<double>(step_value);
  const double start = static_cast<double>(shift) / static_cast<double>(step_value) + 0.5;
  const bool steep = slope >= 1.0;
  const double unit = steep ? 256.0 : 65536.0;
  rule.multiplier = static_cast<std::uint16_t>(std::fmin(std::nearbyint(slope * unit), 65535.0));
  if (rule.multiplier == 0) {
    rule.constant = static_cast<std::int64_t>(std::fmin(std::fmax(std::floor(start), 0.0), 255.0));
    return rule;
  }
  if (steep) {
    rule.shift = 8;
    rule.limit = 255;
  }
  if (score_scale < 0.0F) rule.flip = 0xffff;
  const double furthest = 1e12;  // beyond every distance, and its product with a multiplier still fits 64 bits
  const double offset = start / (static_cast<double>(rule.multiplier) / unit);
  rule.offset = static_cast<std::int64_t>(std::nearbyint(std::fmin(std::fmax(offset, -furthest), furthest)));
  return rule;
}

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
