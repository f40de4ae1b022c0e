// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "inhibitor/base/config.hpp"
#include "inhibitor/io/content_hash.hpp"

// Documents and lines that occur more than once: on repeated text a masked-LM loss comes to rest near word frequencies.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a document is to those before it.
enum class repetition { none, near, exact };

/// Finds documents that repeat earlier ones, and counts repeated lines. A document is near another when its sketch, the
/// 32 smallest hashes of its runs of eight tokens (bottom-k sampling, Broder 1997), shares at least 26 of them.
class duplicate_finder {
 public:
  /// Looks at the next document, as tokens, and remembers it.
  repetition add(const std::vector<std::uint16_t>& tokens) {
    content_hash hash;
    hash.add_values(tokens);
    if (!exact_.insert(hash.value()).second) return repetition::exact;
    const std::vector<std::uint64_t> sketch = sketch_of(tokens);
    const index_t document = documents_++;
    if (sketch.size() < sketch_size) return repetition::none;
    std::unordered_map<index_t, std::size_t> shared;
    std::size_t most = 0;
    for (const std::uint64_t value : sketch) {
      const auto [found, is_new] = owners_.emplace(value, document);
      if (!is_new) most = std::max(most, ++shared[found->second]);
    }
    return most >= shared_by_near ? repetition::near : repetition::none;
  }

  /// True when a line of these tokens has been there before. Lines of fewer than eight tokens never count.
  bool add_line(const std::uint16_t* tokens, std::size_t count) {
    if (count < run) return false;
    content_hash hash;
    hash.add_values(tokens, count);
    return !lines_.insert(hash.value()).second;
  }

 private:
  static constexpr std::size_t run = 8, sketch_size = 32, shared_by_near = 26;

  static std::vector<std::uint64_t> sketch_of(const std::vector<std::uint16_t>& tokens) {
    std::vector<std::uint64_t> smallest;  // a heap, the largest first
    for (std::size_t i = 0; i + run <= tokens.size(); ++i) {
      std::uint64_t h = 0x9E3779B97F4A7C15;
      for (std::size_t k = 0; k < run; ++k) {
        h = (h ^ tokens[i + k]) * 0xD6E8FEB86659FD93;
        h ^= h >> 32;
      }
      if (smallest.size() == sketch_size) {
        if (h >= smallest.front()) continue;
        if (std::find(smallest.begin(), smallest.end(), h) != smallest.end()) continue;
        std::pop_heap(smallest.begin(), smallest.end());
        smallest.back() = h;
      } else {
        if (std::find(smallest.begin(), smallest.end(), h) != smallest.end()) continue;
        smallest.push_back(h);
      }
      std::push_heap(smallest.begin(), smallest.end());
    }
    return smallest;
  }

  std::unordered_set<std::uint64_t> exact_, lines_;
  std::unordered_map<std::uint64_t, index_t> owners_;  // hash of a run: the first document with it in its sketch
  index_t documents_ = 0;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
