// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/log_sink.hpp"

// Where a training stands, and what it tells the program that runs it.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Everything about a training's past that its future or its records depend on, beside the tensors. What is shown or
/// recorded later must be here, or a resumed run would tell another story than an uninterrupted one.
struct training_progress {
  std::string stage;                                ///< name of the stage in work
  index_t step = 0;                                 ///< steps done in this stage
  double epoch_loss = 0;                            ///< sum of the losses of the epoch in work
  index_t optimizer_step = 0;                       ///< updates the optimizer has made
  index_t examples = 0;                             ///< examples seen so far, by all stages
  double seconds = 0;                               ///< training time so far, of all stages
  nlohmann::json epochs = nlohmann::json::array();  ///< records of all finished epochs
};

/// One step that was made.
struct step_report {
  const std::string& stage;  ///< name of its stage
  index_t step;              ///< counted from 1
  index_t examples;          ///< in this step
  double loss;               ///< of this step
};

/// What a training calls back. All may be empty.
struct training_hooks {
  /// A stage of `total_steps` begins, or goes on after the first `done_steps`.
  std::function<void(const std::string& stage, index_t done_steps, index_t total_steps)> stage_begun;
  std::function<void(const step_report&)> step_done;
  /// Asked after every step: true ends the training with interrupted_error once its checkpoint is written.
  std::function<bool()> stop_requested;
  /// The record of a finished epoch, counted from 1; empty: stage, epoch and mean loss.
  std::function<nlohmann::json(const std::string& stage, index_t epoch, double loss)> epoch_record;
  log_sink log;
};

/// Thrown when stop_requested said so; the checkpoint has been written. The message names the run and the stage.
struct interrupted_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thrown when a loss is not finite.
struct diverged_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
