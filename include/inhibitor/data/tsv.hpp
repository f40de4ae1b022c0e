// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/data/text_table.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Bytes a text starts with when it carries a byte order mark: 3 or 0.
inline std::size_t byte_order_mark_size(std::string_view text) { return text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0; }

/// A tab-separated text without any quoting: lines end at LF (one CR before it is dropped), fields at tabs, and nothing
/// else is special. Fields keep their blanks and bytes. A byte order mark at the start and empty lines at the end are
/// dropped. `name` stands for the file in messages. Throws file_error when there is no line. Allocates.
inline text_table read_tsv(const std::string& name, std::string content) {
  text_table table(name, std::move(content));
  const std::string_view text = table.content();
  index_t line = 0;
  for (std::size_t begin = byte_order_mark_size(text); begin < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', begin), text.size());
    const std::size_t end = line_end > begin && text[line_end - 1] == '\r' ? line_end - 1 : line_end;
    const std::string_view up_to_end = text.substr(0, end);
    table.begin_row(++line);
    for (std::size_t tab; (tab = up_to_end.find('\t', begin)) != std::string_view::npos;) {
      table.add_field(begin, tab - begin);
      begin = tab + 1;
    }
    table.add_field(begin, end - begin);
    begin = line_end + 1;
  }
  while (table.rows() > 0 && table.columns(table.rows() - 1) == 1 && table.field(table.rows() - 1, 0).empty()) {
    table.drop_last_row();
  }
  if (table.rows() == 0) throw file_error(name, "is empty; expected a header line and one example per line");
  return table;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
