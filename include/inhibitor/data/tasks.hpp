// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"
#include "inhibitor/metrics/metrics.hpp"

// The text classification tasks our programs know: GLUE (Wang et al. 2018, arXiv 1804.07461), its diagnostic set AX,
// and IMDB (Maas et al. 2011). Everything that differs between them stands in the table of `known_tasks`.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The classes of a task, or the range of its score.
struct label_set {
  std::vector<std::string> names;  ///< classes in Hugging Face's order; empty for a regression
  bool is_regression = false;
  double lowest = -std::numeric_limits<double>::infinity();  ///< scores outside [lowest, highest] are refused
  double highest = std::numeric_limits<double>::infinity();

  /// Values of the model's output: one per class, or the score.
  index_t outputs() const { return is_regression ? 1 : static_cast<index_t>(names.size()); }
};

/// How GLUE wants a prediction written.
enum class submission_form { digit, word, score };

/// One file of a task.
struct task_split {
  enum class use { train, validation, test };
  use purpose;
  std::string suffix;              ///< "" or "-mm": appended to the task's name in names of results
  std::vector<std::string> stems;  ///< file names without ending, best first
  std::string submission;          ///< GLUE's file name for its predictions, without ending; empty: none
};

/// Names of the columns of one layout; `second` is empty for tasks of one text.
struct text_columns {
  std::string first, second;
};

/// Column numbers of a file without a header.
struct column_numbers {
  index_t columns, first, second, label;  ///< second is -1 for tasks of one text; label is -1 where there is none
};

/// One task: its names, files, columns, labels and metrics.
struct task_info {
  std::string name;                    ///< as --task takes it
  std::string title;                   ///< as tables print it
  std::vector<std::string> folders;    ///< names of its folder
  std::vector<text_columns> texts;     ///< GLUE's names first, then those of exports from Hugging Face's datasets
  std::vector<std::string> labels_in;  ///< names of the label column
  column_numbers numbers;              ///< used for files that have no header
  label_set labels;
  metric_kind metric;
  submission_form form;
  std::vector<task_split> splits;
  bool skips_broken_rows = false;  ///< labeled rows with missing columns are left out and counted (QQP)

  bool is_pair() const { return !texts.front().second.empty(); }
};

namespace detail {

inline std::vector<task_split> usual_splits(const std::string& submission) {
  using use = task_split::use;
  return {{use::train, "", {"train"}, ""},
          {use::validation, "", {"dev", "validation"}, ""},
          {use::test, "", {"test"}, submission}};
}

inline task_info word_pair_task(const std::string& name, const std::string& title) {
  return {name,
          title,
          {title},
          {{"sentence1", "sentence2"}},
          {"label"},
          {4, 1, 2, 3},
          {{"entailment", "not_entailment"}},
          metric_kind::accuracy,
          submission_form::word,
          usual_splits(title)};
}

inline std::vector<task_info> make_tasks() {
  using use = task_split::use;
  std::vector<task_info> tasks;
  tasks.push_back({"cola",
                   "CoLA",
                   {"CoLA"},
                   {{"sentence", ""}},
                   {"label"},
                   {4, 3, -1, 1},
                   {{"unacceptable", "acceptable"}},
                   metric_kind::matthews,
                   submission_form::digit,
                   usual_splits("CoLA")});
  tasks.push_back({"sst2",
                   "SST-2",
                   {"SST-2"},
                   {{"sentence", ""}},
                   {"label"},
                   {2, 0, -1, 1},
                   {{"negative", "positive"}},
                   metric_kind::accuracy,
                   submission_form::digit,
                   usual_splits("SST-2")});
  tasks.push_back({"mrpc",
                   "MRPC",
                   {"MRPC"},
                   {{"#1 String", "#2 String"}, {"sentence1", "sentence2"}},
                   {"Quality", "label"},
                   {5, 3, 4, 0},
                   {{"not_equivalent", "equivalent"}},
                   metric_kind::accuracy_f1,
                   submission_form::digit,
                   usual_splits("MRPC")});
  tasks.push_back({"qqp",
                   "QQP",
                   {"QQP"},
                   {{"question1", "question2"}},
                   {"is_duplicate", "label"},
                   {6, 3, 4, 5},
                   {{"not_duplicate", "duplicate"}},
                   metric_kind::accuracy_f1,
                   submission_form::digit,
                   usual_splits("QQP"),
                   true});
  tasks.push_back({"stsb",
                   "STS-B",
                   {"STS-B"},
                   {{"sentence1", "sentence2"}},
                   {"score", "label"},
                   {10, 7, 8, 9},
                   {{}, true, 0, 5},
                   metric_kind::correlations,
                   submission_form::score,
                   usual_splits("STS-B")});
  const std::vector<std::string> inference{"entailment", "neutral", "contradiction"};
  tasks.push_back({"mnli",
                   "MNLI",
                   {"MNLI"},
                   {{"sentence1", "sentence2"}, {"premise", "hypothesis"}},
                   {"gold_label", "label"},
                   {12, 8, 9, 11},
                   {inference},
                   metric_kind::accuracy,
                   submission_form::word,
                   {{use::train, "", {"train"}, ""},
                    {use::validation, "", {"dev_matched", "validation_matched"}, ""},
                    {use::validation, "-mm", {"dev_mismatched", "validation_mismatched"}, ""},
                    {use::test, "", {"test_matched"}, "MNLI-m"},
                    {use::test, "-mm", {"test_mismatched"}, "MNLI-mm"}}});
  tasks.push_back(word_pair_task("qnli", "QNLI"));
  tasks.back().texts = {{"question", "sentence"}};
  tasks.push_back(word_pair_task("rte", "RTE"));
  tasks.push_back(word_pair_task("wnli", "WNLI"));
  tasks.back().labels.names = {"not_entailment", "entailment"};
  tasks.back().form = submission_form::digit;
  tasks.push_back({"ax",
                   "AX",
                   {"AX", "diagnostic"},
                   {{"sentence1", "sentence2"}, {"premise", "hypothesis"}},
                   {"label"},
                   {3, 1, 2, -1},
                   {inference},
                   metric_kind::accuracy,
                   submission_form::word,
                   {{use::test, "", {"AX", "diagnostic", "test"}, "AX"}}});
  // IMDB has no dev split: evaluation is on its test reviews.
  tasks.push_back(
      {"imdb",
       "IMDB",
       {"IMDB", "aclImdb"},
       {{"text", ""}},
       {"label"},
       {4, 3, -1, 1},
       {{"neg", "pos"}},
       metric_kind::accuracy,
       submission_form::digit,
       {{use::train, "", {"train"}, ""}, {use::validation, "", {"test"}, ""}, {use::test, "", {"test"}, ""}}});
  return tasks;
}

}  // namespace detail

/// Every task by name, in GLUE's order.
inline const std::vector<task_info>& known_tasks() {
  static const std::vector<task_info> tasks = detail::make_tasks();
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
