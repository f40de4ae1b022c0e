// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "inhibitor/base/check.hpp"
#include "inhibitor/training/stage_plan.hpp"
#include "inhibitor/training/training_progress.hpp"

// The loop that every stage of training runs: epochs, steps, learning rate, records, checkpoints. It knows no model and
// no data; what a step does is the stage's.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What one step of training did.
struct step_result {
  double loss = 0;
  index_t examples = 0;
};

/// The work of a stage.
struct stage_steps {
  index_t per_epoch = 0;
  /// Draws the order of epoch `epoch`, counted from 0.
  std::function<void(index_t epoch)> begin_epoch;
  /// Forward, backward and update with batch `batch` of the epoch, as step `step` of the stage. Both count from 0.
  std::function<step_result(index_t batch, index_t step, double learning_rate)> run;
};

/// Runs a stage from progress.step to its end. `save` writes a checkpoint of `progress` and of the tensors; it is
/// called when `checkpoint_seconds` have passed since the last, and when a stop was requested, before
/// interrupted_error, whose message is `label`, is thrown.
inline void run_stage(const std::string& label, const stage_plan& plan, const stage_steps& steps,
                      training_progress& progress, const training_hooks& hooks, const std::function<void()>& save,
                      double checkpoint_seconds) {
  using clock = std::chrono::steady_clock;
  const auto seconds_since = [](clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  };
  check(steps.per_epoch > 0, [&] { return label + ": there is nothing to train on"; });
  const index_t total = plan.epochs * steps.per_epoch;
  if (hooks.stage_begun) hooks.stage_begun(plan.name, progress.step, total);
  clock::time_point saved = clock::now();
  for (index_t epoch = progress.step / steps.per_epoch; epoch < plan.epochs; ++epoch) {
    steps.begin_epoch(epoch);
    for (index_t batch = progress.step - epoch * steps.per_epoch; batch < steps.per_epoch; ++batch) {
      const clock::time_point start = clock::now();
      const step_result done = steps.run(batch, progress.step, plan.learning_rate_at(progress.step, total));
      ++progress.step;
      progress.examples += done.examples;
      progress.seconds += seconds_since(start);
      progress.epoch_loss += done.loss;
      if (hooks.step_done) hooks.step_done({plan.name, progress.step, done.examples, done.loss});
      // The record belongs to the step that completes it: a checkpoint between the two would lose it.
      if (batch + 1 == steps.per_epoch) {
        const double loss = progress.epoch_loss / static_cast<double>(steps.per_epoch);
        progress.epochs.push_back(hooks.epoch_record
                                      ? hooks.epoch_record(plan.name, epoch + 1, loss)
                                      : nlohmann::json{{"stage", plan.name}, {"epoch", epoch + 1}, {"loss", loss}});
        progress.epoch_loss = 0;
      }
      if (hooks.stop_requested && hooks.stop_requested()) {
        save();
        throw interrupted_error(label);
      }
      if (seconds_since(saved) > checkpoint_seconds) {
        save();
        saved = clock::now();
      }
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
