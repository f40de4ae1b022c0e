// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/text/utf8_error.hpp"
#include "inhibitor/text/word_counter.hpp"

// Words and vocabularies of byte-pair encoding: what subword-nmt's get-vocab counts, writes and reads.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Calls body(word) for every word of a line: what stands between blanks (U+0020 alone; other white space is part of
/// words), a carriage return at either end of the line left out.
template <class Body>
void for_each_bpe_word(std::string_view line, Body body) {
  const auto is_end = [](char c) { return c == ' ' || c == '\r' || c == '\n'; };
  while (!line.empty() && is_end(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_end(line.back())) line.remove_suffix(1);
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    if (end > begin) body(line.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Adds the words of a text, whose lines end with LF or CRLF. For a joint vocabulary add the texts of both languages.
/// Throws utf8_error. Allocates.
inline void count_bpe_words(std::string_view text, word_counter& counter) {
  check_utf8(text);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    for_each_bpe_word(text.substr(begin, end - begin), [&](std::string_view word) { counter.add(word); });
    begin = end + 1;
  }
}

/// A vocabulary file: lines "word count", the most frequent first, equals in order of their first occurrence.
inline std::string bpe_vocabulary_text(const word_counter& counter) {
  std::vector<const word_count*> sorted;
  for (const word_count& entry : counter.words()) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const word_count* a, const word_count* b) { return a->count > b->count; });
  std::string text;
  for (const word_count* entry : sorted) text.append(entry->word + " " + std::to_string(entry->count) + "\n");
  return text;
}

/// Reads the content of a vocabulary file: the words with a count of at least `threshold`. Throws file_error, with the
/// line, for anything but a word and a number separated by one blank, and for invalid UTF-8. Allocates.
inline std::unordered_set<std::string> parse_bpe_vocabulary(const std::string& name, std::string_view content,
                                                            index_t threshold = 0) {
  std::unordered_set<std::string> words;
  index_t line_number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    const std::string_view line = content.substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    std::vector<std::string_view> fields;
    for_each_bpe_word(line, [&](std::string_view field) { fields.push_back(field); });
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (fields.size() != 2 || fields[1].size() > 18 || !std::all_of(fields[1].begin(), fields[1].end(), is_digit) ||
        unicode::find_invalid_utf8(line) >= 0) {
      throw file_error(name, line_number, "expected a word in UTF-8 and its count, separated by one blank");
    }
    if (std::stoll(std::string(fields[1])) >= threshold) words.emplace(fields[0]);
  }
  return words;
}

/// Reads a vocabulary file. Throws file_error (parse_bpe_vocabulary, or when it cannot be read). Allocates.
inline std::unordered_set<std::string> read_bpe_vocabulary(const std::string& file, index_t threshold = 0) {
  return parse_bpe_vocabulary(file, read_file(file), threshold);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
