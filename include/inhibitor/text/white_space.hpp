// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/text/unicode.hpp"

// White space as Python's str.split, strip and isspace have it: the measure that published scores of text are taken
// with. BERT's clean-up has another (unicode::is_whitespace).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Bytes [begin, end) of a text.
struct text_span {
  std::size_t begin;
  std::size_t end;
};

/// Whether `code_point` separates words for Python's str.split. Does not throw.
inline bool is_python_space(std::uint32_t code_point) {
  if (code_point < 0x80) {
    return code_point == ' ' || (code_point >= 0x09 && code_point <= 0x0D) ||
           (code_point >= 0x1C && code_point <= 0x1F);
  }
  return code_point == 0x85 || unicode::is_whitespace(code_point);
}

/// The words between white space, in order; `text` is valid UTF-8. Allocates.
inline std::vector<text_span> split_words(std::string_view text) {
  std::vector<text_span> words;
  bool is_inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const unicode::decoded_point point = unicode::decode(text, static_cast<index_t>(i));
    const auto next = i + static_cast<std::size_t>(point.length);
    const bool is_space = is_python_space(point.code_point);
    if (!is_space && !is_inside) words.push_back({i, next});
    if (!is_space) words.back().end = next;
    is_inside = !is_space;
    i = next;
  }
  return words;
}

/// The words of split_words joined by single blanks.
inline std::string squeeze_white_space(std::string_view text) {
  std::string out;
  for (const text_span& word : split_words(text)) {
    if (!out.empty()) out.push_back(' ');
    out.append(text.substr(word.begin, word.end - word.begin));
  }
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
