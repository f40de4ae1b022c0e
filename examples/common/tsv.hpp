// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/read_file.hpp"

namespace inhibitor {

/// A tab-separated text with a header, without any quoting: lines end at LF (one CR before it is dropped), fields at
/// tabs, and nothing else is special. Fields keep their blanks and bytes. A byte order mark at the start is dropped.
class tsv_table {
 public:
  /// Reads a file. Throws file_error when it cannot be read, is empty, or a line has not as many columns as the header.
  static tsv_table read(const std::string& file) { return tsv_table(file, read_file(file)); }

  /// As read, from a text; `name` stands for the file in messages.
  tsv_table(const std::string& name, std::string content) : name_(name), content_(std::move(content)) {
    std::string_view rest = content_;
    if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
    if (rest.empty()) throw file_error(name_, "is empty; expected a header line and one example per line");
    for (index_t line = 1; !rest.empty(); ++line) {
      const std::size_t end = rest.find('\n');
      std::string_view text = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
      const std::size_t first = fields_.size();
      for (std::size_t tab = text.find('\t'); tab != std::string_view::npos; tab = text.find('\t')) {
        fields_.push_back(span_of(text.substr(0, tab)));
        text.remove_prefix(tab + 1);
      }
      fields_.push_back(span_of(text));
      const std::size_t count = fields_.size() - first;
      if (line == 1) columns_ = static_cast<index_t>(count);
      if (static_cast<index_t>(count) != columns_) {
        throw file_error(name_, line,
                         "found " + std::to_string(count) + " tab-separated columns; expected " +
                             std::to_string(columns_) + " as in the header");
      }
    }
  }

  const std::string& name() const { return name_; }
  index_t columns() const { return columns_; }
  /// Number of lines after the header.
  index_t rows() const { return static_cast<index_t>(fields_.size()) / columns_ - 1; }
  /// Line number, counted from 1, of a row: for messages.
  static index_t line(index_t row) { return row + 2; }

  /// Column with this name in the header, or -1.
  index_t find_column(std::string_view name) const {
    for (index_t c = 0; c < columns_; ++c) {
      if (field(-1, c) == name) return c;
    }
    return -1;
  }

  /// The header's names, for messages.
  std::string header() const {
    std::string names;
    for (index_t c = 0; c < columns_; ++c) names.append(c == 0 ? "" : ", ").append(field(-1, c));
    return names;
  }

  /// Field of row -1 (the header) .. rows() - 1. Valid as long as the table.
  std::string_view field(index_t row, index_t column) const {
    const span& s = fields_[static_cast<std::size_t>((row + 1) * columns_ + column)];
    return std::string_view(content_).substr(s.begin, s.size);
  }

 private:
  struct span {
    std::size_t begin;
    std::size_t size;
  };

  span span_of(std::string_view text) const {
    return {static_cast<std::size_t>(text.data() - content_.data()), text.size()};
  }

  std::string name_;
  std::string content_;
  std::vector<span> fields_;  // positions, not views, so that a moved table stays valid
  index_t columns_ = 0;
};

}  // namespace inhibitor
