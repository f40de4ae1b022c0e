// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/data/masked_batch.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/optim/weight_average.hpp"
#include "inhibitor/training/checkpoint.hpp"
#include "inhibitor/training/held_out.hpp"
#include "inhibitor/training/masked_lm_objective.hpp"
#include "inhibitor/training/metrics_log.hpp"
#include "inhibitor/training/pretraining_plan.hpp"
#include "inhibitor/training/train_loop.hpp"
#include "inhibitor/training/training_run.hpp"

// Masked-LM pretraining: one stage on the trainer's loop, interrupted and resumed without a trace in its numbers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a pretraining writes and when it looks at text that it does not learn from.
struct pretraining_run : training_run {  // without hooks.epoch_record, which is not called
  std::string metrics;               ///< metrics.jsonl: a line per step and per look at the held-out text; empty: none
  index_t held_out_interval = 500;   ///< steps between looks at the held-out text; there is one before the first
  index_t held_out_tokens = 65536;   ///< of it that are read, at most
  double average_decay = 0;          ///< of the weight average; 0: none
  double unigram_cross_entropy = 0;  ///< of the held-out text under the frequencies of the training text
  index_t snapshot_interval = 0;     ///< steps between calls of `snapshot`; 0: none
  std::function<void(index_t step, const encoder_tensors<float>& model)> snapshot;
};

/// What comes out beside the model.
struct pretraining_result {
  training_progress progress;
  std::optional<encoder_tensors<float>> average;  ///< where weights were averaged
};

namespace detail {

/// The work of a pretraining's steps.
class pretraining_work {
 public:
  pretraining_work(encoder_tensors<float>& model, adamw<encoder_tensors<float>>& optimizer,
                   weight_average<encoder_tensors<float>>* average, const packed_corpus& corpus,
                   const wordpiece& tokenizer, const pretraining_plan& plan, const pretraining_run& run,
                   metrics_log& metrics, const executor& workers)
      : model_(model),
        optimizer_(optimizer),
        average_(average),
        plan_(plan),
        run_(run),
        metrics_(metrics),
        workers_(workers),
        maker_(corpus.training(), tokenizer),
        held_out_(corpus.held_out(), tokenizer, plan.phases.back().length, run.held_out_tokens),
        state_(model),
        batches_(static_cast<std::size_t>(plan.accumulate)) {
    for (std::size_t i = 0; i < plan.phases.size(); ++i) {
      orders_.emplace_back(maker_.tokens(), plan.phases[i].length - 2, run.seed, i);
    }
  }

  /// A look at the held-out text after `steps` steps.
  void look(index_t steps) {
    if (held_out_.masked_tokens() == 0) return;
    const double loss = held_out_.loss(state_, model_, workers_);
    nlohmann::ordered_json record{{"step", steps}, {"held_out_loss", loss}, {"perplexity", std::exp(loss)}};
    if (average_ != nullptr) record["held_out_loss_of_average"] = held_out_.loss(state_, average_->average, workers_);
    tell(run_.hooks.log, run_.name + ": step " + std::to_string(steps) + ", held-out loss " + std::to_string(loss));
    metrics_.write(record);
    last_look_ = record;
    if (!is_warned_ && 20 * steps >= plan_.steps && loss > run_.unigram_cross_entropy - 0.3) {
      tell(run_.hooks.log,
           run_.name + ": warning: the held-out loss is " + std::to_string(loss) + " after " + std::to_string(steps) +
               " of " + std::to_string(plan_.steps) + " steps, and word frequencies alone give " +
               std::to_string(run_.unigram_cross_entropy) +
               ": the model has learnt no context yet; a lower rate, a longer warm-up or smaller batches may help");
      is_warned_ = true;
    }
  }

  step_result run(index_t step, double learning_rate) {
    const auto start = std::chrono::steady_clock::now();
    const pretraining_step s = plan_.at(step);
    // All batches are made first: the masked tokens of them all divide each one's gradient.
    index_t masked = 0;
    for (index_t a = 0; a < plan_.accumulate; ++a) {
      masked_batch& batch = batches_[static_cast<std::size_t>(a)];
      make_batch(batch, s, step, a);
      masked += static_cast<index_t>(batch.labels.size());
    }
    check(masked > 0, "pretraining: nothing of the samples can be masked; every token is special");
    double loss = 0;
    for (index_t a = 0; a < plan_.accumulate; ++a) {
      const masked_batch& batch = batches_[static_cast<std::size_t>(a)];
      const dropout_mode mode{true, {run_.seed, static_cast<std::uint64_t>(step * plan_.accumulate + a), 0}};
      loss += masked_lm_objective(state_, model_, view_of(batch), batch.positions, batch.labels,
                                  1 / static_cast<double>(masked), mode, workers_);
    }
    loss /= static_cast<double>(masked);
    require_finite_loss(loss, step);
    adamw_options options;
    options.learning_rate = learning_rate;
    options.beta1 = plan_.beta1;
    options.beta2 = plan_.beta2;
    options.epsilon = plan_.epsilon;
    options.weight_decay = plan_.optimizer.weight_decay;
    const double norm =
        optimizer_.update(model_, state_.gradients, options, plan_.optimizer.max_gradient_norm, workers_);
    require_finite_gradient(norm, step);
    if (average_ != nullptr) average_->update(model_, step + 1, workers_);

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    metrics_.write({{"step", step + 1},
                    {"tokens", plan_.tokens_before(step + 1)},
                    {"masked", masked},
                    {"loss", loss},
                    {"learning_rate", learning_rate},
                    {"gradient_norm", norm},
                    {"seconds", seconds}});
    const bool is_last = step + 1 == plan_.steps;
    if ((step + 1) % run_.held_out_interval == 0 || is_last) {
      warn_of_silent_layers(step);
      look(step + 1);
    }
    if (run_.snapshot && run_.snapshot_interval > 0 && (step + 1) % run_.snapshot_interval == 0) {
      run_.snapshot(step + 1, average_ != nullptr ? average_->average : model_);
    }
    return {loss, s.batch * plan_.accumulate};
  }

  /// The record of the stage: mean loss and the last look.
  nlohmann::json record(const std::string& stage, double loss) const {
    nlohmann::json out{{"stage", stage}, {"epoch", 1}, {"loss", loss}};
    if (!last_look_.is_null()) {
      for (const auto& item : last_look_.items()) out[item.key()] = item.value();
    }
    return out;
  }

 private:
  void make_batch(masked_batch& batch, const pretraining_step& s, index_t step, index_t a) const {
    const window_order& order = orders_[static_cast<std::size_t>(s.phase)];
    const index_t per_step = s.batch * plan_.accumulate;
    masked_batch_maker::begin(batch, s.length);
    for (index_t b = 0; b < s.batch; ++b) {
      const index_t place = a * s.batch + b;
      const random_stream stream{run_.seed, static_cast<std::uint64_t>(step), masking_sites::sample(place)};
      maker_.append(batch, order.begin_of(s.step_in_phase * per_step + place),
                    sample_width(s.length - 2, plan_.short_share, stream), s.how, stream);
    }
  }

  void require_finite_loss(double loss, index_t step) const {
    if (std::isfinite(loss)) return;
    const index_t layer = first_non_finite_hidden(state_.activations);
    throw diverged_error(run_.name + ": the masked-LM loss is " + std::to_string(loss) + " at step " +
                         std::to_string(step) + "; first value that is not finite: " +
                         (layer < 0    ? "in the head"
                          : layer == 0 ? "in the embeddings"
                                       : "in the output of layer " + std::to_string(layer - 1)));
  }

  /// Looks at the norm; the update has been made, but no checkpoint of it.
  void require_finite_gradient(double norm, index_t step) const {
    if (std::isfinite(norm)) return;
    std::string first;
    model_.visit([&](const std::string& name, const tensor<float>& t) {
      if (!first.empty()) return;
      const auto is_bad = [](float x) { return !std::isfinite(x); };
      if (std::any_of(t.data, t.data + t.size(), is_bad)) first = name;
    });
    throw diverged_error(run_.name + ": the gradient of the masked-LM loss is not finite at step " +
                         std::to_string(step) + "; first tensor: " + first);
  }

  void warn_of_silent_layers(index_t step) const {
    for (index_t layer = 0; layer < model_.config().n_layers; ++layer) {
      if (!fully_inhibited(state_.activations, model_.config(), layer)) continue;
      tell(run_.hooks.log, run_.name + ": warning: every value of layer " + std::to_string(layer) +
                               " is inhibited at step " + std::to_string(step) + ", so it cannot learn");
    }
  }

  encoder_tensors<float>& model_;
  adamw<encoder_tensors<float>>& optimizer_;
  weight_average<encoder_tensors<float>>* average_;
  const pretraining_plan& plan_;
  const pretraining_run& run_;
  metrics_log& metrics_;
  const executor& workers_;
  masked_batch_maker maker_;
  held_out_text held_out_;
  masked_lm_state<float> state_;
  std::vector<masked_batch> batches_;
  std::vector<window_order> orders_;  // one per phase
  nlohmann::ordered_json last_look_;
  bool is_warned_ = false;
};

}  // namespace detail

/// Pretrains `model`, which has a masked-LM head, on the training part of `corpus`. The same corpus, plan, seed and
/// start give the same tensors, metrics (times aside) and records for any number of workers, whether interrupted and
/// resumed or not. Throws interrupted_error, when asked to stop, after writing the checkpoint; diverged_error naming
/// step, term and layer when a loss or gradient is not finite, the last good checkpoint staying; when resuming, an
/// exception for checkpoints that are all damaged and std::invalid_argument for one of other settings or data; and
/// std::invalid_argument for a corpus that is too short for the plan's samples.
inline pretraining_result pretrain(encoder_tensors<float>& model, const packed_corpus& corpus,
                                   const wordpiece& tokenizer, const pretraining_plan& plan, const pretraining_run& run,
                                   const executor& workers) {
  plan.validate();
  checkpoint_store store(run.checkpoint);
  checkpoint_state state;
  state.run = run.name;
  state.identity = run.identity;
  training_progress& progress = state.progress;
  progress.stage = plan.optimizer.name;
  adamw<encoder_tensors<float>> optimizer(model, trainable_segments(model, [](const std::string&) { return true; }));
  std::optional<weight_average<encoder_tensors<float>>> average;
  if (run.average_decay > 0) average = {run.average_decay, model};
  encoder_tensors<float>* const average_tensors = average ? &average->average : nullptr;
  std::optional<checkpoint_file> saved;
  if (run.resume) saved = store.open(run.hooks.log);
  if (saved) {
    check_same_run(run.checkpoint, saved->state().identity, run.identity);
    progress = saved->state().progress;
    saved->read_tensors(model, optimizer, average_tensors);
    saved.reset();
  }

  metrics_log metrics(run.metrics, progress.step);
  detail::pretraining_work work(model, optimizer, average ? &*average : nullptr, corpus, tokenizer, plan, run, metrics,
                                workers);
  if (progress.step == 0) work.look(0);
  stage_plan stage = plan.optimizer;
  stage.epochs = 1;
  stage_steps steps;
  steps.per_epoch = plan.steps;
  steps.begin_epoch = [](index_t) {};
  steps.run = [&work](index_t, index_t step, double rate) { return work.run(step, rate); };
  training_hooks hooks = run.hooks;
  hooks.epoch_record = [&work](const std::string& name, index_t, double loss) { return work.record(name, loss); };
  run_stage(
      run.name, stage, steps, progress, hooks,
      [&] {
        progress.optimizer_step = optimizer.step;
        store.save(state, model, optimizer, static_cast<const encoder_tensors<float>*>(average_tensors));
      },
      run.checkpoint_seconds);
  pretraining_result result{progress, {}};
  if (average) result.average = std::move(average->average);
  return result;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
