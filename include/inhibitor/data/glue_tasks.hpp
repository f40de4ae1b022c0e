// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/data/task.hpp"

// The text classification tasks our programs know: GLUE (Wang et al. 2018, arXiv 1804.07461), its diagnostic set AX,
// and IMDB (Maas et al. 2011). Everything that differs between them stands in one function per task; a new task is one
// more, and a line in known_tasks.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// A task in a folder of its title's name, with the files train, dev or validation, and test, labels in a column
/// "label".
inline task_info usual_task(const std::string& name, const std::string& title) {
  using use = task_split::use;
  task_info t;
  t.name = name;
  t.title = title;
  t.folders = {title};
  t.labels_in = {"label"};
  t.splits = {{use::train, "", {"train"}, ""},
              {use::validation, "", {"dev", "validation"}, ""},
              {use::test, "", {"test"}, title}};
  return t;
}

inline column_numbers numbered(index_t columns, index_t first, index_t second, index_t label) {
  column_numbers n;
  n.columns = columns;
  n.first = first;
  n.second = second;
  n.label = label;
  return n;
}

inline task_info cola_task() {
  task_info t = usual_task("cola", "CoLA");
  t.texts = {{"sentence", ""}};
  t.numbers = numbered(4, 3, -1, 1);
  t.labels.names = {"unacceptable", "acceptable"};
  t.metric = metric_kind::matthews;
  return t;
}

inline task_info sst2_task() {
  task_info t = usual_task("sst2", "SST-2");
  t.texts = {{"sentence", ""}};
  t.numbers = numbered(2, 0, -1, 1);
  t.labels.names = {"negative", "positive"};
  return t;
}

inline task_info mrpc_task() {
  task_info t = usual_task("mrpc", "MRPC");
  t.texts = {{"#1 String", "#2 String"}, {"sentence1", "sentence2"}};
  t.labels_in = {"Quality", "label"};
  t.numbers = numbered(5, 3, 4, 0);
  t.labels.names = {"not_equivalent", "equivalent"};
  t.metric = metric_kind::accuracy_f1;
  return t;
}

inline task_info qqp_task() {
  task_info t = usual_task("qqp", "QQP");
  t.texts = {{"question1", "question2"}};
  t.labels_in = {"is_duplicate", "label"};
  t.numbers = numbered(6, 3, 4, 5);
  t.labels.names = {"not_duplicate", "duplicate"};
  t.metric = metric_kind::accuracy_f1;
  t.skips_broken_rows = true;
  return t;
}

inline task_info stsb_task() {
  task_info t = usual_task("stsb", "STS-B");
  t.texts = {{"sentence1", "sentence2"}};
  t.labels_in = {"score", "label"};
  t.numbers = numbered(10, 7, 8, 9);
  t.labels.is_regression = true;
  t.labels.lowest = 0;
  t.labels.highest = 5;
  t.metric = metric_kind::correlations;
  t.form = submission_form::score;
  return t;
}

inline task_info mnli_task() {
  using use = task_split::use;
  task_info t = usual_task("mnli", "MNLI");
  t.texts = {{"sentence1", "sentence2"}, {"premise", "hypothesis"}};
  t.labels_in = {"gold_label", "label"};
  t.numbers = numbered(12, 8, 9, 11);
  t.labels.names = {"entailment", "neutral", "contradiction"};
  t.form = submission_form::word;
  t.splits = {{use::train, "", {"train"}, ""},
              {use::validation, "", {"dev_matched", "validation_matched"}, ""},
              {use::validation, "-mm", {"dev_mismatched", "validation_mismatched"}, ""},
              {use::test, "", {"test_matched"}, "MNLI-m"},
              {use::test, "-mm", {"test_mismatched"}, "MNLI-mm"}};
  return t;
}

/// Whether one text follows from another: QNLI, RTE and WNLI differ in little.
inline task_info entailment_task(const std::string& name, const std::string& title) {
  task_info t = usual_task(name, title);
  t.texts = {{"sentence1", "sentence2"}};
  t.numbers = numbered(4, 1, 2, 3);
  t.labels.names = {"entailment", "not_entailment"};
  t.form = submission_form::word;
  return t;
}

inline task_info qnli_task() {
  task_info t = entailment_task("qnli", "QNLI");
  t.texts = {{"question", "sentence"}};
  return t;
}

inline task_info wnli_task() {
  task_info t = entailment_task("wnli", "WNLI");
  t.labels.names = {"not_entailment", "entailment"};
  t.form = submission_form::digit;
  return t;
}

/// GLUE's diagnostic set has no labels: a model of MNLI predicts it.
inline task_info ax_task() {
  task_info t = mnli_task();
  t.name = "ax";
  t.title = "AX";
  t.folders = {"AX", "diagnostic"};
  t.labels_in = {"label"};
  t.numbers = numbered(3, 1, 2, -1);
  t.splits = {{task_split::use::test, "", {"AX", "diagnostic", "test"}, "AX"}};
  return t;
}

/// IMDB has no dev split: evaluation is on its test reviews.
inline task_info imdb_task() {
  using use = task_split::use;
  task_info t = usual_task("imdb", "IMDB");
  t.folders = {"IMDB", "aclImdb"};
  t.texts = {{"text", ""}};
  t.numbers = numbered(4, 3, -1, 1);
  t.labels.names = {"neg", "pos"};
  t.splits = {{use::train, "", {"train"}, ""}, {use::validation, "", {"test"}, ""}, {use::test, "", {"test"}, ""}};
  return t;
}

}  // namespace detail

/// Every task by name, in GLUE's order.
inline const std::vector<task_info>& known_tasks() {
  static const std::vector<task_info> tasks{
      detail::cola_task(), detail::sst2_task(), detail::mrpc_task(), detail::qqp_task(),
      detail::stsb_task(), detail::mnli_task(), detail::qnli_task(), detail::entailment_task("rte", "RTE"),
      detail::wnli_task(), detail::ax_task(),   detail::imdb_task()};
  return tasks;
}

/// Names of all tasks, for options.
inline std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const task_info& task : known_tasks()) names.push_back(task.name);
  return names;
}

/// Throws std::invalid_argument for an unknown name.
inline const task_info& find_task(const std::string& name) {
  const auto& tasks = known_tasks();
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const task_info& t) { return t.name == name; });
  check(found != tasks.end(), [&] { return "there is no task \"" + name + "\""; });
  return *found;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
