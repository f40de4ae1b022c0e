// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "inhibitor/base/ends_with.hpp"

// The order in which an encoder computes (or reads) its tensors, told from their names: those of `inspect dump`, of
// Hugging Face checkpoints, and what people call the outputs of its layers (hidden_states.3, layer.2.q).

namespace inhibitor::examples {

/// Sort key of a tensor name: what comes first in the forward pass is smaller; equals keep their places.
using forward_key = std::tuple<int, std::uint64_t, int, std::string>;

namespace detail {

/// First occurrence of `word` followed by a dot and digits: that number. Second: whether there is one.
inline std::pair<std::uint64_t, bool> number_after(std::string_view name, std::string_view word) {
  const std::size_t at = name.find(word);
  if (at == std::string_view::npos) return {0, false};
  std::uint64_t number = 0;
  std::size_t i = at + word.size();
  const std::size_t first = i;
  for (; i < name.size() && i < first + 9 && name[i] >= '0' && name[i] <= '9'; ++i) {
    number = number * 10 + static_cast<std::uint64_t>(name[i] - '0');
  }
  return {number, i > first};
}

inline bool contains_any(std::string_view name, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

/// Place within a layer.
inline int layer_stage(std::string_view rest) {
  if (contains_any(rest, {"q_lin", "query"}) || ends_with(rest, ".q")) return 0;
  if (contains_any(rest, {"k_lin", "key"}) || ends_with(rest, ".k")) return 1;
  if (contains_any(rest, {"v_lin", "value"}) || ends_with(rest, ".v")) return 2;
  if (contains_any(rest, {"inhibitor_", "attention.alpha", "attention.beta", "attention.gamma"})) return 3;
  if (contains_any(rest, {"context"})) return 4;
  if (contains_any(rest, {"out_lin", "attention.output.dense"})) return 5;
  if (contains_any(rest, {"sa_layer_norm", "attention.output.LayerNorm"})) return 6;
  if (contains_any(rest, {"lin1", "intermediate", "ffn_in"})) return 7;
  if (contains_any(rest, {"ffn_act"})) return 8;
  if (contains_any(rest, {"lin2"}) || contains_any(rest, {".output.dense"})) return 9;
  return 10;
}

}  // namespace detail

/// Groups: inputs, embeddings, layers in their order (the hidden state after a layer last), pooler, heads, the rest by
/// name.
inline forward_key forward_position(std::string_view name) {
  const std::string text(name);
  if (detail::contains_any(name, {"input_ids", "token_type_ids", "attention_mask"})) return {0, 0, 0, text};
  for (const std::string_view word : {std::string_view("hidden_states."), std::string_view("hidden.")}) {
    const auto [number, found] = detail::number_after(name, word);
    if (found && number == 0) return {1, 0, 20, text};
    if (found) return {2, number - 1, 20, text};
  }
  if (const auto [number, found] = detail::number_after(name, "layer."); found) {
    return {2, number, detail::layer_stage(name), text};
  }
  if (detail::contains_any(name, {"embedding"})) {
    const int stage = detail::contains_any(name, {"word"})                     ? 0
                      : detail::contains_any(name, {"position"})               ? 1
                      : detail::contains_any(name, {"token_type", "type_emb"}) ? 2
                      : detail::contains_any(name, {"sum"})                    ? 3
                      : detail::contains_any(name, {"LayerNorm"})              ? 4
                                                                               : 5;
    return {1, 0, stage, text};
  }
  if (detail::contains_any(name, {"pooler", "pooled", "pre_classifier"})) return {3, 0, 0, text};
  if (detail::contains_any(name, {"masked_lm", "vocab_", "cls."})) {
    return {5, 0, detail::contains_any(name, {"logits", "projector", "decoder"}) ? 1 : 0, text};
  }
  if (detail::contains_any(name, {"classifier", "logits", "seq_relationship"})) return {4, 0, 0, text};
  return {6, 0, 0, text};
}

}  // namespace inhibitor::examples
