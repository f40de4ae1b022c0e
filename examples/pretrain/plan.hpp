// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "inhibitor/training/pretraining_plan.hpp"
#include "pretrain/options.hpp"

// What the options of `pretrain` amount to.

namespace inhibitor::examples {

namespace detail {

/// Element `i` of a list with one element for all phases or one for each.
template <class T>
const T& of_phase(const std::vector<T>& list, std::size_t i) {
  return list[list.size() == 1 ? 0 : i];
}

}  // namespace detail

/// The plan, but for a number of steps that --hours leaves open (0). Throws std::invalid_argument.
inline pretraining_plan plan_of(const pretrain_options& o) {
  pretraining_plan plan;
  plan.optimizer.name = "pretrain";
  plan.optimizer.learning_rate = o.learning_rate;
  plan.optimizer.warmup_share = o.warmup_ratio;
  plan.optimizer.weight_decay = o.weight_decay;
  plan.optimizer.max_gradient_norm = o.max_gradient_norm;
  plan.optimizer.schedule = o.schedule == "constant" ? schedule_kind::constant
                            : o.schedule == "cosine" ? schedule_kind::cosine
                                                     : schedule_kind::linear;
  plan.beta2 = o.beta2;
  plan.epsilon = o.epsilon;
  plan.accumulate = o.accumulate;
  plan.first_mask_rate = o.mask_rate.front();
  plan.last_mask_rate = o.mask_rate.back();
  plan.short_share = o.short_share;

  const std::size_t phases = std::max({o.length.size(), o.batch.size(), o.masks.size(), o.shares.size()});
  const auto fits = [&](std::size_t size, const char* name) {
    check(size == 1 || size == phases, [&] {
      return "--" + std::string(name) + " has " + std::to_string(size) +
             " values; expected one, or one for each of the " + std::to_string(phases) + " phases";
    });
  };
  fits(o.length.size(), "length");
  fits(o.batch.size(), "batch-size");
  fits(o.masks.size(), "masks");
  check(o.shares.empty() || o.shares.size() == phases,
        [&] { return "--shares: expected one for each of the " + std::to_string(phases) + " phases"; });
  double total = 0;
  for (const double share : o.shares) total += share;
  check(o.shares.empty() || total > 0, "--shares: expected numbers above 0");
  plan.phases.clear();
  for (std::size_t i = 0; i < phases; ++i) {
    plan.phases.push_back({o.shares.empty() ? 1 / static_cast<double>(phases) : o.shares[i] / total,
                           detail::of_phase(o.length, i), detail::of_phase(o.batch, i),
                           detail::of_phase(o.masks, i) == "words" ? mask_unit::word : mask_unit::piece});
  }
  plan.steps = o.steps;
  if (o.tokens > 0) {
    plan.steps = std::max<index_t>(1, std::lround(static_cast<double>(o.tokens) / plan.tokens_per_step()));
  }
  return plan;
}

}  // namespace inhibitor::examples
