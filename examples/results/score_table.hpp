// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "results/published.hpp"
#include "results/records.hpp"
#include "support/aligned_table.hpp"

// The paper's layout: one row per task, one column per kind of model, mean and standard deviation over seeds.

namespace inhibitor::examples {

/// Mean and sample standard deviation of the values of one cell, in percent.
struct score_cell {
  std::vector<double> values;  ///< one per seed, in percent; NaN where undefined

  bool is_empty() const { return values.empty(); }
  double mean() const {
    return values.empty() ? std::nan("")
                          : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  /// NaN for fewer than two values.
  double deviation() const {
    if (values.size() < 2) return std::nan("");
    double squares = 0;
    for (const double v : values) squares += (v - mean()) * (v - mean());
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  std::string text() const {
    if (values.empty()) return "";
    if (std::isnan(mean())) return "undefined";
    return values.size() < 2 ? fmt::format("{:.2f}", mean()) : fmt::format("{:.2f} ± {:.2f}", mean(), deviation());
  }
};

/// The scores of one group of records.
struct score_table {
  std::string group;
  std::vector<std::string> tasks;    ///< rows
  std::vector<std::string> metrics;  ///< one per row
  std::vector<std::string> columns;
  std::map<std::pair<std::string, std::string>, score_cell> cells;  ///< (task, column)

  const score_cell& cell(const std::string& task, const std::string& column) const {
    static const score_cell none;
    const auto found = cells.find({task, column});
    return found == cells.end() ? none : found->second;
  }
};

namespace detail {

/// E0, E1, E2, control first, the rest by name.
inline std::pair<int, std::string> column_position(const std::string& column) {
  static const std::vector<std::string> order{"E0", "E1", "E2", "control"};
  return {static_cast<int>(std::find(order.begin(), order.end(), column) - order.begin()), column};
}

template <class List, class Position>
void insert_sorted(List& list, const std::string& item, Position&& position) {
  const auto at = std::lower_bound(list.begin(), list.end(), item,
                                   [&](const auto& a, const auto& b) { return position(a) < position(b); });
  if (at == list.end() || *at != item) list.insert(at, item);
}

}  // namespace detail

/// One table per group, groups by name.
inline std::vector<score_table> score_tables(const std::vector<result_record>& records) {
  std::map<std::string, score_table> groups;
  std::map<std::pair<std::string, std::string>, std::string> metric_of;
  for (const result_record& r : records) {
    score_table& table = groups[r.group];
    table.group = r.group;
    detail::insert_sorted(table.tasks, r.task, task_position);
    detail::insert_sorted(table.columns, r.name, detail::column_position);
    std::string metric = shown_metric(r.task, r.metric);
    if (r.metrics.count(metric) == 0) metric = r.metric;
    metric_of[{r.group, r.task}] = metric;
    const auto found = r.metrics.find(metric);
    table.cells[{r.task, r.name}].values.push_back(found == r.metrics.end() ? std::nan("") : 100 * found->second);
  }
  std::vector<score_table> out;
  for (auto& [name, table] : groups) {
    for (const std::string& task : table.tasks) table.metrics.push_back(metric_of[{name, task}]);
    out.push_back(std::move(table));
  }
  return out;
}

/// The table in Markdown, published scores in columns of their own, macro averages below. An average is over the GLUE
/// tasks that every one of our columns has; the published columns are averaged over the same tasks, where they have
/// them all.
inline std::string markdown(const score_table& table) {
  std::vector<aligned_table::column> columns{{"task", false}, {"metric", false}};
  for (const std::string& column : table.columns) columns.push_back({column, true});
  const std::vector<std::pair<const char*, double published_scores::*>> theirs{{"published E0", &published_scores::e0},
                                                                               {"published E1", &published_scores::e1},
                                                                               {"published E2", &published_scores::e2}};
  const bool has_published = std::any_of(table.tasks.begin(), table.tasks.end(),
                                         [](const std::string& task) { return find_published(task) != nullptr; });
  for (const auto& [title, field] : theirs) {
    if (has_published) columns.push_back({title, true});
  }
  const auto published_text = [](double x) { return std::isnan(x) ? std::string() : fmt::format("{:.1f}", x); };
  aligned_table out(columns);
  for (std::size_t i = 0; i < table.tasks.size(); ++i) {
    const std::string& task = table.tasks[i];
    std::vector<std::string> row{task_title(task), table.metrics[i]};
    for (const std::string& column : table.columns) row.push_back(table.cell(task, column).text());
    const published_scores* known = find_published(task);
    for (const auto& [title, field] : theirs) {
      if (has_published) row.push_back(known == nullptr ? "" : published_text(known->*field));
    }
    out.add(std::move(row));
  }
  std::vector<std::string> complete;
  for (const std::string& task : table.tasks) {
    const auto has_score = [&](const std::string& column) { return !std::isnan(table.cell(task, column).mean()); };
    const bool is_glue = task_position(task).first <= 8;
    if (is_glue && std::all_of(table.columns.begin(), table.columns.end(), has_score)) complete.push_back(task);
  }
  const auto average = [&](const std::vector<std::string>& tasks, const char* remark) {
    if (tasks.size() < 2) return;
    const auto count = static_cast<double>(tasks.size());
    std::vector<std::string> row{fmt::format("mean of {}{}", tasks.size(), remark), ""};
    for (const std::string& column : table.columns) {
      double sum = 0;
      for (const std::string& task : tasks) sum += table.cell(task, column).mean();
      row.push_back(fmt::format("{:.2f}", sum / count));
    }
    for (const auto& [title, field] : theirs) {
      double sum = 0;
      for (const std::string& task : tasks) sum += find_published(task)->*field;
      row.push_back(published_text(sum / count));
    }
    out.add(std::move(row));
  };
  average(complete, "");
  const auto wnli = std::find(complete.begin(), complete.end(), "wnli");
  if (wnli != complete.end()) {
    complete.erase(wnli);
    average(complete, ", without WNLI");
  }
  return out.markdown();
}

}  // namespace inhibitor::examples
