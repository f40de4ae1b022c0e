// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "inhibitor/text/word_counter.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace inhibitor::examples {

/// What a vocabulary makes of a text.
struct vocabulary_use {
  index_t words = 0;
  index_t tokens = 0;
  index_t unknown_words = 0;     ///< words that become [UNK]
  index_t rare_token_count = 0;  ///< occurrences of the token that 95 % of the vocabulary occur at least as often as

  double tokens_per_word() const { return static_cast<double>(tokens) / static_cast<double>(words); }
  double unknown_percent() const { return 100 * static_cast<double>(unknown_words) / static_cast<double>(words); }
};

/// Cuts every word of `words` (count_wordpiece_words with the options of `tokenizer`), of which there is at least one.
inline vocabulary_use measure_vocabulary(const wordpiece& tokenizer, const word_counter& words) {
  vocabulary_use out;
  std::vector<index_t> counts(static_cast<std::size_t>(tokenizer.size()));
  for (const word_count& entry : words.words()) {
    out.words += entry.count;
    for (const std::int32_t id : tokenizer.tokenize(entry.word)) {
      out.tokens += entry.count;
      if (id == tokenizer.unk_id()) out.unknown_words += entry.count;
      counts[static_cast<std::size_t>(id)] += entry.count;
    }
  }
  const std::size_t at = std::min(counts.size() - 1, counts.size() * 95 / 100);
  std::nth_element(counts.begin(), counts.begin() + static_cast<index_t>(at), counts.end(), std::greater<>());
  out.rare_token_count = counts[at];
  return out;
}

}  // namespace inhibitor::examples
