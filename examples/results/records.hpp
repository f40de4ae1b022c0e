// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "inhibitor/data/tasks.hpp"
#include "inhibitor/io/json_file.hpp"

// The runs found in folders: everything that `distill` and `glue` wrote into results.json files, one record per trained
// and evaluated model.

namespace inhibitor::examples {

/// One model's scores on one task.
struct result_record {
  std::string group;   ///< table it stands in
  std::string column;  ///< E0, E1, E2, control, or what `glue` started from
  std::string task;    ///< name as --task takes it, or "embedded"
  std::uint64_t seed = 0;
  std::map<std::string, double> metrics;  ///< NaN where undefined; "accuracy", "accuracy-mm", ...
  std::string main_metric;
  double train_seconds = 0, train_examples_per_second = 0, examples_per_second = 0;
  std::int64_t train_examples = 0, dev_examples = 0;
  std::string file, command, commit, cpu, compiler;
  std::int64_t threads = 0;
};

/// A task that `glue` could not finish.
struct failed_task {
  std::string title, reason, file;
};

/// All that was found.
struct result_set {
  std::vector<result_record> records;
  std::vector<failed_task> failures;
};

namespace detail {

inline double number_or_nan(const nlohmann::json& j) { return j.is_null() ? std::nan("") : j.get<double>(); }

inline result_record facts_of(const nlohmann::json& j, const std::string& file) {
  result_record r;
  r.file = file;
  r.command = j.at("command");
  r.commit = j.at("commit");
  r.cpu = j.at("cpu");
  r.compiler = j.at("compiler");
  r.threads = j.at("threads");
  return r;
}

inline void read_distill(const nlohmann::json& j, const std::string& file, result_set& out) {
  for (const nlohmann::json& run : j.at("runs")) {
    result_record r = facts_of(j, file);
    r.group = "`" + j.at("size").get<std::string>() + "` models by distill";
    r.column = run.at("name");
    r.task = j.at("task");
    r.seed = j.at("seed");
    r.train_seconds = run.at("train_seconds");
    r.train_examples_per_second = run.at("train_examples_per_second");
    r.examples_per_second = run.at("examples_per_second");
    r.train_examples = j.at("train_examples");
    r.dev_examples = j.at("dev_examples");
    if (run.contains("metrics")) {
      for (const auto& [name, value] : run.at("metrics").items()) r.metrics[name] = number_or_nan(value);
      r.main_metric = run.at("metric");
    } else {  // written before tasks other than SST-2 were known
      r.metrics["accuracy"] = run.at("accuracy");
      r.main_metric = "accuracy";
    }
    out.records.push_back(std::move(r));
  }
}

inline void read_glue(const nlohmann::json& j, const std::string& file, result_set& out) {
  for (const nlohmann::json& task : j.at("tasks")) {
    if (task.contains("failure")) out.failures.push_back({task.at("title"), task.at("failure"), file});
    for (const nlohmann::json& run : task.at("runs")) {
      const nlohmann::json& results = run.at("results");
      if (!results.contains("eval_samples")) continue;  // predicted only
      result_record r = facts_of(j, file);
      r.group = "Fine-tuned or evaluated by glue";
      r.column = j.at("model");
      r.task = task.at("task");
      r.seed = run.at("seed");
      r.main_metric = task.at("metric");
      r.dev_examples = results.at("eval_samples");
      r.examples_per_second = number_or_nan(results.at("eval_samples_per_second"));
      if (results.contains("train_samples")) {
        r.train_examples = results.at("train_samples");
        r.train_seconds = number_or_nan(results.at("train_runtime"));
        r.train_examples_per_second = number_or_nan(results.at("train_samples_per_second"));
      }
      for (const auto& [key, value] : results.items()) {
        std::string name = key;
        if (name.rfind("eval_", 0) != 0) continue;
        name.erase(0, 5);
        const bool is_second = name.size() > 3 && name.compare(name.size() - 3, 3, "_mm") == 0;
        if (is_second) name.erase(name.size() - 3);
        if (name == "loss" || name == "runtime" || name == "samples" || name == "samples_per_second" ||
            name == "steps_per_second") {
          continue;
        }
        r.metrics[name + (is_second ? "-mm" : "")] = number_or_nan(value);
      }
      out.records.push_back(std::move(r));
    }
  }
}

}  // namespace detail

/// Adds what one results.json says. Throws file_error when it is not one of `distill` or `glue`.
inline void read_results_file(const std::string& file, result_set& out) {
  const nlohmann::json j = read_json_file(file);
  try {
    if (j.value("program", "distill") == "glue") {
      detail::read_glue(j, file, out);
    } else {
      detail::read_distill(j, file, out);
    }
  } catch (const nlohmann::json::exception& e) {
    throw file_error(file, std::string("is no result of distill or glue: ") + e.what());
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
    for (const std::string& file : files) read_results_file(file, out);
  }
  const auto key = [](const result_record& r) {
    return std::make_tuple(r.group, task_position(r.task), r.column, r.seed);
  };
  std::stable_sort(out.records.begin(), out.records.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto twin = std::adjacent_find(out.records.begin(), out.records.end(),
                                       [&](const auto& a, const auto& b) { return key(a) == key(b); });
  if (twin != out.records.end()) {
    throw file_error(std::next(twin)->file, "tells of " + twin->task + ", " + twin->column + ", seed " +
                                                std::to_string(twin->seed) + " again, as does " + twin->file);
  }
  return out;
}

}  // namespace inhibitor::examples
