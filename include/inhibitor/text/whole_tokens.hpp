// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace tokenizing {

/// Tokens that are recognized in raw text before anything else is done to it: "[SEP]", and what a tokenizer adds.
class whole_tokens {
 public:
  /// Bytes [begin, end) of a text that are a token.
  struct match {
    std::int32_t id;
    std::size_t begin, end;
  };

  /// `text` must not be empty.
  void add(std::string_view text, std::int32_t id) {
    const auto shorter = [&](const token& t) { return t.text.size() < text.size(); };
    tokens_.insert(std::find_if(tokens_.begin(), tokens_.end(), shorter), {std::string(text), id});
    if (starts_.find(text[0]) == std::string::npos) starts_.push_back(text[0]);
  }

  /// The first token at or behind byte `begin`; of several that begin there the longest. Does not allocate or throw.
  std::optional<match> find(std::string_view text, std::size_t begin) const {
    for (std::size_t at = next_start(text, begin); at != std::string_view::npos; at = next_start(text, at + 1)) {
      for (const token& t : tokens_) {
        if (text.compare(at, t.text.size(), t.text) == 0) return match{t.id, at, at + t.text.size()};
      }
    }
    return std::nullopt;
  }

 private:
  struct token {
    std::string text;
    std::int32_t id;
  };

  // A search for one byte is far faster than one for several, and the special tokens all begin with the same.
  std::size_t next_start(std::string_view text, std::size_t begin) const {
    return starts_.size() == 1 ? text.find(starts_[0], begin) : text.find_first_of(starts_, begin);
  }

  std::vector<token> tokens_;  // longest first
  std::string starts_;         // their first bytes
};

}  // namespace tokenizing
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
