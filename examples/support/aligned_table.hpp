// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"

namespace inhibitor::examples {

/// A table of strings for people: plain text with aligned columns, or Markdown.
class aligned_table {
 public:
  struct column {
    std::string title;
    bool is_number = false;  ///< aligned to the right
  };

  explicit aligned_table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// Appends a row. Throws std::invalid_argument unless there is one cell per column.
  void add(std::vector<std::string> row) {
    check(row.size() == columns_.size(), "aligned_table: a row needs one cell per column");
    rows_.push_back(std::move(row));
  }

  std::size_t rows() const { return rows_.size(); }

  /// Columns separated by two spaces, a line of dashes below the titles.
  std::string plain() const {
    const std::vector<std::size_t> widths = column_widths();
    std::string out = line(titles(), widths, "", "  ", "");
    std::vector<std::string> dashes;
    for (const std::size_t width : widths) dashes.emplace_back(width, '-');
    out += line(dashes, widths, "", "  ", "");
    for (const auto& row : rows_) out += line(row, widths, "", "  ", "");
    return out;
  }

  /// A Markdown table that reads as text too.
  std::string markdown() const {
    aligned_table escaped = *this;
    for (auto& row : escaped.rows_) {
      for (std::string& cell : row) {
        for (std::size_t at = cell.find('|'); at != std::string::npos; at = cell.find('|', at + 2))
          cell.insert(at, 1, '\\');
      }
    }
    return escaped.markdown_lines();
  }

 private:
  /// Characters of UTF-8 text, counted as its bytes that are no continuation.
  static std::size_t length(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  std::string markdown_lines() const {
    const std::vector<std::size_t> widths = column_widths();
    std::string out = line(titles(), widths, "| ", " | ", " |");
    std::vector<std::string> rule;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      rule.push_back(std::string(widths[i] - 1, '-') + (columns_[i].is_number ? ":" : "-"));
    }
    out += line(rule, widths, "| ", " | ", " |");
    for (const auto& row : rows_) out += line(row, widths, "| ", " | ", " |");
    return out;
  }

  std::vector<std::string> titles() const {
    std::vector<std::string> out;
    for (const column& c : columns_) out.push_back(c.title);
    return out;
  }

  std::vector<std::size_t> column_widths() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::size_t width = std::max<std::size_t>(length(columns_[i].title), 3);
      for (const auto& row : rows_) width = std::max(width, length(row[i]));
      widths.push_back(width);
    }
    return widths;
  }

  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths, const char* begin,
                   const char* between, const char* end) const {
    std::string out = begin;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += between;
      const std::string blanks(widths[i] - length(cells[i]), ' ');
      out += columns_[i].is_number ? blanks + cells[i] : cells[i] + blanks;
    }
    out += end;
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out + "\n";
  }

  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace inhibitor::examples
