// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"
#include "inhibitor/data/label_set.hpp"
#include "inhibitor/metrics/metrics.hpp"

// What a text classification task is made of: its files, their columns, its labels, and how it is judged.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How GLUE wants a prediction written.
enum class submission_form { digit, word, score };

/// One file of a task.
struct task_split {
  enum class use { train, validation, test };
  use purpose = use::train;
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
  index_t columns = 0;  ///< of the whole file; 0: files always have a header
  index_t first = -1;
  index_t second = -1;  ///< -1 for tasks of one text
  index_t label = -1;   ///< -1 where there is none
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
  metric_kind metric = metric_kind::accuracy;
  submission_form form = submission_form::digit;
  std::vector<task_split> splits;
  bool skips_broken_rows = false;  ///< labeled rows with missing columns are left out and counted (QQP)

  bool is_pair() const { return !texts.front().second.empty(); }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
