// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/data/glue_reader.hpp"
#include "inhibitor/data/imdb_reader.hpp"

// Where a task's files are below a data folder, whichever of the usual layouts that has.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// "SST-2" and "sst2" are the same folder to us.
inline std::string plain_name(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  return out;
}

inline bool is_folder_of(const task_info& task, const std::filesystem::path& path) {
  const std::string name = plain_name(path.filename().string());
  return name == plain_name(task.name) ||
         std::any_of(task.folders.begin(), task.folders.end(),
                     [&](const std::string& folder) { return plain_name(folder) == name; });
}

/// The Microsoft Research Paraphrase Corpus as its owner ships it: two text files.
inline std::string raw_paraphrase_file(const task_info& task, const task_split& split, const std::string& folder) {
  if (task.name != "mrpc") return "";
  const bool is_test = split.purpose == task_split::use::test;
  const std::string file = folder + (is_test ? "/msr_paraphrase_test.txt" : "/msr_paraphrase_train.txt");
  return std::filesystem::exists(file) ? file : "";
}

inline std::string paraphrase_dev_ids(const std::string& folder) {
  for (const char* name : {"/mrpc_dev_ids.tsv", "/dev_ids.tsv"}) {
    if (std::filesystem::exists(folder + name)) return folder + name;
  }
  return "";
}

/// GLUE takes its MRPC dev set out of the corpus's training file, by a list of pairs of sentence ids.
inline raw_examples raw_paraphrase_rows(const task_info& task, const task_split& split, const std::string& file,
                                        const std::string& folder) {
  const text_table table = read_tsv(file, read_text_file(file));
  const index_t first_id = table.find_column("#1 ID");
  const index_t second_id = table.find_column("#2 ID");
  const std::string list = paraphrase_dev_ids(folder);
  if (split.purpose == task_split::use::test || list.empty()) return task_rows(task, table);
  if (first_id < 0 || second_id < 0) throw table.error_at(0, "has no columns \"#1 ID\" and \"#2 ID\"");
  std::set<std::pair<std::string, std::string>> dev;
  const text_table ids = read_tsv(list, read_text_file(list));
  for (index_t row = 0; row < ids.rows(); ++row) {
    if (ids.columns(row) != 2) throw ids.error_at(row, "expected two ids separated by a tab");
    dev.emplace(ids.field(row, 0), ids.field(row, 1));
  }
  const bool is_dev = split.purpose == task_split::use::validation;
  return task_rows(task, table, [&](index_t row) {
    return is_dev ==
           (dev.count({std::string(table.field(row, first_id)), std::string(table.field(row, second_id))}) > 0);
  });
}

}  // namespace detail

/// The file, or folder of reviews, that holds a split of the task; empty when `folder` has none.
inline std::string find_split(const task_info& task, const task_split& split, const std::string& folder) {
  for (const std::string& stem : split.stems) {
    for (const std::string_view ending : table_file_endings) {
      const std::string file = folder + "/" + stem + std::string(ending);
      if (std::filesystem::is_regular_file(file)) return file;
    }
    if (task.name == "imdb" && is_review_folder(folder + "/" + stem)) return folder + "/" + stem;
  }
  const std::string raw = detail::raw_paraphrase_file(task, split, folder);
  // Without the list of ids nothing can be set apart for evaluation.
  const bool is_dev = split.purpose == task_split::use::validation;
  return !raw.empty() && is_dev && detail::paraphrase_dev_ids(folder).empty() ? "" : raw;
}

/// True when `folder` holds any split of the task.
inline bool holds_task(const task_info& task, const std::string& folder) {
  return std::any_of(task.splits.begin(), task.splits.end(),
                     [&](const task_split& split) { return !find_split(task, split, folder).empty(); });
}

/// The folder of a task: a subfolder of `data` with the task's name, or `data` itself when it has that name. Empty when
/// there is none. Throws file_error when `data` is no folder.
inline std::string find_task_folder(const task_info& task, const std::string& data) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::directory_iterator entries(data, error);
  if (error) throw file_error(data, "is no folder that can be read (" + error.message() + ")");
  std::vector<std::string> found;
  for (const auto& entry : entries) {
    if (entry.is_directory() && detail::is_folder_of(task, entry.path()) && holds_task(task, entry.path().string())) {
      found.push_back(entry.path().string());
    }
  }
  if (!found.empty()) return *std::min_element(found.begin(), found.end());
  const fs::path itself = fs::weakly_canonical(data);
  return detail::is_folder_of(task, itself) && holds_task(task, data) ? data : "";
}

/// As above in the first of several folders that has the task.
inline std::string find_task_folder(const task_info& task, const std::vector<std::string>& data) {
  for (const std::string& folder : data) {
    std::string found = find_task_folder(task, folder);
    if (!found.empty()) return found;
  }
  return "";
}

/// The data folders as text, for messages.
inline std::string folders_text(const std::vector<std::string>& data) {
  std::string text;
  for (const std::string& folder : data) text += (text.empty() ? "" : ", ") + folder;
  return text;
}

/// Reads the split at `path`, which find_split has found in `folder`. Throws file_error.
inline raw_examples read_split(const task_info& task, const task_split& split, const std::string& folder,
                               const std::string& path) {
  if (std::filesystem::is_directory(path)) return read_review_folder(path);
  if (path == detail::raw_paraphrase_file(task, split, folder)) {
    return detail::raw_paraphrase_rows(task, split, path, folder);
  }
  return task_rows(task, read_table(path));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
