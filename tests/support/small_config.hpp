// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor::test {

/// Two layers of width 8 with two heads, 11 words, 6 positions, 3 labels: small enough to differentiate numerically.
inline encoder_config small_config(const std::string& first, const std::string& second) {
  encoder_config config;
  config.vocab_size = 11;
  config.max_position_embeddings = 6;
  config.n_layers = 2;
  config.n_heads = 2;
  config.dim = 8;
  config.intermediate_dim = 12;
  config.num_labels = 3;
  config.attention = {first, second};
  return config;
}

}  // namespace inhibitor::test
