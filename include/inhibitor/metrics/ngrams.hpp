// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inhibitor/text/white_space.hpp"

// Counts of n-grams, runs of units of a text, for the metrics that compare texts by them.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How often each n-gram occurs. The keys point into the text that was counted.
using ngram_counts = std::unordered_map<std::string_view, index_t>;

/// All runs of `order` >= 1 neighbors among `units`, which lie in `text` in order. Words joined by single blanks and
/// characters without blanks give runs that are equal exactly when their units are.
inline ngram_counts count_ngrams(std::string_view text, const std::vector<text_span>& units, index_t order) {
  ngram_counts counts;
  const auto length = static_cast<std::size_t>(order);
  for (std::size_t i = 0; i + length <= units.size(); ++i) {
    ++counts[text.substr(units[i].begin, units[i + length - 1].end - units[i].begin)];
  }
  return counts;
}

/// Number of n-grams of both sides that can be paired with an equal one: the sum of the smaller counts.
inline index_t count_matches(const ngram_counts& a, const ngram_counts& b) {
  index_t matches = 0;
  for (const auto& [ngram, count] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) matches += std::min(count, found->second);
  }
  return matches;
}

/// Number of n-grams in a text of `units` units.
inline index_t ngram_total(index_t units, index_t order) { return std::max(units - order + 1, index_t{0}); }

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
