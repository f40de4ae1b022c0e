// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/attention_u8/layout.hpp"

// Adds one key or value to packed bytes (layouts: layout.hpp), for decoding. The bytes are those of pack.hpp; one
// row is too little work for registers to matter. What lies beyond the range of the bytes is limited to it and counted.
// Values must be finite. rint, unlike nearbyint, is an instruction without -ffast-math.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Writes key j (D) behind those already there; returns how many of its features were limited.
INHIBITOR_INLINE index_t u8_append_key(std::uint8_t* packed, index_t j, const float* key, index_t head_size,
                                       float inverse_step) {
  const index_t padded = u8_padded_head(head_size);
  std::uint8_t* group = packed + j / u8_group_keys * u8_group_keys * padded;
  if (j % u8_group_keys == 0) std::memset(group, 128, static_cast<std::size_t>(u8_group_keys * padded));
  std::uint8_t* place = group + j % 4 * 64 + j % u8_group_keys / 4 * 8;
  index_t limited = 0;
  for (index_t k = 0; k < head_size; ++k) {
    const float steps = nearest(key[k] * inverse_step);
    limited += steps < -128.0F || steps > 127.0F ? 1 : 0;
    const float byte = steps < -128.0F ? -128.0F : steps > 127.0F ? 127.0F : steps;
    place[k / 8 * 8 * u8_group_keys + k % 8] = static_cast<std::uint8_t>(128 + static_cast<int>(byte));
  }
  return limited;
}

/// Writes value j (Dv) and its bound behind those already there; returns how many of its features were limited.
INHIBITOR_INLINE index_t u8_append_value(std::uint8_t* packed, std::uint8_t* bound, index_t j, const float* value,
                                         index_t value_size, float inverse_step, bool is_signed) {
  const index_t padded = u8_padded_value(value_size);
  if (j % u8_group_keys == 0) {  // magnitudes 0, signs +1
    std::uint8_t* group = packed + j * padded * 2;
    for (index_t i = 0; i < u8_group_keys * padded * 2; i += 128) {
      std::memset(group + i, 0, 64);
      std::memset(group + i + 64, 1, 64);
    }
    std::memset(bound + j, 0, static_cast<std::size_t>(u8_group_keys));
  }
  std::uint8_t* quad = packed + j / u8_quad_keys * u8_quad_keys * padded * 2 + j % u8_quad_keys;
  index_t limited = 0;
  std::uint8_t largest = 0;
  for (index_t k = 0; k < value_size; ++k) {
    const float part = is_signed ? absolute(value[k]) : value[k] > 0.0F ? value[k] : 0.0F;
    const float steps = nearest(part * inverse_step);
    limited += steps > 255.0F ? 1 : 0;
    const auto byte = static_cast<std::uint8_t>(steps > 255.0F ? 255.0F : steps);
    std::uint8_t* place = quad + k / 16 * 128 + k % 16 * 4;
    place[0] = byte;
    place[64] = is_signed && has_sign(value[k]) ? 0xff : 1;
    largest = byte > largest ? byte : largest;
  }
  bound[j] = largest;
  return limited;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
