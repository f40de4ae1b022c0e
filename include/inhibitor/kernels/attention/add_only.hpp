// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/score_row.hpp"
#include "inhibitor/kernels/attention/weights.hpp"

// Aggregation without a multiplication, for queries, keys and outputs whose scales were folded into the projections
// around the attention (gamma |a - b| = |gamma a - gamma b| for gamma > 0; models/bert/fold_scales.hpp):
//
//   W_ij = max(raw_ij - mean_j raw_ij + shift, 0)      compare, subtract, add
//   H_ik = sum_j soft(V_jk, W_ij)                      limit (compare), subtract, add, as in weights.hpp
//
// With manhattan_by_max as the score, nothing between the projections multiplies or rounds by a factor; a test
// disassembles the kernels and looks. The mean of a row takes one division, by the number of its keys: one per query,
// none per key. Centered = false has not even that one.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Relu: signed_relu or unsigned_relu, of which the value step is used as it is. Of weight_options only `shift` and
/// `center_all` matter; `center` must equal Centered.
template <class Relu, bool Centered>
struct add_only : Relu {
  /// Returns what is added to the output row: 0, or NaN when a score or threshold is not finite.
  template <class Isa, class T>
  static INHIBITOR_INLINE T weigh(T* row, index_t n, index_t scored, const weight_options<T>& options) {
    using B = batch<Isa, T>;
    if (n == 0) return T(0);
    B mean(T(0));
    if constexpr (Centered) mean = B(raw_mean<Isa, T>(row, n, scored, options));
    const B shift(options.shift), zero(T(0));
    B sum[row_slots] = {zero, zero, zero, zero};
    for_row<true, Isa, T>(row, n, T(0), [&](B x, int slot) INHIBITOR_INLINE_LAMBDA {
      const B w = maximum(zero, Centered ? (x - mean) + shift : x + shift);
      sum[slot] += w;
      return w;
    });
    const T all = total<Isa, T>(sum);
    return all - all;
  }
  template <class Isa, class T>
  static INHIBITOR_INLINE batch<Isa, T> finish(batch<Isa, T> acc, batch<Isa, T> value_sum, batch<Isa, T> term) {
    return (value_sum - acc) + term;
  }
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
