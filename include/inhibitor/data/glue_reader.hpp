// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/data/glue_tasks.hpp"
#include "inhibitor/data/labeled_examples.hpp"
#include "inhibitor/data/table_file.hpp"

// Files of the known tasks: columns are found by the names in the header, in GLUE's layout or that of an export from
// Hugging Face's datasets; a file without a header (CoLA) is read by column number.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Where a task's texts and labels stand in a table.
struct table_layout {
  index_t first = -1, second = -1, label = -1;
  index_t first_row = 1;  ///< 0 in a table without a header
};

/// The layout by the header's names; first stays -1 when the names are not the task's.
inline table_layout layout_by_name(const task_info& task, const text_table& table) {
  table_layout layout;
  for (const std::string& name : task.labels_in) {
    if (layout.label < 0) layout.label = table.find_column(name);
  }
  // MNLI's last column is the agreed label, whatever it is called; the others are those of single annotators.
  if (layout.label < 0 && table.find_column("label1") >= 0) layout.label = table.columns(0) - 1;
  bool is_numbered = false;
  for (const char* name : {"index", "id", "idx"}) is_numbered = is_numbered || table.find_column(name) >= 0;
  if (layout.label < 0 && !is_numbered) return layout;
  for (const text_columns& names : task.texts) {
    const index_t first = table.find_column(names.first);
    const index_t second = names.second.empty() ? -1 : table.find_column(names.second);
    if (first < 0 || (second < 0 && !names.second.empty())) continue;
    layout.first = first;
    layout.second = second;
    break;
  }
  return layout;
}

inline table_layout find_layout(const task_info& task, const text_table& table) {
  table_layout layout = layout_by_name(task, table);
  if (layout.first >= 0) return layout;
  const column_numbers& numbers = task.numbers;
  if (numbers.label >= 0 && table.columns(0) == numbers.columns) {
    const std::string label(table.field(0, numbers.label));
    const bool is_data =
        task.labels.is_regression ? !std::isnan(parse_number(label)) : class_of(label, task.labels.names) >= 0;
    if (is_data) return {numbers.first, numbers.second, numbers.label, 0};
  }
  std::string others;
  for (const task_info& other : known_tasks()) {
    if (layout_by_name(other, table).first >= 0) others += (others.empty() ? "" : ", ") + other.title;
  }
  const text_columns& names = task.texts.front();
  const std::string texts = "\"" + names.first + (names.second.empty() ? "\"" : "\", \"" + names.second + "\"");
  const std::string& label = task.labels_in.front();
  throw table.error_at(0, "found the columns \"" + table.header() + "\"; expected " + texts + " and \"" + label +
                              "\" as in " + task.title + ", or \"index\" and " + texts +
                              (others.empty() ? "" : " (these are columns of " + others + ")"));
}

}  // namespace detail

/// The examples of a task in `table`; `wanted(row)` may leave rows out. Rows of labeled files with missing columns are
/// skipped and counted for tasks that have such rows (QQP), as are MNLI rows whose annotators did not agree ("-").
/// Throws file_error, with the line, for a header without the task's columns, rows with other columns than the first,
/// and a file without examples. Allocates.
inline raw_examples task_rows(const task_info& task, const text_table& table,
                              const std::function<bool(index_t)>& wanted = {}) {
  const detail::table_layout layout = detail::find_layout(task, table);
  const index_t columns = table.columns(0);
  raw_examples out;
  out.file = table.name();
  if (layout.first_row > 0) out.columns = table.header();
  for (index_t row = layout.first_row; row < table.rows(); ++row) {
    if (table.columns(row) != columns) {
      if (task.skips_broken_rows && layout.label >= 0) {
        ++out.skipped;
        continue;
      }
      throw table.error_at(row, "found " + std::to_string(table.columns(row)) + " columns; expected " +
                                    std::to_string(columns) + " as in the first line");
    }
    if (wanted && !wanted(row)) continue;
    if (layout.label >= 0) {
      const std::string_view label = table.field(row, layout.label);
      if (label == "-" && task.labels.names.size() == 3) {
        ++out.skipped;
        continue;
      }
      out.labels.emplace_back(label);
    }
    out.first.emplace_back(table.field(row, layout.first));
    if (layout.second >= 0) out.second.emplace_back(table.field(row, layout.second));
    out.lines.push_back(table.line(row));
  }
  if (out.size() == 0) {
    throw file_error(table.name(), out.skipped > 0 ? "holds no whole row"
                                                   : "holds a header only; expected one example per line after it");
  }
  return out;
}

/// Reads one file of a task. See task_rows and understand_labels for errors.
inline labeled_examples read_task_file(const task_info& task, const std::string& file) {
  return understand_labels(task_rows(task, read_table(file)), task.labels);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
