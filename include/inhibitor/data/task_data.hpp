// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/data/custom_reader.hpp"
#include "inhibitor/data/dataset_cache.hpp"
#include "inhibitor/data/task_files.hpp"

// A task's examples, read and tokenized: what programs train and evaluate on.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One file of examples.
struct split_examples {
  std::string suffix;      ///< "" or "-mm"
  std::string submission;  ///< GLUE's name for its predictions, or empty
  std::string source;      ///< file it came from
  labeled_examples examples;
  index_t skipped = 0;  ///< broken rows left out
};

/// The examples of a task as texts. Absent splits are empty vectors.
struct task_examples {
  task_info task;
  std::vector<split_examples> train;       ///< one at most
  std::vector<split_examples> validation;  ///< MNLI has two
  std::vector<split_examples> test;        ///< labels are not read
};

/// A user's own files; empty names are absent ones.
struct custom_files {
  std::string train, validation, test;
  bool any() const { return !train.empty() || !validation.empty() || !test.empty(); }
};

/// What is wanted of a task.
struct data_request {
  bool train = false, validation = false, test = false;
  index_t max_train = 0, max_validation = 0, max_test = 0;  ///< first examples used; 0: all
};

namespace detail {

inline split_examples make_split(raw_examples rows, const label_set& labels, const task_split& split, bool needs_labels,
                                 index_t most) {
  split_examples out;
  out.suffix = split.suffix;
  out.submission = split.submission;
  out.source = rows.file;
  out.skipped = rows.skipped;
  if (needs_labels && rows.labels.empty()) {
    throw file_error(rows.file, "has no labels; expected a column with them" +
                                    (rows.columns.empty() ? "" : " beside \"" + rows.columns + "\""));
  }
  if (!needs_labels) rows.labels.clear();
  out.examples = understand_labels(std::move(rows), labels);
  if (needs_labels && !is_labeled(out.examples)) throw file_error(out.source, "has examples without a label");
  if (most > 0) out.examples.truncate(most);
  return out;
}

}  // namespace detail

/// Reads the wanted splits of a task from its folder. Throws file_error when a file is malformed, a training or
/// validation split that the task has is missing, or its examples lack labels. A missing test split, and a missing
/// second validation split, leave their places empty.
inline task_examples read_task(const task_info& task, const std::string& folder, const data_request& want) {
  task_examples out;
  out.task = task;
  for (const task_split& split : task.splits) {
    const bool is_train = split.purpose == task_split::use::train;
    const bool is_test = split.purpose == task_split::use::test;
    if (!(is_train ? want.train : is_test ? want.test : want.validation)) continue;
    const std::string path = find_split(task, split, folder);
    if (path.empty()) {
      if (is_test || !split.suffix.empty()) continue;
      throw file_error(folder, "holds no " + split.stems.front() + ".tsv of " + task.title +
                                   (is_train ? "; it is needed for training" : "; it is needed for evaluation"));
    }
    auto& place = is_train ? out.train : is_test ? out.test : out.validation;
    place.push_back(detail::make_split(read_split(task, split, folder, path), task.labels, split, !is_test,
                                       is_train  ? want.max_train
                                       : is_test ? want.max_test
                                                 : want.max_validation));
  }
  return out;
}

/// Reads a user's own files. The classes, or that labels are scores, come from the training file when there is one,
/// else they are `known`, those of the model; numbers of the model's classes mean those classes in either case. Throws
/// file_error; see custom_reader.hpp.
inline task_examples read_custom(const custom_files& files, const label_set& known, const data_request& want) {
  const auto read = [](const std::string& file) { return custom_rows(read_table(file)); };
  std::optional<raw_examples> train;
  if (!files.train.empty()) train = read(files.train);
  task_examples out;
  std::optional<bool> is_pair;
  const label_set labels = train ? infer_labels(*train, known) : known;
  const auto add = [&](raw_examples rows, std::vector<split_examples>& place, bool needs_labels, index_t most) {
    const bool has_second = !rows.second.empty();
    if (is_pair.value_or(has_second) != has_second) {
      throw file_error(rows.file, has_second ? "has two texts per example; the other files have one"
                                             : "has one text per example; the other files have two");
    }
    is_pair = has_second;
    place.push_back(detail::make_split(std::move(rows), labels, {}, needs_labels, most));
  };
  if (want.train && train) add(std::move(*train), out.train, true, want.max_train);
  if (want.validation && !files.validation.empty()) {
    add(read(files.validation), out.validation, true, want.max_validation);
  }
  if (want.test && !files.test.empty()) add(read(files.test), out.test, false, want.max_test);
  out.task = custom_task(labels, is_pair.value_or(false));
  return out;
}

/// A split as the model reads it.
struct tokenized_split {
  std::string suffix;      ///< "" or "-mm"
  std::string submission;  ///< GLUE's name for its predictions, or empty
  std::string source;      ///< file it came from
  token_dataset tokens;
};

/// A task read and tokenized.
struct tokenized_task {
  task_info task;
  std::vector<tokenized_split> train, validation, test;  ///< as in task_examples
};

/// Tokenizes every split, cut to `max_length` tokens, by way of the cache in the folder `cache`; see tokenize_cached.
/// `log` is also told of rows that were skipped.
inline tokenized_task tokenize_task(const task_examples& examples, const wordpiece& tokenizer, index_t max_length,
                                    const std::string& cache, const executor& workers, const log_sink& log = {}) {
  tokenized_task out;
  out.task = examples.task;
  const auto add = [&](const std::vector<split_examples>& splits, std::vector<tokenized_split>& to, const char* name) {
    for (const split_examples& s : splits) {
      if (s.skipped > 0) tell(log, s.source + ": " + std::to_string(s.skipped) + " broken rows skipped");
      to.push_back({s.suffix, s.submission, s.source,
                    tokenize_cached(cache, out.task.name + "-" + name + s.suffix, tokenizer, s.examples, max_length,
                                    workers, log)});
    }
  };
  add(examples.train, out.train, "train");
  add(examples.validation, out.validation, "validation");
  add(examples.test, out.test, "test");
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
