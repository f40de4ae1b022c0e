// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace tokenizing {

inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    out.append(text, begin, at - begin).append(to);
    begin = at + from.size();
  }
  out.append(text, begin, std::string::npos);
  text.swap(out);
}

/// Removes the spaces that stand before punctuation and inside contractions when English tokens are joined by spaces.
inline void close_up_english(std::string& text) {
  for (const char* mark : {".", "?", "!", ","}) replace_all(text, std::string(" ") + mark, mark);
  replace_all(text, " ' ", "'");
  for (const char* ending : {"n't", "'m", "'s", "'ve", "'re"}) replace_all(text, std::string(" ") + ending, ending);
}

}  // namespace tokenizing
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
