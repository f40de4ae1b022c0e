// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "classify/line_source.hpp"
#include "inhibitor/base/check.hpp"

// One or two texts per line: plain text, TSV with a header (no quoting, as in GLUE), or one JSON object per line.

namespace inhibitor::examples {

enum class row_format { text, tsv, jsonl };

/// How lines are read. Empty column names: text from "sentence" or "text", no pair.
struct row_options {
  row_format format = row_format::text;
  std::string text_column, pair_column;
};

/// Format by the ending of a file's name: .tsv, .jsonl, anything else is text.
inline row_format format_of_file(const std::string& path) {
  const auto ends_with = [&](const std::string& end) {
    return path.size() >= end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
  };
  return ends_with(".tsv") ? row_format::tsv : ends_with(".jsonl") ? row_format::jsonl : row_format::text;
}

/// What one line asks about.
struct text_row {
  std::string text;
  std::optional<std::string> pair;
};

/// Reads rows one by one. All errors are file_error with the line.
class text_rows {
 public:
  /// Opens `path` ("-": standard input); of a TSV the header is read at once. Throws file_error;
  /// std::invalid_argument for column names with plain text.
  text_rows(const std::string& path, row_options options) : source_(path), options_(std::move(options)) {
    if (options_.format == row_format::text) {
      check(options_.text_column.empty() && options_.pair_column.empty(),
            "--text-column and --pair-column need --input tsv or jsonl");
    }
    if (options_.format == row_format::tsv) read_header();
  }

  const line_source& source() const { return source_; }
  bool ready() { return source_.ready(); }

  /// The next row; false at the end. Throws file_error for a line that is not what the format or the columns ask for.
  bool next(text_row& row) {
    if (!source_.next(line_)) return false;
    switch (options_.format) {
      case row_format::text:
        row = {line_, std::nullopt};
        break;
      case row_format::tsv:
        cut_fields();
        if (fields_.size() != columns_) {
          fail("found " + std::to_string(fields_.size()) + " tab-separated columns; expected " +
               std::to_string(columns_) + " as in the header");
        }
        row.text = fields_[text_index_];
        row.pair = pair_index_ ? std::optional<std::string>(fields_[*pair_index_]) : std::nullopt;
        break;
      case row_format::jsonl:
        parse_object(row);
        break;
    }
    return true;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw file_error(source_.name(), source_.line(), problem);
  }

  void cut_fields() {
    fields_.clear();
    std::size_t begin = 0;
    for (std::size_t tab = line_.find('\t'); tab != std::string::npos; tab = line_.find('\t', begin)) {
      fields_.push_back(line_.substr(begin, tab - begin));
      begin = tab + 1;
    }
    fields_.push_back(line_.substr(begin));
  }

  void read_header() {
    if (!source_.next(line_)) throw file_error(source_.name(), "is empty; expected a header line");
    cut_fields();
    columns_ = fields_.size();
    const auto find = [&](const std::string& name) -> std::optional<std::size_t> {
      const auto found = std::find(fields_.begin(), fields_.end(), name);
      if (found == fields_.end()) return std::nullopt;
      return static_cast<std::size_t>(found - fields_.begin());
    };
    const auto require = [&](const std::string& name) {
      if (const auto found = find(name)) return *found;
      std::string names;
      for (const std::string& field : fields_) names += (names.empty() ? "" : ", ") + field;
      fail("found the columns \"" + names + "\"; expected \"" + name + "\"");
    };
    if (options_.text_column.empty()) options_.text_column = find("sentence") ? "sentence" : find("text") ? "text" : "";
    if (options_.text_column.empty()) fail("has neither a column \"sentence\" nor \"text\"; name one by --text-column");
    text_index_ = require(options_.text_column);
    if (!options_.pair_column.empty()) pair_index_ = require(options_.pair_column);
  }

  void parse_object(text_row& row) {
    const auto object = nlohmann::json::parse(line_, nullptr, false);
    if (!object.is_object()) fail("is not a JSON object in UTF-8");
    const auto string = [&](const std::string& key) -> const std::string& {
      const auto found = object.find(key);
      if (found == object.end()) fail("has no key \"" + key + "\"");
      if (!found->is_string()) fail("the value of \"" + key + "\" is not a string");
      return found->get_ref<const std::string&>();
    };
    if (options_.text_column.empty()) {
      if (!object.contains("sentence") && !object.contains("text")) {
        fail("has neither a key \"sentence\" nor \"text\"; name one by --text-column");
      }
      row.text = string(object.contains("sentence") ? "sentence" : "text");
    } else {
      row.text = string(options_.text_column);
    }
    row.pair = options_.pair_column.empty() ? std::nullopt : std::optional<std::string>(string(options_.pair_column));
  }

  line_source source_;
  row_options options_;
  std::string line_;
  std::vector<std::string> fields_;
  std::size_t columns_ = 0, text_index_ = 0;
  std::optional<std::size_t> pair_index_;
};

}  // namespace inhibitor::examples
