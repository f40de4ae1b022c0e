// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/text/white_space.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

inline bool is_13a_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_13a_point(char c) { return c == '.' || c == ','; }

/// What stands alone wherever it is: ASCII punctuation without apostrophe, comma, period and hyphen.
inline bool is_13a_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, begin)) {
    out.append(text.substr(begin, at - begin)).append(to);
    begin = at + from.size();
  }
  return out.append(text.substr(begin));
}

/// From left to right, every two characters a b for which `matches(a, b)` become before, a, ' ', b, after; the search
/// goes on behind them, so that matches do not overlap. A byte is as good as a character: all that is looked for is
/// ASCII.
template <class Matches>
std::string part_pairs(std::string_view text, std::string_view before, std::string_view after, Matches matches) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  std::size_t i = 0;
  while (i + 1 < text.size()) {
    if (matches(text[i], text[i + 1])) {
      out.append(before).append({text[i], ' ', text[i + 1]}).append(after);
      i += 2;
    } else {
      out.push_back(text[i++]);
    }
  }
  return out.append(text.substr(i));
}

}  // namespace detail

/// The tokens of mteval-v13a, joined by single blanks, the same as sacreBLEU 2's tokenizer "13a" (Post 2018, "A Call
/// for Clarity in Reporting BLEU Scores"). Four XML entities become characters, ASCII punctuation stands alone, and so
/// do periods and commas but between digits, and hyphens after a digit. `line` is valid UTF-8. Allocates.
inline std::string tokenize_13a(std::string_view line) {
  const std::vector<text_span> words = split_words(line);
  if (words.empty()) return {};
  std::string text = detail::replaced(line.substr(0, words.back().end), "<skipped>", "");
  text = detail::replaced(text, "-\n", "");
  text = detail::replaced(text, "\n", " ");
  text = detail::replaced(text, "&quot;", "\"");
  text = detail::replaced(text, "&amp;", "&");
  text = detail::replaced(text, "&lt;", "<");
  text = detail::replaced(text, "&gt;", ">");

  std::string spaced = " ";
  for (const char c : text) {
    if (detail::is_13a_symbol(c)) {
      spaced.append({' ', c, ' '});
    } else {
      spaced.push_back(c);
    }
  }
  spaced.push_back(' ');
  using detail::is_13a_digit;
  using detail::is_13a_point;
  spaced = detail::part_pairs(spaced, "", " ", [](char a, char b) { return !is_13a_digit(a) && is_13a_point(b); });
  spaced = detail::part_pairs(spaced, " ", "", [](char a, char b) { return is_13a_point(a) && !is_13a_digit(b); });
  spaced = detail::part_pairs(spaced, "", " ", [](char a, char b) { return is_13a_digit(a) && b == '-'; });
  return squeeze_white_space(spaced);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
