// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/data/masking.hpp"
#include "inhibitor/training/stage_plan.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A stretch of a pretraining with samples of one kind.
struct pretraining_phase {
  double share = 1;  ///< of all steps; shares add up to 1
  index_t length = 128;
  index_t batch = 32;  ///< samples per batch
  mask_unit unit = mask_unit::word;
};

/// What step `step` of a pretraining works on.
struct pretraining_step {
  index_t phase = 0;          ///< index
  index_t step_in_phase = 0;  ///< counted from 0
  index_t length = 0, batch = 0;
  masking how;
};

/// How a masked-LM is pretrained. All of it is a function of the step.
struct pretraining_plan {
  stage_plan optimizer;  ///< name, rates, decay and clipping; its epochs and batch size are not read
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-6;
  std::vector<pretraining_phase> phases{{}};
  index_t steps = 1;                                     ///< updates in all
  index_t accumulate = 1;                                ///< batches per update
  double first_mask_rate = 0.15, last_mask_rate = 0.15;  ///< share of tokens masked, from the first step to the last
  double short_share = 0.1;                              ///< of samples that are shortened (sample_width)

  /// Throws std::invalid_argument for what does not make sense.
  void validate() const {
    check(!phases.empty() && steps >= 1 && accumulate >= 1, "pretraining: expected phases, steps and batches");
    double total = 0;
    for (const pretraining_phase& phase : phases) {
      check(phase.length >= 4 && phase.batch >= 1 && phase.share > 0,
            "pretraining: a phase needs samples of 4 tokens or more, batches of 1 or more and a share above 0");
      total += phase.share;
    }
    check(std::abs(total - 1) < 1e-9,
          [&] { return "pretraining: the shares of the phases add up to " + std::to_string(total) + "; expected 1"; });
  }

  /// The first step of phase `index`; of one past the last the number of steps.
  index_t first_step(index_t index) const {
    if (index == static_cast<index_t>(phases.size())) return steps;
    double share = 0;
    for (index_t i = 0; i < index; ++i) share += phases[static_cast<std::size_t>(i)].share;
    return static_cast<index_t>(std::lround(share * static_cast<double>(steps)));
  }

  pretraining_step at(index_t step) const {
    index_t phase = 0;
    while (phase + 1 < static_cast<index_t>(phases.size()) && step >= first_step(phase + 1)) ++phase;
    const pretraining_phase& p = phases[static_cast<std::size_t>(phase)];
    const double progress = steps > 1 ? static_cast<double>(step) / static_cast<double>(steps - 1) : 0;
    return {phase,
            step - first_step(phase),
            p.length,
            p.batch,
            {p.unit, first_mask_rate + progress * (last_mask_rate - first_mask_rate)}};
  }

  /// Tokens of the samples of the first `step` steps, special ones and padding included.
  index_t tokens_before(index_t step) const {
    index_t tokens = 0;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const auto index = static_cast<index_t>(i);
      const index_t done = std::min(step, first_step(index + 1)) - first_step(index);
      if (done > 0) tokens += done * accumulate * phases[i].batch * phases[i].length;
    }
    return tokens;
  }

  /// Tokens of an average step.
  double tokens_per_step() const {
    double tokens = 0;
    for (const pretraining_phase& p : phases) tokens += p.share * static_cast<double>(p.batch * p.length * accumulate);
    return tokens;
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
