// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/data/tsv.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A comma-separated text as RFC 4180 has it: a field in double quotes may hold commas, line ends and, doubled, quotes.
/// A quote inside a field that does not begin with one is plain text. Lines end at LF or CRLF; a byte order mark at the
/// start and empty lines are dropped. Throws file_error, with the line, when a quote is not closed or text follows a
/// closing quote, and when there is no line. Allocates.
inline text_table read_csv(const std::string& name, const std::string& content) {
  text_table table(name, "");
  const std::string_view text = content;
  index_t line = 1;
  std::string field;
  std::size_t at = byte_order_mark_size(text);
  const auto at_line_end = [&] {
    return at == text.size() || text[at] == '\n' || (text[at] == '\r' && text.substr(at, 2) == "\r\n");
  };
  const auto read_quoted = [&] {
    const index_t opened = line;
    for (++at;; ++at) {
      if (at == text.size()) throw file_error(name, opened, "opens a quote that is never closed");
      if (text[at] == '\n') ++line;
      if (text[at] == '"' && text.substr(at, 2) != "\"\"") break;
      if (text[at] == '"') ++at;
      field.push_back(text[at]);
    }
    ++at;
    if (!at_line_end() && text[at] != ',') {
      throw file_error(name, line, "has text after a closing quote; expected a comma or the end of the line");
    }
  };
  while (at < text.size()) {
    if (at_line_end()) {  // an empty line
      at += text[at] == '\r' ? 2 : 1;
      ++line;
      continue;
    }
    table.begin_row(line);
    for (bool more = true; more;) {
      field.clear();
      if (at < text.size() && text[at] == '"') {
        read_quoted();
      } else {
        while (!at_line_end() && text[at] != ',') field.push_back(text[at++]);
      }
      table.append_field(field);
      more = !at_line_end();
      if (more) ++at;
    }
    if (at < text.size()) at += text[at] == '\r' ? 2 : 1;
    ++line;
  }
  if (table.rows() == 0) throw file_error(name, "is empty; expected a header line and one example per line");
  return table;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
