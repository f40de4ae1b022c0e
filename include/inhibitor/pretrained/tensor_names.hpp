// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/models/bert/config.hpp"

// Checkpoints of different age and origin spell the same tensor differently.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

inline bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

/// Replaces the ending `from` of `name` by `to`. Returns whether `name` ended so.
inline bool replace_ending(std::string& name, std::string_view from, std::string_view to) {
  if (name.size() < from.size() || name.compare(name.size() - from.size(), from.size(), from) != 0) return false;
  name.replace(name.size() - from.size(), from.size(), to);
  return true;
}

}  // namespace detail

/// What a stored name stands for.
struct tensor_name {
  std::string name;                  ///< the name this library uses
  bool is_published_scalar = false;  ///< came from the authors' code: one number per layer instead of one per head
};

/// The library's name of a stored tensor; empty for a buffer that is no parameter (position_ids).
/// - leading "module." and "_orig_mod." go (saved from a multi-GPU wrapper, or a compiled model, or both);
/// - "LayerNorm.gamma" and "LayerNorm.beta" become weight and bias; no other gamma or beta is touched by this;
/// - the inhibitor scalars gamma, alpha, beta that the authors' code keeps in the attention block get our names;
/// - a bare encoder ("embeddings...", "transformer...", "encoder...", "pooler...") gets the prefix of its family.
inline tensor_name canonical_tensor_name(std::string_view stored, model_family family) {
  tensor_name out;
  for (bool is_wrapped = true; is_wrapped;) {
    is_wrapped = false;
    for (const std::string_view wrapper : {"module.", "_orig_mod."}) {
      if (!detail::starts_with(stored, wrapper)) continue;
      stored.remove_prefix(wrapper.size());
      is_wrapped = true;
    }
  }
  out.name = stored;
  if (family == model_family::bert) {
    for (const char* part : {"embeddings.", "encoder.", "pooler."}) {
      if (detail::starts_with(stored, part)) out.name.insert(0, "bert.");
    }
  } else {
    for (const char* part : {"embeddings.", "transformer."}) {
      if (detail::starts_with(stored, part)) out.name.insert(0, "distilbert.");
    }
  }
  if (detail::replace_ending(out.name, ".embeddings.position_ids", "")) return {};
  detail::replace_ending(out.name, "LayerNorm.gamma", "LayerNorm.weight");
  detail::replace_ending(out.name, "LayerNorm.beta", "LayerNorm.bias");
  for (const auto& [theirs, ours] : {std::pair(".attention.gamma", ".attention.inhibitor_score_scale"),
                                     std::pair(".attention.alpha", ".attention.inhibitor_shift"),
                                     std::pair(".attention.beta", ".attention.inhibitor_output_scale")}) {
    if (detail::replace_ending(out.name, theirs, ours)) out.is_published_scalar = true;
  }
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
