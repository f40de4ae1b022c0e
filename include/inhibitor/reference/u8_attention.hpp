// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "inhibitor/base/config.hpp"

// The scalar truth of the u8 path: one head, contiguous row-major arrays, integers as loops. For tests and benchmarks.
//
//   d_ij   = sum_k |q_ik - k_jk|                                             bytes
//   z_ij   = min(255, ((min(x, limit) << shift) * multiplier >> 16) + base)   x = ((d ^ flip) + raise) - lower,
//   saturating acc_ik = sum_j sign_jk max(m_jk - z_ij, 0)
//
// `Rule` has the head's numbers (flip, limit, shift, multiplier, offset, constant), see kernels/attention_u8/layout.hpp.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace reference {

/// Query or key byte of a value.
inline std::uint8_t u8_position(float x, float inverse_step) {
  const float steps = std::nearbyint(std::fmin(std::fmax(x * inverse_step, -128.0F), 127.0F));
  return static_cast<std::uint8_t>(128 + static_cast<int>(steps));
}

/// Magnitude byte of a value; the unsigned form has no negative values.
inline std::uint8_t u8_magnitude(float v, float inverse_step, bool is_signed) {
  const float part = is_signed ? std::fabs(v) : std::fmax(v, 0.0F);
  return static_cast<std::uint8_t>(std::nearbyint(std::fmin(part * inverse_step, 255.0F)));
}

inline std::int64_t u8_clamp(std::int64_t x, std::int64_t low, std::int64_t high) {
  return x < low ? low : (x > high ? high : x);
}

/// Threshold of one key: d its distance, sum / count the mean distance of the row (count 0: none subtracted).
template <class Rule>
std::int64_t u8_threshold(const Rule& rule, std::int64_t d, std::int64_t sum, std::int64_t count) {
  if (rule.multiplier == 0) return rule.constant;
  const std::int64_t mean = count == 0 ? 0 : (2 * sum + count) / (2 * count);
  const std::int64_t start = (rule.flip != 0 ? 65535 - mean : mean) - rule.offset;
  std::int64_t raise = 0, lower = 0, base = 0;
  if (start > 0) {
    lower = u8_clamp(start, 0, 65535);
  } else if (rule.shift == 0 && rule.multiplier < 256) {
    base = u8_clamp((-start * rule.multiplier) / 65536, 0, 255);
    raise = (-start * rule.multiplier) % 65536 / rule.multiplier;
  } else {
    raise = u8_clamp(-start, 0, 65535);
  }
  const std::int64_t distance = rule.flip != 0 ? 65535 - d : d;
  const std::int64_t x = u8_clamp(u8_clamp(distance + raise, 0, 65535) - lower, 0, 65535);
  const std::int64_t limited = x < rule.limit ? x : std::int64_t{rule.limit};
  return u8_clamp(((limited << rule.shift) * rule.multiplier >> 16) + base, 0, 255);
}

/// Which keys the mean distance is taken over.
enum class u8_mean_over { nothing, attended, all };

/// acc (L, Dv) from bytes: q (L, D), k (S, D), magnitude and sign (S, Dv); attend (L, S) or null for every key.
template <class Rule>
std::vector<std::int64_t> u8_attention(const std::vector<std::uint8_t>& q, const std::vector<std::uint8_t>& k,
                                       const std::vector<std::uint8_t>& magnitude, const std::vector<int>& sign,
                                       index_t queries, index_t keys, index_t head_size, index_t value_size,
                                       const Rule& rule, u8_mean_over mean, const std::uint8_t* attend) {
  const auto at = [](const auto& x, index_t i) { return std::int64_t{x[static_cast<std::size_t>(i)]}; };
  std::vector<std::int64_t> acc(static_cast<std::size_t>(queries * value_size));
  std::vector<std::int64_t> distance(static_cast<std::size_t>(keys));
  for (index_t i = 0; i < queries; ++i) {
    const auto attends = [&](index_t j) { return attend == nullptr || attend[i * keys + j] != 0; };
    std::int64_t sum = 0, count = 0;
    for (index_t j = 0; j < keys; ++j) {
      std::int64_t d = 0;
      for (index_t c = 0; c < head_size; ++c) d += std::abs(at(q, i * head_size + c) - at(k, j * head_size + c));
      distance[static_cast<std::size_t>(j)] = d;
      if (mean == u8_mean_over::all || (mean == u8_mean_over::attended && attends(j))) {
        sum += d;
        ++count;
      }
    }
    for (index_t j = 0; j < keys; ++j) {
      if (!attends(j)) continue;
      const std::int64_t z = u8_threshold(rule, at(distance, j), sum, count);
      for (index_t c = 0; c < value_size; ++c) {
        const std::int64_t rest = at(magnitude, j * value_size + c) - z;
        if (rest > 0) acc[static_cast<std::size_t>(i * value_size + c)] += at(sign, j * value_size + c) * rest;
      }
    }
  }
  return acc;
}

}  // namespace reference
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
