// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "inhibitor/data/token_dataset.hpp"
#include "inhibitor/optim/adamw.hpp"
#include "inhibitor/training/objectives.hpp"
#include "inhibitor/optim/schedule.hpp"

// The loop every stage of training shares: batches, learning rate, update, progress, interruption.

namespace inhibitor::examples {

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
};

/// Where a stage stands; what a checkpoint stores beside the numbers.
struct stage_position {
  index_t step = 0;      ///< steps done in this stage
  double seconds = 0;    ///< training time so far, of the whole run
  index_t examples = 0;  ///< examples seen so far, by the whole run
};

/// The loss of a batch; adds its gradient to the state.
using batch_objective =
    std::function<double(training_state<float>&, const token_batch&, const token_view&, const dropout_mode&)>;

/// Thrown when Ctrl-C or SIGTERM asked for the end; the checkpoint has been written.
struct interrupted_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Thrown when a loss is not finite.
struct diverged_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a stage calls back.
struct stage_hooks {
  std::function<void(const stage_position&)> save;  ///< write a checkpoint
  std::function<void(index_t epoch, double loss)> epoch_done;
};

/// Says so on stderr when a layer lets no value pass: it gets no gradient and would stay silent for ever.
inline void warn_if_inhibited(const std::string& label, const encoder_activations<float>& a, const encoder_config& c,
                              index_t layers) {
  for (index_t layer = 0; layer < layers; ++layer) {
    if (!fully_inhibited(a, c, layer)) continue;
    fmt::print(stderr,
               "{}: warning: every value of layer {} is inhibited, so it cannot learn; a smaller shift or score scale "
               "would let values pass\n",
               label, layer);
  }
}

/// Trains `model` in place from position.step to the end of the stage. The same data, plan, seed and start give the
/// same numbers for any number of workers, whether interrupted and resumed or not. Throws interrupted_error, and
/// diverged_error naming the step and the layer when a loss is not finite.
inline void run_stage(const std::string& label, const stage_plan& plan, encoder_tensors<float>& model,
                      adamw<encoder_tensors<float>>& optimizer, stage_position& position, const token_dataset& data,
                      std::uint64_t seed, const batch_objective& objective, const stage_hooks& hooks,
                      double checkpoint_seconds, const executor& workers) {
  using clock = std::chrono::steady_clock;
  const auto seconds_since = [](clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  };
  const length_bucketed_batches batches(data, plan.batch_size, seed);
  const index_t per_epoch = batches.batches_per_epoch();
  const index_t total = plan.epochs * per_epoch;
  const learning_rate_schedule schedule{plan.schedule,
                                        static_cast<index_t>(plan.warmup_share * static_cast<double>(total)), total};
  training_state<float> state(model);
  progress shown(label, total, position.step);
  clock::time_point saved = clock::now();
  for (index_t epoch = position.step / per_epoch; epoch < plan.epochs; ++epoch) {
    const auto order = batches.epoch(epoch);
    double loss_sum = 0;
    const index_t first = position.step - epoch * per_epoch;
    for (index_t b = first; b < per_epoch; ++b) {
      const clock::time_point start = clock::now();
      const token_batch batch =
          make_batch(data, order[static_cast<std::size_t>(b)], static_cast<std::int32_t>(model.config().pad_token_id));
      const dropout_mode mode{true, {seed, static_cast<std::uint64_t>(position.step), 0}};
      const double loss = objective(state, batch, view_of(batch), mode);
      if (!std::isfinite(loss)) {
        const index_t layer = first_non_finite_hidden(state.activations);
        throw diverged_error(fmt::format("{}: the loss is {} at step {}; first value that is not finite: {}", label,
                                         loss, position.step,
                                         layer < 0    ? "after the last layer"
                                         : layer == 0 ? "in the embeddings"
                                                      : fmt::format("in the output of layer {}", layer - 1)));
      }
      adamw_options options;
      options.learning_rate = plan.learning_rate * schedule.factor(position.step);
      options.weight_decay = plan.weight_decay;
      optimizer.update(model, state.gradients, options, plan.max_gradient_norm, workers);
      ++position.step;
      position.examples += batch.batch;
      position.seconds += seconds_since(start);
      loss_sum += loss;
      if (b == first) {
        warn_if_inhibited(label, state.activations, model.config(),
                          plan.layers > 0 ? plan.layers : model.config().n_layers);
      }
      shown.step(position.step, batch.batch, loss);
      if (interrupt_requested()) {
        hooks.save(position);
        throw interrupted_error(label);
      }
      if (seconds_since(saved) > checkpoint_seconds) {
        hooks.save(position);
        saved = clock::now();
      }
    }
    if (hooks.epoch_done) hooks.epoch_done(epoch, loss_sum / static_cast<double>(per_epoch - first));
  }
}

}  // namespace inhibitor::examples
