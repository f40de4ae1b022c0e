// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/token_view.hpp"
#include "support/random.hpp"
#include "support/small_config.hpp"

// Models and sequences that tests of whole-model inference share.

namespace inhibitor::test {

/// Three layers wide enough for whole and partial tiles of every instruction set, or the smallest model there is.
inline encoder_config some_config(const std::vector<std::string>& layers, model_family family, bool small = false) {
  encoder_config c = small_config("dot_product", "dot_product");
  if (!small) {
    c.dim = 120;
    c.n_heads = 3;
    c.intermediate_dim = 300;
    c.max_position_embeddings = 300;
    c.vocab_size = 50;
  }
  c.n_layers = static_cast<index_t>(layers.size());
  c.attention = layers;
  c.set_family(family);
  if (family == model_family::bert) c.type_vocab_size = 2;
  c.layer_norm_epsilon = 1e-5;
  c.initializer_range = 0.1;
  return c;
}

template <class T>
encoder_tensors<T> random_model(const encoder_config& c) {
  encoder_tensors<T> p(c);
  initialize(p, 3);
  random_numbers random(4);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += static_cast<T>(random.uniform(-0.05, 0.05));
  return p;
}

/// Sequences of random tokens, packed and padded.
struct some_tokens {
  std::vector<std::int32_t> ids, types, padded_ids, padded_types;
  std::vector<index_t> starts{0};
  std::vector<std::uint8_t> key_mask;
  index_t longest = 0;

  some_tokens(const encoder_config& c, const std::vector<index_t>& lengths) {
    random_numbers random(5);
    for (const index_t length : lengths) longest = std::max(longest, length);
    for (const index_t length : lengths) {
      for (index_t i = 0; i < longest; ++i) {
        const bool real = i < length;
        padded_ids.push_back(real ? static_cast<std::int32_t>(random.index(c.vocab_size)) : 0);
        padded_types.push_back(real ? static_cast<std::int32_t>(random.index(2)) : 0);
        key_mask.push_back(real ? 1 : 0);
        if (!real) continue;
        ids.push_back(padded_ids.back());
        types.push_back(padded_types.back());
      }
      starts.push_back(static_cast<index_t>(ids.size()));
    }
  }
  index_t batch() const { return static_cast<index_t>(starts.size()) - 1; }
  packed_tokens packed() const { return {ids.data(), types.data(), starts.data(), batch()}; }
  token_view padded() const { return {padded_ids.data(), key_mask.data(), batch(), longest, padded_types.data()}; }
};

}  // namespace inhibitor::test
