// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm_s8/scale.hpp"

// Weights to bytes and into their image; once per layer, so plain loops serve every instruction set. Nothing here
// allocates or throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// numbers (in) = round(row (in) / scale), whose scale is returned. The numbers of the row are finite.
inline float s8_quantize_weights(std::int8_t* numbers, const float* row, index_t in) {
  std::int32_t largest = 0;
  for (index_t k = 0; k < in; ++k) {
    const std::int32_t bits = s8_magnitude_bits(row[k]);
    largest = bits > largest ? bits : largest;
  }
  const s8_row_scale s = s8_scale_of(largest);
  for (index_t k = 0; k < in; ++k) numbers[k] = static_cast<std::int8_t>(nearest(row[k] * s.inverse));
  return s.scale;
}

/// Puts output `o` into an image (s8_image_bytes(out, in)) that was filled with zeros: numbers (in) within +-127.
inline void s8_pack_output(std::uint8_t* image, index_t out, index_t in, index_t o, const std::int8_t* numbers,
                           float scale, float bias) {
  std::uint8_t* to = image + o / s8_group * s8_group_bytes(in) + o % s8_group * 4;
  std::int32_t sum = 0;
  for (index_t k = 0; k < in; ++k) {
    to[k / 4 * s8_step_bytes + k % 4] = static_cast<std::uint8_t>(numbers[k]);
    sum += numbers[k];
  }
  const std::int32_t offset = -128 * sum;
  std::uint8_t* numbers_of_output = image + s8_weight_bytes(out, in) + 4 * o;
  std::memcpy(numbers_of_output, &offset, sizeof(offset));
  std::memcpy(numbers_of_output + 4 * s8_padded_out(out), &scale, sizeof(scale));
  std::memcpy(numbers_of_output + 8 * s8_padded_out(out), &bias, sizeof(bias));
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
