// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/gzip.hpp"
#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The lines of a UTF-8 text, LF or CRLF; gzip data where the name ends in .gz. Lines may be empty; a last line needs no
/// end. Throws file_error when the file cannot be read, and with the line for what is not UTF-8.
inline std::vector<std::string> read_text_lines(const std::string& file) {
  std::string content = read_file(file);
  if (ends_with(file, ".gz")) content = gunzip(file, content);
  refuse_foreign_text(file, content);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line(content.data() + begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const index_t invalid = unicode::find_invalid_utf8(line);
    if (invalid >= 0) {
      throw file_error(file, static_cast<index_t>(lines.size()) + 1,
                       "byte " + std::to_string(invalid) + " of the line is not valid UTF-8");
    }
    lines.emplace_back(line);
  }
  return lines;
}

/// A text and its translation, line by line.
struct parallel_text {
  std::vector<std::string> source, target;
};

/// Reads two files. Throws as read_text_lines, and file_error with both counts when they differ.
inline parallel_text read_parallel_text(const std::string& source, const std::string& target) {
  parallel_text text{read_text_lines(source), read_text_lines(target)};
  if (text.source.size() != text.target.size()) {
    throw file_error(target, "has " + std::to_string(text.target.size()) + " lines; expected as many as " + source +
                                 ", " + std::to_string(text.source.size()));
  }
  return text;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
