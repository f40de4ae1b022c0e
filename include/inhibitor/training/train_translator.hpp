// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/data/parallel_dataset.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/optim/inverse_square_root.hpp"
#include "inhibitor/training/checkpoint.hpp"
#include "inhibitor/training/train_loop.hpp"
#include "inhibitor/training/training_run.hpp"
#include "inhibitor/training/translation_objective.hpp"

// Training of an encoder-decoder on sentence pairs: one stage on the trainer's loop, interrupted and resumed without a
// trace in its numbers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How a translator trains.
struct translation_plan {
  index_t epochs = 10;
  index_t batch_tokens = 1500;  ///< of a step, padding counted (token_budget_batches)
  double learning_rate = 0;     ///< at its peak; 0: that of Noam, (d_model * warmup)^-0.5
  index_t warmup = 800;         ///< updates until the peak, after which the rate falls with their inverse root
  label_smoothing smoothing;
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-9;
  double weight_decay = 0;
  double max_gradient_norm = 0;  ///< 0: gradients are not clipped

  /// The rate of update `update`, counted from 1, of a model of width d_model.
  double rate(index_t update, index_t d_model) const {
    if (learning_rate == 0) return noam_rate(update, d_model, warmup);
    return inverse_square_root_rate(update, learning_rate, warmup);
  }
};

/// Trains `model`; the losses that hooks see are means over the target tokens of a step. The same data, plan, seed and start give the same tensors and records for any number of workers,
/// whether interrupted and resumed or not; only times differ. Throws interrupted_error, when asked to stop, after
/// writing the checkpoint; diverged_error naming the step when a loss is not finite; and, when resuming, an exception
/// for checkpoints that are all damaged and std::invalid_argument for one that was made with other settings or data.
inline training_progress train_translator(seq2seq_tensors<float>& model, const parallel_dataset& data,
                                          const translation_plan& plan, const training_run& run,
                                          const executor& workers) {
  checkpoint_store store(run.checkpoint);
  checkpoint_state state;
  state.run = run.name;
  state.identity = run.identity;
  training_progress& progress = state.progress;
  progress.stage = "train";
  adamw<seq2seq_tensors<float>> optimizer(model, trainable_segments(model, [](const std::string&) { return true; }));
  std::optional<checkpoint_file> saved;
  if (run.resume) saved = store.open(run.hooks.log);
  if (saved) {
    check_same_run(run.checkpoint, saved->state().identity, run.identity);
    progress = saved->state().progress;
    saved->read_tensors(model, optimizer);
    saved.reset();
  }

  const token_budget_batches batches(data, plan.batch_tokens, run.seed);
  translation_state<float> work(model);
  std::vector<std::vector<index_t>> order;  // rows of every batch of the epoch in work
  stage_steps steps;
  steps.per_epoch = batches.batches_per_epoch();
  steps.begin_epoch = [&](index_t epoch) { order = batches.epoch(epoch); };
  steps.run = [&](index_t b, index_t step, double) {
    const parallel_batch batch = make_parallel_batch(data, order[static_cast<std::size_t>(b)], model.config());
    // Dropout is drawn from seed and step, not from a generator with a past: a resumed run draws the same.
    const dropout_mode mode{true, {run.seed, static_cast<std::uint64_t>(step), 0}};
    const auto tokens = static_cast<double>(batch.target_tokens);
    const double loss =
        translation_objective(work, model, batch.view(), batch.labels.data(), plan.smoothing, 1 / tokens, mode, workers)
            .loss /
        tokens;
    if (!std::isfinite(loss)) {
      throw diverged_error(run.name + ": the loss is " + std::to_string(loss) + " at step " + std::to_string(step));
    }
    adamw_options options;
    options.learning_rate = plan.rate(step + 1, model.config().d_model);
    options.beta1 = plan.beta1;
    options.beta2 = plan.beta2;
    options.epsilon = plan.epsilon;
    options.weight_decay = plan.weight_decay;
    optimizer.update(model, work.gradients, options, plan.max_gradient_norm, workers);
    return step_result{loss, batch.batch};
  };
  stage_plan stage;
  stage.name = progress.stage;
  stage.epochs = plan.epochs;
  const auto save = [&] {
    progress.optimizer_step = optimizer.step;
    store.save(state, model, optimizer);
  };
  run_stage(run.name, stage, steps, progress, run.hooks, save, run.checkpoint_seconds);
  return progress;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
