// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "inhibitor/data/glue_tasks.hpp"
#include "support/run_record.hpp"

// The runs found in folders: everything that our programs wrote into results.json files.

namespace inhibitor::examples {

/// One model's scores on one task, and the file that tells of them.
struct result_record : run_record {
  std::string group;  ///< table it stands in
  std::string file, command, commit;
  std::string machine;  ///< processor and compiler
  std::int64_t threads = 0;
};

/// A task that a program could not finish, and the file that says so.
struct failure_record : failed_task {
  std::string file;
};

/// All that was found.
struct result_set {
  std::vector<result_record> records;
  std::vector<failure_record> failures;
};

/// Adds what one results.json says of evaluated models. Throws file_error when it is none of ours.
inline void add_results_file(const std::string& path, result_set& out) {
  const result_file f = read_result_file(path);
  for (const failed_task& failure : f.failures) out.failures.push_back({failure, path});
  for (const run_record& run : f.runs) {
    if (!run.is_evaluated()) continue;
    result_record r{run, "", path, f.command, f.build.value("commit", ""), "", f.threads};
    r.group = f.program == "glue" ? "Fine-tuned or evaluated by glue" : "`" + run.size + "` models by " + f.program;
    r.machine = f.cpu + ", " + f.build.value("compiler", "");
    const std::string instruction_set = f.build.value("instruction_set", "");
    if (!instruction_set.empty()) r.machine += " for " + instruction_set;
    out.records.push_back(std::move(r));
  }
}

/// Position of a task in tables: GLUE's nine by alphabet as in the papers, then IMDB, then others.
inline std::pair<int, std::string> task_position(const std::string& task) {
  static const std::vector<std::string> order{"cola", "mnli", "mrpc", "qnli", "qqp",
                                              "rte",  "sst2", "stsb", "wnli", "imdb"};
  return {static_cast<int>(std::find(order.begin(), order.end(), task) - order.begin()), task};
}

/// Title of a task in tables.
inline std::string task_title(const std::string& task) {
  for (const task_info& info : known_tasks()) {
    if (info.name == task) return info.title;
  }
  return task == "embedded" ? "embedded corpus" : task;
}

/// Reads every results.json in or below `folders`, in order of task, run and seed. Throws file_error when a folder does
/// not exist or holds none, when a file is malformed, and when two files tell of the same run.
inline result_set collect_results(const std::vector<std::string>& folders) {
  namespace fs = std::filesystem;
  result_set out;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) throw file_error(folder, "is not a folder");
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename() == "results.json") files.push_back(entry.path().string());
    }
    if (files.empty()) throw file_error(folder, "holds no results.json, neither itself nor below");
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) add_results_file(file, out);
  }
  const auto key = [](const result_record& r) {
    return std::make_tuple(r.group, task_position(r.task), r.name, r.seed);
  };
  std::stable_sort(out.records.begin(), out.records.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto twin = std::adjacent_find(out.records.begin(), out.records.end(),
                                       [&](const auto& a, const auto& b) { return key(a) == key(b); });
  if (twin != out.records.end()) {
    throw file_error(std::next(twin)->file, "tells of " + twin->task + ", " + twin->name + ", seed " +
                                                std::to_string(twin->seed) + " again, as does " + twin->file);
  }
  return out;
}

}  // namespace inhibitor::examples
