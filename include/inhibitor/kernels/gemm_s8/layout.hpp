// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"

// The image of an affine layer in bytes, one block of memory, the same on every instruction set:
//
//   weights    group g of 16 outputs | step t of 4 inputs | 64 bytes: output 16 g + c, inputs 4 t .. 4 t + 3
//              g = 0 .. out'/16 - 1  | t = 0 .. in'/4 - 1 | c = 0 .. 15
//   offsets    (out') -128 * sum over the inputs, 32 bits     for operands that are 128 too large (simd/dot_ops.hpp)
//   scales     (out') float
//   bias       (out') float
//
// in' and out' are in and out rounded up to 64 and 16, padded with zeros. 16 steps of a group are a tile of AMX, a step
// is a register of 64 bytes, two of 32, four of 16.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

inline constexpr index_t s8_group = 16;
inline constexpr index_t s8_depth = 64;
inline constexpr index_t s8_step_bytes = 4 * s8_group;
/// |quantized number| <= 127: -128 has no counterpart.
inline constexpr std::int32_t s8_limit = 127;

INHIBITOR_INLINE constexpr index_t s8_padded_in(index_t in) { return round_up(in, s8_depth); }
INHIBITOR_INLINE constexpr index_t s8_padded_out(index_t out) { return round_up(out, s8_group); }
/// Bytes of the weights of a group.
INHIBITOR_INLINE constexpr index_t s8_group_bytes(index_t in) { return s8_padded_in(in) * s8_group; }
INHIBITOR_INLINE constexpr index_t s8_weight_bytes(index_t out, index_t in) {
  return s8_padded_out(out) * s8_padded_in(in);
}
/// Bytes of the image.
INHIBITOR_INLINE constexpr index_t s8_image_bytes(index_t out, index_t in) {
  return s8_weight_bytes(out, in) + 3 * 4 * s8_padded_out(out);
}

INHIBITOR_INLINE const std::int8_t* s8_weights(const s8_weight& w) {
  return reinterpret_cast<const std::int8_t*>(w.image);
}
INHIBITOR_INLINE const std::int32_t* s8_offsets(const s8_weight& w) {
  return reinterpret_cast<const std::int32_t*>(w.image + s8_weight_bytes(w.out, w.in));
}
INHIBITOR_INLINE const float* s8_scales(const s8_weight& w) {
  return reinterpret_cast<const float*>(w.image + s8_weight_bytes(w.out, w.in) + 4 * s8_padded_out(w.out));
}
INHIBITOR_INLINE const float* s8_bias(const s8_weight& w) {
  return reinterpret_cast<const float*>(w.image + s8_weight_bytes(w.out, w.in) + 8 * s8_padded_out(w.out));
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
