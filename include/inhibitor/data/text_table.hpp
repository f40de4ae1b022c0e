// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The lines of a data file cut into fields, whatever format it came in. Row 0 is the file's first line, usually a
/// header; rows may differ in their number of fields. Filled by read_tsv, read_csv and read_json_rows.
class text_table {
 public:
  /// `name` stands for the file in messages; `content` is what fields are taken from by `add_field`.
  text_table(std::string name, std::string content) : name_(std::move(name)), content_(std::move(content)) {}

  const std::string& name() const { return name_; }
  const std::string& content() const { return content_; }
  index_t rows() const { return static_cast<index_t>(rows_.size()); }
  /// Line of the file, counted from 1, at which a row begins.
  index_t line(index_t row) const { return rows_[static_cast<std::size_t>(row)].line; }
  index_t columns(index_t row) const {
    const auto next = static_cast<std::size_t>(row) + 1;
    const std::size_t end = next < rows_.size() ? rows_[next].first : fields_.size();
    return static_cast<index_t>(end - rows_[next - 1].first);
  }
  /// Valid as long as the table.
  std::string_view field(index_t row, index_t column) const {
    const span& s = fields_[rows_[static_cast<std::size_t>(row)].first + static_cast<std::size_t>(column)];
    return std::string_view(content_).substr(s.begin, s.size);
  }

  /// Column whose field in row 0 is `name`, or -1.
  index_t find_column(std::string_view name) const {
    for (index_t c = 0; rows() > 0 && c < columns(0); ++c) {
      if (field(0, c) == name) return c;
    }
    return -1;
  }

  /// The fields of row 0, for messages.
  std::string header() const {
    std::string names;
    for (index_t c = 0; rows() > 0 && c < columns(0); ++c) names.append(c == 0 ? "" : ", ").append(field(0, c));
    return names;
  }

  /// An error at a row: "<file>:<line>: <problem>".
  file_error error_at(index_t row, const std::string& problem) const { return {name_, line(row), problem}; }

  void begin_row(index_t line) { rows_.push_back({fields_.size(), line}); }
  /// A field of the row begun last: bytes [begin, begin + size) of the content.
  void add_field(std::size_t begin, std::size_t size) { fields_.push_back({begin, size}); }
  /// As add_field, for a text that is not in the content yet.
  void append_field(std::string_view text) {
    add_field(content_.size(), text.size());
    content_.append(text);
  }
  void drop_last_row() {
    fields_.resize(rows_.back().first);
    rows_.pop_back();
  }

 private:
  struct span {
    std::size_t begin;
    std::size_t size;
  };
  struct row_start {
    std::size_t first;  // index into fields_
    index_t line;
  };

  std::string name_;
  std::string content_;
  std::vector<span> fields_;  // positions, not views, so that a moved table stays valid
  std::vector<row_start> rows_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
