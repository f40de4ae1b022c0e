// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/checkpoint.hpp"
#include "support/trainer.hpp"
#include "inhibitor/io/json_file.hpp"

// Training in stages, each with its own objective, that can be interrupted and resumed.

namespace inhibitor::examples {

/// One stage: what it minimizes, on which data, and which tensors move.
struct training_stage {
  stage_plan plan;
  const token_dataset* data = nullptr;
  std::function<double(const encoder_tensors<float>&, training_state<float>&, const token_batch&, const token_view&,
                       const dropout_mode&)>
      objective;
  std::function<bool(const std::string&)> trainable = [](const std::string&) { return true; };
};

/// Classes of the batch, or scores.
inline head_targets targets_of(const token_batch& batch) {
  return batch.scores.empty() ? head_targets(batch.labels.data()) : head_targets(batch.scores.data());
}

/// The stage that trains everything on the labels or scores of `data`, which must outlive it, as must `workers`.
inline training_stage label_stage(stage_plan plan, const token_dataset& data, const executor& workers) {
  training_stage stage;
  stage.plan = std::move(plan);
  stage.data = &data;
  stage.objective = [&workers](const encoder_tensors<float>& p, training_state<float>& state, const token_batch& batch,
                               const token_view& tokens, const dropout_mode& mode) {
    return classification_objective(state, p, tokens, targets_of(batch), mode, workers);
  };
  return stage;
}

/// A model's training as a whole.
struct training_run {
  std::string name;        ///< shown with the progress, stored in the checkpoint
  std::string settings;    ///< what must not change between a run and its resumption
  std::string checkpoint;  ///< file to keep while training; the caller removes it when the model is saved
  bool resume = false;     ///< go on from the checkpoint when it belongs to this run
  std::uint64_t seed = 0;
  double checkpoint_seconds = 120;
  /// The record of a finished epoch, counted from 1.
  std::function<nlohmann::json(const std::string& stage, index_t epoch, double loss)> epoch_record;
};

/// What train_stages says about a training.
struct training_result {
  stage_position position;                          ///< seconds and examples of all stages
  nlohmann::json epochs = nlohmann::json::array();  ///< records of all epochs
};

/// Runs the stages one after the other. Throws interrupted_error, when asked to stop, after writing the checkpoint;
/// diverged_error; file_error for a checkpoint that is damaged, and std::invalid_argument for one made with other
/// settings.
inline training_result train_stages(encoder_tensors<float>& model, const std::vector<training_stage>& stages,
                                    const training_run& run, const executor& workers) {
  checkpoint_position where;
  where.run = run.name;
  where.settings = run.settings;
  training_result result;
  std::size_t first_stage = 0;
  std::optional<safetensors_file> saved;
  if (run.resume && std::filesystem::exists(run.checkpoint)) {
    saved = safetensors_file::open(run.checkpoint);
    const checkpoint_position found = read_checkpoint_position(*saved);
    if (found.run == run.name) {
      check(found.settings == where.settings, [&] { return run.checkpoint + ": made with other settings"; });
      where = found;
      result.epochs = parse_json(found.epochs, run.checkpoint);
      while (first_stage < stages.size() && stages[first_stage].plan.name != where.stage) ++first_stage;
      check(first_stage < stages.size(), [&] { return run.checkpoint + ": unknown stage \"" + where.stage + "\""; });
    } else {
      saved.reset();
    }
  }
  for (std::size_t i = first_stage; i < stages.size(); ++i) {
    const training_stage& s = stages[i];
    adamw<encoder_tensors<float>> optimizer(model, trainable_segments(model, s.trainable));
    if (saved) {
      read_checkpoint_tensors(*saved, model, optimizer);
      optimizer.step = where.optimizer_step;
      saved.reset();
    }
    where.stage = s.plan.name;
    stage_hooks hooks;
    hooks.save = [&](const stage_position& position) {
      where.position = position;
      where.optimizer_step = optimizer.step;
      where.epochs = result.epochs.dump();
      write_checkpoint(run.checkpoint, where, model, optimizer);
    };
    hooks.epoch_done = [&](index_t epoch, double loss) {
      result.epochs.push_back(run.epoch_record(s.plan.name, epoch + 1, loss));
    };
    const auto objective = [&](training_state<float>& state, const token_batch& batch, const token_view& tokens,
                               const dropout_mode& mode) { return s.objective(model, state, batch, tokens, mode); };
    run_stage(run.name + " " + s.plan.name, s.plan, model, optimizer, where.position, *s.data, run.seed, objective,
              hooks, run.checkpoint_seconds, workers);
    where.position.step = 0;
  }
  result.position = where.position;
  return result;
}

}  // namespace inhibitor::examples
