// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Where the time of inference goes, in seconds on `clock`. Calls add to it.
struct inference_profile {
  double (*clock)() = nullptr;  ///< seconds; null: the wall clock
  double embeddings = 0;        ///< lookup and its layer normalization
  double projections = 0;       ///< q, k, v and the output of the attention
  double attention = 0;         ///< the mechanism between the projections
  double feed_forward = 0;      ///< both products, bias and GELU
  double norms = 0;             ///< residual and layer normalization
  double head = 0;              ///< classifier
};

/// Runs body(), its time added to one field of the profile unless that is null.
template <class Body>
void add_time(inference_profile* profile, double inference_profile::*field, Body&& body) {
  if (profile == nullptr) {
    body();
    return;
  }
  const auto now = [&] {
    if (profile->clock != nullptr) return profile->clock();
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  const double from = now();
  body();
  profile->*field += now() - from;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
