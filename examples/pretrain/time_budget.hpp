// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

#include "inhibitor/training/pretrain.hpp"

namespace inhibitor::examples {

/// How many steps of `plan` fit into `hours`: every phase makes five trial steps on a copy of the model, of which the
/// last three count. A rate that followed the clock could not be resumed to the bit; a number of steps can.
inline index_t steps_in_hours(double hours, const pretraining_plan& plan, const encoder_tensors<float>& model,
                              const packed_corpus& corpus, const wordpiece& tokenizer, const executor& workers) {
  using clock = std::chrono::steady_clock;
  double seconds_per_step = 0;
  for (pretraining_phase phase : plan.phases) {
    const double share = phase.share;
    phase.share = 1;
    pretraining_plan trial = plan;
    trial.phases = {phase};
    trial.steps = 5;
    pretraining_run run;
    run.name = "trial";
    run.held_out_tokens = 0;
    clock::time_point third{}, last{};
    run.hooks.step_done = [&](const step_report& s) { (s.step <= 2 ? third : last) = clock::now(); };
    encoder_tensors<float> copy = model;
    pretrain(copy, corpus, tokenizer, trial, run, workers);
    seconds_per_step += share * std::chrono::duration<double>(last - third).count() / 3;
  }
  return std::max<index_t>(1, static_cast<index_t>(3600 * hours / seconds_per_step));
}

}  // namespace inhibitor::examples
