// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include "inhibitor/base/executor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Exponential moving average of a model's numbers. Model is one flat buffer, as for adamw.
template <class Model>
struct weight_average {
  double decay = 0.999;
  Model average;  ///< starts as the model that training starts from

  /// average += (1 - d) * (model - average) after update `step`, counted from 1, with d = min(decay, (1 + step) / (10 +
  /// step)): young averages forget their start faster.
  void update(const Model& model, index_t step, const executor& workers) {
    const double young = (1 + static_cast<double>(step)) / (10 + static_cast<double>(step));
    using scalar = std::decay_t<decltype(*average.data())>;
    const auto share = static_cast<scalar>(1 - std::min(decay, young));
    constexpr index_t block = 16384;
    const index_t size = model.size();
    workers.for_each((size + block - 1) / block, [&](index_t item, index_t) {
      scalar* to = average.data();
      const scalar* from = model.data();
      for (index_t i = item * block; i < std::min(size, (item + 1) * block); ++i) to[i] += share * (from[i] - to[i]);
    });
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
