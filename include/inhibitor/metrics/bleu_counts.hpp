// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "inhibitor/metrics/ngrams.hpp"

// What every form of BLEU is computed from: counts of n-grams that hypotheses share with their references.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

inline constexpr index_t bleu_order = 4;  // n-grams of 1 to 4 tokens

/// Sums over a corpus; element n - 1 of the arrays belongs to n-grams of n tokens.
struct bleu_counts {
  std::array<index_t, bleu_order> matches{};  ///< n-grams of hypotheses that their references have, clipped
  std::array<index_t, bleu_order> totals{};   ///< n-grams of hypotheses
  index_t hypothesis_length = 0;              ///< tokens
  index_t reference_length = 0;               ///< tokens of the references closest in length
};

/// Adds one hypothesis with its references, at least one; all are tokens joined by single blanks. An n-gram matches at
/// most as often as the reference that has most of it; of two references equally close in length the shorter counts.
inline void add_bleu_counts(bleu_counts& sum, const std::string& hypothesis,
                            const std::vector<std::string>& references) {
  const std::vector<text_span> tokens = split_words(hypothesis);
  std::vector<std::vector<text_span>> reference_tokens;
  for (const std::string& reference : references) reference_tokens.push_back(split_words(reference));

  const auto length = static_cast<index_t>(tokens.size());
  auto closest = static_cast<index_t>(reference_tokens.front().size());
  for (const std::vector<text_span>& other : reference_tokens) {
    const auto candidate = static_cast<index_t>(other.size());
    const index_t difference = std::abs(candidate - length) - std::abs(closest - length);
    if (difference < 0 || (difference == 0 && candidate < closest)) closest = candidate;
  }
  sum.hypothesis_length += length;
  sum.reference_length += closest;

  for (index_t order = 1; order <= bleu_order; ++order) {
    ngram_counts most = count_ngrams(references.front(), reference_tokens.front(), order);
    for (std::size_t r = 1; r < references.size(); ++r) {
      for (const auto& [ngram, count] : count_ngrams(references[r], reference_tokens[r], order)) {
        index_t& known = most[ngram];
        known = std::max(known, count);
      }
    }
    const auto n = static_cast<std::size_t>(order - 1);
    sum.totals[n] += ngram_total(length, order);
    sum.matches[n] += count_matches(count_ngrams(hypothesis, tokens, order), most);
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
