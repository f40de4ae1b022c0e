// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/data/token_dataset.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/training/checkpoint.hpp"
#include "inhibitor/training/objectives.hpp"
#include "inhibitor/training/train_loop.hpp"
#include "inhibitor/training/training_run.hpp"

// A model's training: stages one after the other, each with its own objective, interrupted and resumed without a trace
// in its numbers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One stage: what it minimizes, on which data, and which tensors move.
struct training_stage {
  stage_plan plan;
  const token_dataset* data = nullptr;
  /// The mean loss of a batch; adds its gradient to the state.
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

namespace detail {

/// What one stage of an encoder's training does in a step. `model`, `optimizer`, `stage` and `workers` must outlive it.
inline stage_steps encoder_stage_steps(const std::string& label, const training_stage& stage,
                                       encoder_tensors<float>& model, adamw<encoder_tensors<float>>& optimizer,
                                       std::uint64_t seed, const log_sink& log, const executor& workers) {
  struct work_space {
    length_bucketed_batches batches;
    training_state<float> state;
    std::vector<std::vector<index_t>> order;  // rows of every batch of the epoch in work
    bool is_checked = false;                  // this epoch's layers have been looked at
  };
  const stage_plan& plan = stage.plan;
  const auto w = std::make_shared<work_space>(
      work_space{length_bucketed_batches(*stage.data, plan.batch_size, seed), training_state<float>(model), {}});
  stage_steps steps;
  steps.per_epoch = w->batches.batches_per_epoch();
  steps.begin_epoch = [w](index_t epoch) {
    w->order = w->batches.epoch(epoch);
    w->is_checked = false;
  };
  steps.run = [w, label, &stage, &plan, &model, &optimizer, &log, &workers, seed](index_t b, index_t step,
                                                                                  double learning_rate) {
    const encoder_config& config = model.config();
    const token_batch batch =
        make_batch(*stage.data, w->order[static_cast<std::size_t>(b)], static_cast<std::int32_t>(config.pad_token_id));
    // Dropout is drawn from seed and step, not from a generator with a past: a resumed run draws the same.
    const dropout_mode mode{true, {seed, static_cast<std::uint64_t>(step), 0}};
    const double loss = stage.objective(model, w->state, batch, view_of(batch), mode);
    if (!std::isfinite(loss)) {
      const index_t layer = first_non_finite_hidden(w->state.activations);
      throw diverged_error(label + ": the loss is " + std::to_string(loss) + " at step " + std::to_string(step) +
                           "; first value that is not finite: " +
                           (layer < 0    ? "after the last layer"
                            : layer == 0 ? "in the embeddings"
                                         : "in the output of layer " + std::to_string(layer - 1)));
    }
    adamw_options options;
    options.learning_rate = learning_rate;
    options.weight_decay = plan.weight_decay;
    optimizer.update(model, w->state.gradients, options, plan.max_gradient_norm, workers);
    // A layer that lets no value pass gets no gradient and would stay silent for ever.
    const index_t layers = plan.layers > 0 ? plan.layers : config.n_layers;
    for (index_t layer = 0; layer < layers && !w->is_checked; ++layer) {
      if (!fully_inhibited(w->state.activations, config, layer)) continue;
      tell(log, label + ": warning: every value of layer " + std::to_string(layer) +
                    " is inhibited, so it cannot learn; a smaller shift or score scale would let values pass");
    }
    w->is_checked = true;
    return step_result{loss, batch.batch};
  };
  return steps;
}

}  // namespace detail

/// Trains `model` through the stages. The same data, plans, seed and start give the same tensors and records for any
/// number of workers, whether interrupted and resumed or not; only times differ. Throws interrupted_error, when asked
/// to stop, after writing the checkpoint; diverged_error naming the step and the layer when a loss is not finite; and,
/// when resuming, an exception for checkpoints that are all damaged and std::invalid_argument for one that was made
/// with other settings or data.
inline training_progress train_stages(encoder_tensors<float>& model, const std::vector<training_stage>& stages,
                                      const training_run& run, const executor& workers) {
  checkpoint_store store(run.checkpoint);
  checkpoint_state state;
  state.run = run.name;
  state.identity = run.identity;
  training_progress& progress = state.progress;
  std::size_t first_stage = 0;
  std::optional<checkpoint_file> saved;
  if (run.resume) saved = store.open(run.hooks.log);
  if (saved && saved->state().run != run.name) saved.reset();
  if (saved) {
    check_same_run(run.checkpoint, saved->state().identity, run.identity);
    progress = saved->state().progress;
    while (first_stage < stages.size() && stages[first_stage].plan.name != progress.stage) ++first_stage;
    check(first_stage < stages.size(), [&] { return run.checkpoint + ": unknown stage \"" + progress.stage + "\""; });
  }
  for (std::size_t i = first_stage; i < stages.size(); ++i) {
    const training_stage& stage = stages[i];
    const std::string label = run.name + " " + stage.plan.name;
    adamw<encoder_tensors<float>> optimizer(model, trainable_segments(model, stage.trainable));
    if (saved) {
      saved->read_tensors(model, optimizer);
      saved.reset();
    } else {
      progress.stage = stage.plan.name;
      progress.step = 0;
    }
    const auto save = [&] {
      progress.optimizer_step = optimizer.step;
      store.save(state, model, optimizer);
    };
    const stage_steps steps =
        detail::encoder_stage_steps(label, stage, model, optimizer, run.seed, run.hooks.log, workers);
    run_stage(label, stage.plan, steps, progress, run.hooks, save, run.checkpoint_seconds);
  }
  return progress;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
