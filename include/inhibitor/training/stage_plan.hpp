// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/optim/schedule.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How one stage trains.
struct stage_plan {
  std::string name;  ///< unique within a run: "fine-tune", "layer-0", ...
  index_t epochs = 1;
  index_t batch_size = 32;
  double learning_rate = 5e-4;
  double warmup_share = 0.1;  ///< of all steps
  double weight_decay = 0.01;
  double max_gradient_norm = 1;
  schedule_kind schedule = schedule_kind::linear;
  index_t layers = 0;  ///< layers that the objective runs, counted from the bottom; 0: all

  /// The learning rate of step `step` of `total`: a function of the step alone, so that nothing about it need be saved.
  double learning_rate_at(index_t step, index_t total) const {
    const learning_rate_schedule shape{schedule, static_cast<index_t>(warmup_share * static_cast<double>(total)),
                                       total};
    return learning_rate * shape.factor(step);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
