// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"

// The two learning rates that translation models are trained with: linear warm-up, then decay with the inverse square
// root of the update. Functions of the update alone, so that nothing about them need be saved.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The rate of update `update`, counted from 1, of a model of width `dim` (Vaswani et al. 2017, arXiv 1706.03762
/// equation 3, "Noam"): dim^-0.5 * min(update^-0.5, update * warmup^-1.5). Its peak, at `warmup`, is (dim *
/// warmup)^-0.5. Throws std::invalid_argument unless all three are at least 1.
inline double noam_rate(index_t update, index_t dim, index_t warmup) {
  check(update >= 1 && dim >= 1 && warmup >= 1, "noam_rate: update, dim and warmup must be at least 1");
  const auto n = static_cast<double>(update), w = static_cast<double>(warmup);
  return std::min(1 / std::sqrt(n), n / (w * std::sqrt(w))) / std::sqrt(static_cast<double>(dim));
}

/// The rate after `updates` updates, counted from 0, as fairseq's inverse_sqrt has it: a line from `start` at 0 to
/// `peak` at `warmup`, then peak * sqrt(warmup / updates). Throws std::invalid_argument for negative updates and a
/// warm-up below 1.
inline double inverse_square_root_rate(index_t updates, double peak, index_t warmup, double start = 0) {
  check(updates >= 0 && warmup >= 1, "inverse_square_root_rate: updates must be at least 0 and warmup at least 1");
  const auto n = static_cast<double>(updates), w = static_cast<double>(warmup);
  if (updates < warmup) return start + n * (peak - start) / w;
  return peak * std::sqrt(w / n);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
