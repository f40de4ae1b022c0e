// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/data/csv.hpp"
#include "inhibitor/data/json_rows.hpp"
#include "inhibitor/data/tsv.hpp"
#include "inhibitor/io/gzip.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Endings of the files read_table understands, best first.
inline constexpr std::array<std::string_view, 8> table_file_endings{".tsv",   ".tsv.gz",   ".csv",  ".csv.gz",
                                                                    ".jsonl", ".jsonl.gz", ".json", ".json.gz"};

/// The content of a text file, unpacked when its name ends in .gz. Throws file_error, also for what is no UTF-8 text
/// but something people meet in its place (foreign_content.hpp).
inline std::string read_text_file(const std::string& path) {
  std::string content = read_file(path);
  if (ends_with(path, ".gz")) {
    if (!is_gzip(content)) {
      refuse_foreign_text(path, content);
      throw file_error(path, "is no gzip file, whatever its name says");
    }
    content = gunzip(path, content);
  }
  refuse_foreign_text(path, content);
  return content;
}

/// For a header that is one field when cut at `separator`: throws file_error when it holds another character that
/// separates columns, because "text;label" is no name of one column.
inline void refuse_other_separator(const std::string& file, index_t line, std::string_view only_field, char separator) {
  for (const auto& [other, name] : {std::pair(';', "semicolons"), std::pair('\t', "tabs"), std::pair(',', "commas")}) {
    if (other == separator || only_field.find(other) == std::string_view::npos) continue;
    throw file_error(file, line,
                     std::string("is separated by ") + name + "; expected " +
                         (separator == ',' ? "commas, as the ending .csv says" : "tabs; commas have the ending .csv"));
  }
}

enum class table_format { tsv, csv, json };

/// The format that a file's name says: .csv, .json or .jsonl, anything else tab-separated; each also with .gz.
inline table_format table_format_of(std::string_view path) {
  if (ends_with(path, ".gz")) path.remove_suffix(3);
  if (ends_with(path, ".csv")) return table_format::csv;
  return ends_with(path, ".json") || ends_with(path, ".jsonl") ? table_format::json : table_format::tsv;
}

/// Cuts the content of a table; `name` stands for the file in messages. Throws file_error. Allocates.
inline text_table parse_table(const std::string& name, std::string content, table_format format) {
  if (format == table_format::json) return read_json_rows(name, content);
  const bool is_csv = format == table_format::csv;
  text_table table = is_csv ? read_csv(name, content) : read_tsv(name, std::move(content));
  if (table.columns(0) == 1) refuse_other_separator(name, table.line(0), table.field(0, 0), is_csv ? ',' : '\t');
  return table;
}

/// Reads a data file in the format its name says. Throws file_error. Allocates.
inline text_table read_table(const std::string& path) {
  return parse_table(path, read_text_file(path), table_format_of(path));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
