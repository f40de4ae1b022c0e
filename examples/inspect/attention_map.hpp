// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "inhibitor/attention/params.hpp"
#include "inhibitor/models/bert/encoder.hpp"

// What each query takes from each key, between 0 and 1, for one text without padding (L = S):
//
//   dot product   W_ij = exp(s_ij) / sum_j exp(s_ij),  s_ij = <q_i, k_j> / sqrt(D)
//   inhibitor     W_ij = sum_d |what passes of v_jd| / sum_d |v_jd|
//
// With S_ij = gamma / sqrt(D) * |q_i - k_j|_1, less its mean over j if the model centers, and Z_ij = max(S_ij + delta,
// 0), there passes sign(v) * max(|v| - Z, 0) of a value v, or max(v - Z, 0) in the unsigned form. Rows of the first add
// up to 1; those of the second need not: every key passes or is inhibited on its own. A key whose values are all zero
// has nothing to pass and gets 0.

namespace inhibitor::examples {

/// Softmax weights of one head into map (L, L). q, k (L, D) with `stride` elements from row to row. Does not throw.
inline void softmax_map(double* map, const float* q, const float* k, index_t length, index_t head_size,
                        index_t stride) {
  const double scale = 1 / std::sqrt(static_cast<double>(head_size));
  for (index_t i = 0; i < length; ++i) {
    double* row = map + i * length;
    for (index_t j = 0; j < length; ++j) {
      row[j] = 0;
      for (index_t d = 0; d < head_size; ++d) row[j] += scale * double{q[i * stride + d]} * double{k[j * stride + d]};
    }
    const double largest = *std::max_element(row, row + length);
    double sum = 0;
    for (index_t j = 0; j < length; ++j) sum += row[j] = std::exp(row[j] - largest);
    for (index_t j = 0; j < length; ++j) row[j] /= sum;
  }
}

/// Passing shares of one inhibitor head into map (L, L). q, k, v (L, D) with `stride` elements from row to row;
/// `score_scale` and `shift` are the head's gamma and delta. Does not throw.
inline void inhibition_map(double* map, const float* q, const float* k, const float* v, index_t length,
                           index_t head_size, index_t stride, double score_scale, double shift,
                           const inhibitor_options& options) {
  const double scale = score_scale / std::sqrt(static_cast<double>(head_size));
  for (index_t i = 0; i < length; ++i) {
    double* row = map + i * length;
    double mean = 0;
    for (index_t j = 0; j < length; ++j) {
      row[j] = 0;
      for (index_t d = 0; d < head_size; ++d) {
        row[j] += scale * std::abs(double{q[i * stride + d]} - double{k[j * stride + d]});
      }
      mean += row[j] / static_cast<double>(length);
    }
    if (options.center == centering::none) mean = 0;
    for (index_t j = 0; j < length; ++j) {
      const double threshold = std::max(row[j] - mean + shift, 0.0);
      double all = 0, passing = 0;
      for (index_t d = 0; d < head_size; ++d) {
        const double value = double{v[j * stride + d]};
        all += std::abs(value);
        passing += std::max((options.is_signed ? std::abs(value) : value) - threshold, 0.0);
      }
      row[j] = all > 0 ? passing / all : 0;
    }
  }
}

/// The map (L, L) of one head of layer `layer` for row 0 of the batch, which must have no padding. The forward pass
/// must have filled `a` from `model`. Does not throw; allocates the result.
inline std::vector<double> attention_map(const encoder_tensors<float>& model, const encoder_activations<float>& a,
                                         index_t layer, index_t head, index_t length) {
  const encoder_config& c = model.config();
  const index_t size = c.head_size();
  const block_activations<float>& b = a.block[static_cast<std::size_t>(layer)];
  const auto rows_of = [&](std::size_t which) { return b.mixing.inner[which].data() + head * size; };
  const float *q = rows_of(attention_inner::q), *k = rows_of(attention_inner::k), *v = rows_of(attention_inner::v);
  std::vector<double> map(static_cast<std::size_t>(length * length));
  if (const auto* p = model.layer[static_cast<std::size_t>(layer)].attention.as<inhibitor_mixer>()) {
    inhibition_map(map.data(), q, k, v, length, size, c.dim, double{p->inhibitor_score_scale.data[head]},
                   double{p->inhibitor_shift.data[head]}, c.inhibitor);
  } else {
    softmax_map(map.data(), q, k, length, size, c.dim);
  }
  return map;
}

}  // namespace inhibitor::examples
