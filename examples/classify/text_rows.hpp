// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "classify/line_source.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/data/custom_reader.hpp"

// One or two texts per row of an input: plain text, or a table as `glue` reads it. Plain text, tab-separated lines and
// JSON lines come as they are written; CSV, whose rows are no lines, and JSON arrays are read whole.

namespace inhibitor::examples {

enum class row_format { text, tsv, csv, json, jsonl };

/// Names of the formats, in the order of row_format.
inline constexpr std::array<const char*, 5> row_format_names{"text", "tsv", "csv", "json", "jsonl"};

/// How rows are read. Empty column names: the columns that `glue` takes, see find_text_columns.
struct row_options {
  row_format format = row_format::text;
  std::string text_column, pair_column;
};

/// Format by the ending of a file's name, without .gz: .tsv, .csv, .json, .jsonl; .txt and names without an ending are
/// plain text. Throws file_error for any other ending.
inline row_format format_of_file(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (ends_with(name, ".gz")) name.resize(name.size() - 3);
  const std::size_t dot = name.rfind('.');
  const std::string ending = dot == std::string::npos ? "" : name.substr(dot + 1);
  if (ending.empty() || ending == "txt") return row_format::text;
  for (std::size_t i = 1; i < row_format_names.size(); ++i) {
    if (ending == row_format_names[i]) return static_cast<row_format>(i);
  }
  throw file_error(path, "has the ending ." + ending +
                             "; expected .txt, .tsv, .csv, .json or .jsonl, each also with .gz, or --input FORMAT");
}

/// What one row asks about.
struct text_row {
  std::string text;
  std::optional<std::string> pair;
  index_t line = 0;  ///< where it begins, from 1
};

/// Reads rows one by one. All errors are file_error with the line.
class row_reader {
 public:
  /// Opens `path` ("-": standard input); of a TSV the header is read at once, CSV and JSON as a whole. Throws
  /// file_error; std::invalid_argument for column names with plain text.
  row_reader(const std::string& path, row_options options) : source_(path), options_(std::move(options)) {
    switch (options_.format) {
      case row_format::text:
        check(options_.text_column.empty() && options_.pair_column.empty(),
              "--text-column and --pair-column need a table: --input tsv, csv, json or jsonl");
        break;
      case row_format::tsv:
        if (!source_.next(line_)) throw file_error(source_.name(), "is empty; expected a header line");
        find_columns(parse_table(source_.name(), line_, table_format::tsv));
        break;
      case row_format::csv:
      case row_format::json:
        table_ = parse_table(name(), source_.rest(),
                             options_.format == row_format::csv ? table_format::csv : table_format::json);
        find_columns(*table_);
        break;
      case row_format::jsonl:  // the first object tells the columns
        break;
    }
  }

  const std::string& name() const { return source_.name(); }
  /// True when `next` would give a row, or the end, without waiting.
  bool ready() { return table_ ? row_ < table_->rows() : source_.ready(); }

  /// The columns in use, for people, when they were chosen by their place and not by their name; else empty.
  const std::string& guess() const { return guess_; }

  /// The next row; false at the end. Throws file_error for a line that is not what the format or the columns ask for.
  bool next(text_row& row) {
    switch (options_.format) {
      case row_format::text:
        if (!source_.next(line_)) return false;
        row = {line_, std::nullopt, source_.line()};
        return true;
      case row_format::tsv:
        if (!next_line_with_text()) return false;
        if (line_.empty()) {
          row = {"", std::nullopt, source_.line()};
        } else {
          take(row, read_tsv(name(), line_), 0, source_.line());
        }
        return true;
      case row_format::jsonl:
        if (!next_line_with_text()) return false;
        if (columns_ == 0 && line_[line_.find_first_not_of(" \t")] == '[') {  // an array, whatever the ending says
          const index_t line = source_.line();
          table_ = read_json_rows(name(), line_ + "\n" + source_.rest(), line);
          find_columns(*table_);
          options_.format = row_format::json;
          return next(row);
        }
        take_object(row);
        return true;
      case row_format::csv:
      case row_format::json:
        break;
    }
    if (row_ == table_->rows()) return false;
    take(row, *table_, row_, table_->line(row_));
    ++row_;
    return true;
  }

 private:
  /// Blank JSON lines are skipped; an empty line is a row of one column, and of several only the end may be empty.
  bool next_line_with_text() {
    index_t empty = 0;
    while (source_.next(line_)) {
      const bool is_json = options_.format == row_format::jsonl;
      const bool is_blank =
          is_json ? line_.find_first_not_of(" \t") == std::string::npos : line_.empty() && columns_ > 1;
      if (!is_blank && empty > 0 && !is_json) throw wrong_columns(empty, 1);
      if (!is_blank) return true;
      if (empty == 0) empty = source_.line();
    }
    return false;
  }

  file_error wrong_columns(index_t line, index_t found) const {
    return {name(), line,
            "found " + std::to_string(found) + " columns; expected " + std::to_string(columns_) + " as in the header"};
  }

  void take(text_row& row, const text_table& table, index_t at, index_t line) {
    if (table.columns(at) != columns_) throw wrong_columns(line, table.columns(at));
    row.text = table.field(at, numbers_.first);
    row.pair.reset();
    if (numbers_.second >= 0) row.pair = table.field(at, numbers_.second);
    row.line = line;
  }

  /// A JSON line, whose keys may come in any order.
  void take_object(text_row& row) {
    const text_table object = read_json_rows(name(), line_, source_.line());
    if (object.rows() != 2) throw object.error_at(0, "is no JSON object; expected one per line");
    if (columns_ == 0) find_columns(object);
    const auto field = [&](const std::string& key) {
      const index_t column = object.find_column(key);
      if (column < 0) {
        throw object.error_at(0, "found the keys \"" + object.header() + "\"; expected \"" + key + "\"");
      }
      return std::string(object.field(1, column));
    };
    row.text = field(options_.text_column);
    row.pair.reset();
    if (!options_.pair_column.empty()) row.pair = field(options_.pair_column);
    row.line = source_.line();
  }

  /// Sets columns_, numbers_ and the names in options_ by row 0 of `table`.
  void find_columns(const text_table& table) {
    const auto find = [&](const std::string& column) {
      const index_t found = table.find_column(column);
      if (found >= 0) return found;
      throw table.error_at(0, "found the columns \"" + table.header() + "\"; expected \"" + column + "\"");
    };
    const auto column = [&](index_t number) { return number < 0 ? "" : std::string(table.field(0, number)); };
    columns_ = table.columns(0);
    const bool is_named = !options_.text_column.empty();
    numbers_ = is_named ? text_column_numbers{find(options_.text_column), -1} : find_text_columns(table);
    if (!options_.pair_column.empty()) numbers_.second = find(options_.pair_column);
    if (numbers_.first == numbers_.second) {
      throw table.error_at(0, "\"" + options_.pair_column + "\" would be both texts; name the other by --text-column");
    }
    options_.text_column = column(numbers_.first);
    options_.pair_column = column(numbers_.second);
    const bool is_usual = numbers_.second < 0
                              ? options_.text_column == "sentence" || options_.text_column == "text"
                              : options_.text_column == "sentence1" && options_.pair_column == "sentence2";
    if (is_named || is_usual) return;
    guess_ = numbers_.second < 0 ? "text from \"" + options_.text_column + "\""
                                 : "texts from \"" + options_.text_column + "\" and \"" + options_.pair_column + "\"";
  }

  line_source source_;
  row_options options_;
  std::string line_;
  index_t columns_ = 0;
  text_column_numbers numbers_;
  std::optional<text_table> table_;  // of formats that are read whole
  index_t row_ = 1;                  // next in table_
  std::string guess_;
};

}  // namespace inhibitor::examples
