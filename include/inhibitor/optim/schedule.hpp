// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Shape of the learning rate after warm-up.
enum class schedule_kind { constant, linear, cosine };

/// Learning-rate factor in [0, 1] over a run: linear warm-up from 0, then constant, linear decay to 0, or half a cosine
/// to 0. As in Hugging Face's schedules, step 0 of a warm-up has factor 0 and 0 is reached only after the last step.
struct learning_rate_schedule {
  schedule_kind kind = schedule_kind::linear;
  index_t warmup_steps = 0;
  index_t total_steps = 1;

  /// Factor for step `step`, counted from 0.
  double factor(index_t step) const {
    if (step < warmup_steps) return static_cast<double>(step) / static_cast<double>(warmup_steps);
    if (kind == schedule_kind::constant) return 1;
    if (step >= total_steps) return 0;
    const double progress = static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
    return kind == schedule_kind::linear ? 1 - progress : 0.5 * (1 + std::cos(3.141592653589793 * progress));
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
