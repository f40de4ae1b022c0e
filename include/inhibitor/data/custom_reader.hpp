// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "inhibitor/data/labeled_examples.hpp"
#include "inhibitor/data/table_file.hpp"
#include "inhibitor/data/task.hpp"

// A user's own data: csv, tsv, json or jsonl with one or two texts per example and a class or score in a column
// "label".

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Columns of one or two texts; second is -1 for one.
struct text_column_numbers {
  index_t first = -1, second = -1;
};

/// True for the name of a column that counts rows: "idx", "index", "id", and what pandas calls the index it saves
/// (nothing, "Unnamed: 0", "__index_level_0__").
inline bool is_row_number(std::string_view column) {
  return column.empty() || column == "idx" || column == "index" || column == "id" ||
         column.substr(0, 9) == "Unnamed: " || column.substr(0, 14) == "__index_level_";
}

/// Where the texts of a user's own table are: in "sentence1" and "sentence2" when both are there, else in the first two
/// columns, or the only one, that are neither "label" nor row numbers. Throws file_error when there is none.
inline text_column_numbers find_text_columns(const text_table& table) {
  text_column_numbers columns{table.find_column("sentence1"), table.find_column("sentence2")};
  if (columns.first >= 0 && columns.second >= 0) return columns;
  columns = {};
  for (index_t c = 0; c < table.columns(0); ++c) {
    const std::string_view name = table.field(0, c);
    if (name == "label" || is_row_number(name)) continue;
    if (columns.first < 0) {
      columns.first = c;
    } else if (columns.second < 0) {
      columns.second = c;
    }
  }
  if (columns.first >= 0) return columns;
  throw table.error_at(0, "found the columns \"" + table.header() + "\"; expected one or two with text");
}

/// The examples of a table with a header: label from "label", texts from find_text_columns. Throws file_error for a
/// table without a text column or examples, and rows of other length than the header.
inline raw_examples custom_rows(const text_table& table) {
  const index_t label = table.find_column("label");
  const auto [first, second] = find_text_columns(table);
  raw_examples out;
  out.file = table.name();
  out.columns = table.header();
  for (index_t row = 1; row < table.rows(); ++row) {
    if (table.columns(row) != table.columns(0)) {
      throw table.error_at(row, "found " + std::to_string(table.columns(row)) + " columns; expected " +
                                    std::to_string(table.columns(0)) + " as in the first line");
    }
    out.first.emplace_back(table.field(row, first));
    if (second >= 0) out.second.emplace_back(table.field(row, second));
    if (label >= 0) out.labels.emplace_back(table.field(row, label));
    out.lines.push_back(table.line(row));
  }
  if (out.size() == 0) throw file_error(table.name(), "holds a header only; expected one example per line after it");
  return out;
}

/// What the labels of training data mean: a regression when all are numbers and one has a point or an exponent, else
/// classes, sorted (by value when all are integers). For training that goes on from a model of the classes `known`, the
/// numbers 0, 1, ... of all those classes mean them. Throws file_error when a row has no label, or all have the same.
inline label_set infer_labels(const raw_examples& rows, const label_set& known = {}) {
  if (rows.labels.empty()) {
    throw file_error(rows.file, 1,
                     "found the columns \"" + rows.columns + "\"; expected \"label\" too, which training needs");
  }
  bool is_number = true, is_integer = true;
  std::set<std::string> classes;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    const std::string& label = rows.labels[i];
    if (label.empty()) throw file_error(rows.file, rows.lines[i], "has an empty label");
    is_number = is_number && !std::isnan(parse_number(label));
    is_integer = is_integer && label.find_first_not_of("-0123456789") == std::string::npos;
    classes.insert(label);
  }
  label_set set;
  set.is_regression = is_number && !is_integer;
  if (set.is_regression) return set;
  if (classes.size() < 2)
    throw file_error(rows.file, "has the label \"" + *classes.begin() + "\" alone; expected at least two");
  if (classes.size() > 10000) throw file_error(rows.file, "has more than 10,000 different labels");
  set.names.assign(classes.begin(), classes.end());
  if (is_number) {
    std::stable_sort(set.names.begin(), set.names.end(),
                     [](const std::string& a, const std::string& b) { return parse_number(a) < parse_number(b); });
  }
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < known.names.size(); ++i) numbers.push_back(std::to_string(i));
  return set.names == numbers ? known : set;
}

/// The task that a user's own data makes. `is_pair`: each example has two texts.
inline task_info custom_task(const label_set& labels, bool is_pair) {
  task_info task;
  task.name = "custom";
  task.title = "own data";
  task.texts = {{"sentence1", is_pair ? "sentence2" : ""}};
  task.labels_in = {"label"};
  task.labels = labels;
  task.metric = labels.is_regression ? metric_kind::mse : metric_kind::accuracy;
  task.form = labels.is_regression ? submission_form::score : submission_form::word;
  return task;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
