// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "distill/options.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "inhibitor/training/train_stages.hpp"

// The stages that the runs of `distill` (runs.hpp) are made of.

namespace inhibitor::examples {

/// A teacher and the work space of its forward passes.
struct teacher_model {
  encoder_tensors<float> tensors;
  inference_state<float> state;
};

/// What the stages of one job train on. Everything must outlive them.
struct stage_inputs {
  const distill_options& options;
  const token_dataset& train;  ///< labeled examples
  const token_dataset& text;   ///< raw text for E1
  teacher_model* teacher;      ///< null for runs that need none
  const executor& workers;
};

/// Everything on the labels: E0 and the control, and what the other stages vary.
inline training_stage named_label_stage(const stage_inputs& in, const std::string& name) {
  stage_plan plan{name, in.options.epochs, in.options.batch_size, in.options.learning_rate};
  plan.weight_decay = in.options.weight_decay;
  return label_stage(plan, in.train, in.workers);
}

/// One stage on the labels: how the teacher and the control are made.
inline std::vector<training_stage> label_stages(const stage_inputs& in, const encoder_config&) {
  return {named_label_stage(in, "train")};
}

namespace detail {

/// True for the tensors that make the scores and values of a layer: q, k, v and the inhibitor's scalars.
inline bool is_attention_input(const std::string& name, index_t layer) {
  const std::string prefix = fmt::format("distilbert.transformer.layer.{}.attention.", layer);
  for (const char* part : {"q_lin.", "k_lin.", "v_lin.", "inhibitor_"}) {
    if (name.rfind(prefix + part, 0) == 0) return true;
  }
  return false;
}

}  // namespace detail

/// E1: one layer's attention at a time, bottom-up; then all layers on the hidden states; then the labels. `config` is
/// the student's.
inline std::vector<training_stage> e1_stages(const stage_inputs& in, const encoder_config& config) {
  teacher_model& teacher = *in.teacher;
  const layer_map& layers = in.options.teacher_layers;
  const executor& workers = in.workers;
  std::vector<training_stage> stages;
  for (index_t layer = 0; layer < config.n_layers; ++layer) {
    training_stage s = named_label_stage(in, fmt::format("layer-{}", layer));
    s.plan.epochs = in.options.layer_epochs;
    s.plan.schedule = schedule_kind::cosine;
    s.plan.layers = layer + 1;
    s.data = &in.text;
    s.trainable = [layer](const std::string& name) { return detail::is_attention_input(name, layer); };
    s.objective = [&teacher, &workers, &layers, layer](const encoder_tensors<float>& p, training_state<float>& state,
                                                       const token_batch&, const token_view& tokens,
                                                       const dropout_mode& mode) {
      return layer_context_objective(state, p, teacher.state, teacher.tensors, layer, tokens, mode, workers, layers);
    };
    stages.push_back(std::move(s));
  }
  training_stage full = named_label_stage(in, "full-layer");
  full.plan.epochs = in.options.full_epochs;
  full.plan.schedule = schedule_kind::cosine;
  full.data = &in.text;
  full.trainable = [](const std::string& name) { return !is_head_tensor(name); };
  full.objective = [&teacher, &workers, &layers](const encoder_tensors<float>& p, training_state<float>& state,
                                                 const token_batch&, const token_view& tokens,
                                                 const dropout_mode& mode) {
    return hidden_state_objective(state, p, teacher.state, teacher.tensors, tokens, mode, workers, layers);
  };
  stages.push_back(std::move(full));
  training_stage tuning = named_label_stage(in, "fine-tune");
  tuning.plan.epochs = in.options.fine_tune_epochs;
  tuning.plan.learning_rate = in.options.fine_tune_learning_rate;
  stages.push_back(std::move(tuning));
  return stages;
}

/// E2: the teacher's outputs and last hidden state, and the labels, in one stage.
inline std::vector<training_stage> e2_stages(const stage_inputs& in, const encoder_config&) {
  teacher_model& teacher = *in.teacher;
  training_stage s = named_label_stage(in, "distil");
  const distill_options& o = in.options;
  const distillation_weights weights{o.kl_weight, o.hidden_weight, o.label_weight, o.temperature};
  const executor& workers = in.workers;
  s.objective = [&teacher, &workers, weights](const encoder_tensors<float>& p, training_state<float>& state,
                                              const token_batch& batch, const token_view& tokens,
                                              const dropout_mode& mode) {
    return task_distillation_objective(state, p, teacher.state, teacher.tensors, weights, tokens, targets_of(batch),
                                       mode, workers);
  };
  return {s};
}

}  // namespace inhibitor::examples
