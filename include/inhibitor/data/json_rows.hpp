// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/data/tsv.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

using ordered_json = nlohmann::ordered_json;

/// Parses `text`, which starts at `line` of the file `name`.
inline ordered_json parse_rows(std::string_view text, const std::string& name, index_t line) {
  const auto limit_depth = [&](int depth, nlohmann::json::parse_event_t, ordered_json&) {
    if (depth > 8) throw file_error(name, line, "nests deeper than 8 levels; expected one flat object per example");
    return true;
  };
  try {
    return ordered_json::parse(text, limit_depth);
  } catch (const nlohmann::json::exception&) {
    throw file_error(name, line, "is not valid JSON");
  }
}

/// Adds one object as a row; the first object also gives row 0, the names of its keys.
inline void add_json_row(text_table& table, const ordered_json& object, index_t line) {
  if (!object.is_object() || object.empty()) {
    throw file_error(table.name(), line,
                     "is no JSON object with fields; expected {\"sentence1\": ..., \"label\": ...}");
  }
  if (table.rows() == 0) {
    table.begin_row(line);
    for (const auto& item : object.items()) table.append_field(item.key());
  }
  table.begin_row(line);
  for (index_t c = 0; c < table.columns(0); ++c) {
    const std::string key(table.field(0, c));
    const auto value = object.find(key);
    if (value == object.end())
      throw file_error(table.name(), line, "has no \"" + key + "\", which the first example has");
    if (value->is_structured()) throw file_error(table.name(), line, "\"" + key + "\" is no text or number");
    table.append_field(value->is_string() ? value->get_ref<const std::string&>()
                       : value->is_null() ? ""
                                          : value->dump());
  }
}

}  // namespace detail

/// JSON examples: one object per line, or one array of objects. Keys of the first object are the columns (row 0), in
/// its order; later objects need all of them, and more are ignored. Numbers and true / false become their text. Throws
/// file_error with the line (of an array: its first line), counted from `first_line`. Allocates.
inline text_table read_json_rows(const std::string& name, std::string_view content, index_t first_line = 1) {
  text_table table(name, "");
  std::string_view text = content;
  text.remove_prefix(byte_order_mark_size(text));
  const std::size_t first = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  if (first < text.size() && text[first] == '[') {
    const auto line = first_line + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), '\n');
    for (const auto& object : detail::parse_rows(text.substr(first), name, line)) {
      detail::add_json_row(table, object, line);
    }
  } else {
    for (index_t line = first_line; !text.empty(); ++line) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view row = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (row.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      detail::add_json_row(table, detail::parse_rows(row, name, line), line);
    }
  }
  if (table.rows() == 0) throw file_error(name, "is empty; expected one JSON object per line");
  return table;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
