// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"

// Token frequencies: what a masked-LM loss is measured against. A model that knows frequencies alone and no context has
// the unigram cross-entropy as its loss.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How often each of the ids [0, vocabulary) occurs among the tokens (size). Throws std::invalid_argument for another id.
inline std::vector<index_t> count_tokens(const std::uint16_t* tokens, index_t size, index_t vocabulary) {
  std::vector<index_t> counts(static_cast<std::size_t>(vocabulary));
  for (index_t i = 0; i < size; ++i) {
    check(tokens[i] < vocabulary, [&] {
      return "token " + std::to_string(i) + " of the corpus is " + std::to_string(tokens[i]) +
             "; expected an id below the size of the vocabulary, " + std::to_string(vocabulary);
    });
    ++counts[tokens[i]];
  }
  return counts;
}

/// Natural logarithm of the frequency of each token, one added to every count: log((count + 1) / (sum + V)).
inline std::vector<double> log_frequencies(const std::vector<index_t>& counts) {
  double total = static_cast<double>(counts.size());
  for (const index_t count : counts) total += static_cast<double>(count);
  std::vector<double> out;
  for (const index_t count : counts) out.push_back(std::log((static_cast<double>(count) + 1) / total));
  return out;
}

/// Cross-entropy in nats per token of a text with the counts `text` under frequencies of another, log_frequencies(...);
/// 0 for no text. Of a text under its own it is the unigram entropy.
inline double unigram_cross_entropy(const std::vector<index_t>& text, const std::vector<double>& log_frequency) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    sum -= static_cast<double>(text[i]) * log_frequency[i];
    total += static_cast<double>(text[i]);
  }
  return total > 0 ? sum / total : 0;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
