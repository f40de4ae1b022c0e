// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/simd/batch.hpp"

// What every float kernel of one attention head is told.
//
// Keys are renumbered before a kernel sees them: attended keys first, in their order, then (only when the scores are
// centered over all keys) the masked ones. Every mask becomes one number per query: it attends to the first
// `limits[i]` renumbered keys, unless a boolean mask says which of those (masked_rows.hpp). Masked keys are never
// touched by the value step, so they contribute exactly nothing.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// One (batch, head): pointers into the caller's arrays, strides in elements.
template <class T>
struct head_inputs {
  const T* q = nullptr;  ///< (L, D)
  index_t q_stride = 0;
  const T* k = nullptr;  ///< (S, D)
  index_t k_stride = 0;
  const T* v = nullptr;  ///< (S, Dv)
  index_t v_stride = 0;
  index_t queries = 0;              ///< L
  index_t head_size = 0;            ///< D
  index_t value_size = 0;           ///< Dv
  const index_t* order = nullptr;   ///< (scored) key number in the caller's arrays; null: identity
  index_t scored = 0;               ///< keys that take part in scores
  index_t attended = 0;             ///< keys that take part in values, the first of `order`; attended <= scored
  const index_t* limits = nullptr;  ///< (L) keys query i attends to; does not decrease with i, at most `attended`

  const std::uint8_t* attend = nullptr;  ///< (L, S) by stride, or null: query i attends to key j of the caller's
  index_t attend_stride = 0;             ///< numbering only where attend[i * attend_stride + j] is not 0

  index_t key(index_t j) const { return order != nullptr ? order[j] : j; }
};

/// How raw scores become weights.
template <class T>
struct weight_options {
  T scale = T(1);         ///< S = scale * raw
  T shift = T(0);         ///< W = max(S + shift, 0)
  T output_scale = T(1);  ///< factor on the output
  bool center = false;    ///< subtract the mean of S over attended keys, or over all scored ones:
  bool center_all = false;
  bool normalize_by_length = false;  ///< divide the output by the number of attended keys
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
