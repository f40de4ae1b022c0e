// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A word and how often it occurs.
struct word_count {
  std::string word;
  index_t count;
};

/// Counts words; remembers in which order they came first.
class word_counter {
 public:
  word_counter() = default;
  word_counter(word_counter&&) = default;
  word_counter& operator=(word_counter&&) = default;

  /// Allocates where the word is new.
  void add(std::string_view word, index_t count = 1) {
    const auto known = index_.find(word);
    if (known != index_.end()) {
      words_[known->second].count += count;
      return;
    }
    words_.push_back({std::string(word), count});
    index_.emplace(words_.back().word, words_.size() - 1);
  }

  /// Every word once, in order of its first occurrence.
  const std::deque<word_count>& words() const { return words_; }

 private:
  std::deque<word_count> words_;  // whose strings never move: the keys of the index point into them
  std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
