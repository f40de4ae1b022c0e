// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/gemm_s8/layout.hpp"

// One rule for the rows of weights and of activations: with m the largest magnitude of a row
//
//   scale = m / 127,  number = round(x * (127 / m)), ties to even
//
// in float, every operation rounded by itself. The product rounds to 127 at most. A row with m < 2^-100 counts as zeros,
// with scale 0: its inverse could overflow.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

struct s8_row_scale {
  float scale;    ///< of one unit
  float inverse;  ///< what numbers are multiplied by; 0 for a row of zeros
};

/// Bits of 2^-100 and of infinity: bits of magnitudes order as the numbers do.
inline constexpr std::int32_t s8_smallest_magnitude = (127 - 100) << 23;
inline constexpr std::int32_t s8_infinite = 0x7f800000;

/// From the bits of the largest magnitude, which is finite.
INHIBITOR_INLINE s8_row_scale s8_scale_of(std::int32_t magnitude_bits) {
  if (magnitude_bits < s8_smallest_magnitude) return {0.0F, 0.0F};
  float magnitude;
  std::memcpy(&magnitude, &magnitude_bits, sizeof(magnitude));
  return {magnitude / static_cast<float>(s8_limit), static_cast<float>(s8_limit) / magnitude};
}

/// Bits of |x|.
INHIBITOR_INLINE std::int32_t s8_magnitude_bits(float x) {
  std::int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits & 0x7fffffff;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
