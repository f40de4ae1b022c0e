// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Reads a `vocab.txt`: one token per line, line number (from 0) = id, LF or CRLF. The fast rules drop all blanks at
/// the end of a line, the slow ones the line end alone. Throws file_error when the file cannot be read, is empty or a
/// line is not UTF-8. Allocates.
inline std::vector<std::string> read_vocabulary(const std::string& file,
                                                tokenizer_rules rules = tokenizer_rules::fast) {
  const std::string content = read_file(file);
  if (content.empty()) throw file_error(file, "is empty; expected one token per line");
  refuse_foreign_text(file, content);
  std::vector<std::string> tokens;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view token(content.data() + begin, end - begin);
    begin = end + 1;
    const index_t invalid = unicode::find_invalid_utf8(token);
    if (invalid >= 0) {
      throw file_error(file, static_cast<index_t>(tokens.size()) + 1,
                       "byte " + std::to_string(invalid) + " of the line is not valid UTF-8; expected a token");
    }
    if (rules == tokenizer_rules::slow) {
      if (!token.empty() && token.back() == '\r') token.remove_suffix(1);
    } else {
      while (!token.empty()) {
        index_t last = static_cast<index_t>(token.size()) - 1;
        while ((static_cast<unsigned char>(token[static_cast<std::size_t>(last)]) & 0xC0) == 0x80) --last;
        const std::uint32_t c = unicode::decode(token, last).code_point;
        if (!unicode::is_whitespace(c) && !(c >= 0x09 && c <= 0x0D) && c != 0x85) break;
        token.remove_suffix(token.size() - static_cast<std::size_t>(last));
      }
    }
    tokens.emplace_back(token);
  }
  return tokens;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
