// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "inhibitor/base/executor.hpp"
#include "inhibitor/text/word_counter.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Adds the words of `text` (wordpiece::for_each_word) to `counter`. The text is cut at line ends into parts of about a
/// megabyte that run in parallel, so counts do not depend on the number of threads; the order in which words first
/// occurred does. Throws utf8_error when the tokenizer is strict. Allocates.
inline void count_wordpiece_words(std::string_view text, const wordpiece& tokenizer, word_counter& counter,
                                  const executor& workers = {}) {
  constexpr std::size_t part_size = std::size_t{1} << 20;
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.size() <= part_size ? std::string_view::npos : text.find('\n', part_size);
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end, text.size()));
  }
  std::vector<word_counter> counters(static_cast<std::size_t>(workers.workers()));
  workers.for_each(static_cast<index_t>(parts.size()), [&](index_t part, index_t worker) {
    word_counter& own = counters[static_cast<std::size_t>(worker)];
    tokenizer.for_each_word(parts[static_cast<std::size_t>(part)], [&](std::string_view word) { own.add(word); });
  });
  for (const word_counter& own : counters) {
    for (const word_count& entry : own.words()) counter.add(entry.word, entry.count);
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
