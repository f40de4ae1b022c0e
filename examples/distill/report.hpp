// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/json_number.hpp"
#include "support/progress.hpp"
#include "inhibitor/io/atomic_file.hpp"

// What `distill` tells about its runs: one record per model, a table for people, results.json for programs.

namespace inhibitor::examples {

/// One trained and evaluated model. All fields come from measurements of this run.
struct run_record {
  std::string name;        ///< E0, E1, E2 or control
  std::string attention;   ///< dot_product or inhibitor
  std::string metric;      ///< the task's main metric
  double value = 0;        ///< its value on the dev set, last epoch; NaN where it is undefined
  nlohmann::json metrics;  ///< every metric of every dev set
  double loss = 0;         ///< mean dev loss
  double train_seconds = 0;
  double train_examples_per_second = 0;
  double examples_per_second = 0;                   ///< evaluation speed on the dev set
  nlohmann::json epochs = nlohmann::json::array();  ///< {stage, epoch, loss, value?} in order
};

/// One entry of "runs" in results.json and progress.json.
inline nlohmann::json to_json(const run_record& r) {
  nlohmann::json j = {{"name", r.name},
                      {"attention", r.attention},
                      {"metric", r.metric},
                      {"value", json_number(r.value)},
                      {"metrics", r.metrics},
                      {"loss", json_number(r.loss)},
                      {"train_seconds", r.train_seconds},
                      {"train_examples_per_second", r.train_examples_per_second},
                      {"examples_per_second", r.examples_per_second},
                      {"epochs", r.epochs}};
  if (r.metric == "accuracy") j["accuracy"] = r.value;
  return j;
}

/// Throws nlohmann::json exceptions for a record that lacks a field.
inline run_record run_record_from(const nlohmann::json& j) {
  const auto number = [&](const char* key) {
    const nlohmann::json& value = j.at(key);
    return value.is_null() ? std::nan("") : value.get<double>();
  };
  return {j.at("name"),
          j.at("attention"),
          j.at("metric"),
          number("value"),
          j.at("metrics"),
          number("loss"),
          j.at("train_seconds"),
          j.at("train_examples_per_second"),
          j.at("examples_per_second"),
          j.at("epochs")};
}

/// Markdown table, readable as plain text.
inline std::string results_table(const std::vector<run_record>& runs) {
  const auto description = [](const std::string& name) {
    if (name == "E0") return "dot-product teacher";
    if (name == "E1") return "inhibitor, task-agnostic distillation";
    if (name == "E2") return "inhibitor, task-specific distillation";
    return "inhibitor, labels alone";
  };
  const std::string metric = runs.empty() ? "" : runs.front().metric;
  std::string table = fmt::format("| {:7} | {:37} | {:>20} | {:>5} | {:>13} | {:>16} | {:>15} |\n", "run", "model",
                                  metric, "to E0", "training time", "train examples/s", "eval examples/s");
  table +=
      "| ------- | ------------------------------------- | -------------------: | ----: | ------------: | "
      "---------------: | "
      "--------------: |\n";
  const run_record* teacher = !runs.empty() && runs.front().name == "E0" ? &runs.front() : nullptr;
  for (const run_record& r : runs) {
    const std::string difference =
        teacher == nullptr || &r == teacher ? "" : fmt::format("{:+.1f}", 100 * (r.value - teacher->value));
    table += fmt::format("| {:7} | {:37} | {:>18.1f} % | {:>5} | {:>13} | {:>16.0f} | {:>15.0f} |\n", r.name,
                         description(r.name), 100 * r.value, difference, format_duration(r.train_seconds),
                         r.train_examples_per_second, r.examples_per_second);
  }
  return table;
}

/// Writes results.json and report.md into `folder`, each whole or not at all. `facts` are the fields of results.json
/// besides "runs". Throws file_error.
inline void write_report(const std::string& folder, const nlohmann::json& facts, const std::vector<run_record>& runs) {
  nlohmann::json results = facts;
  results["runs"] = nlohmann::json::array();
  for (const run_record& r : runs) results["runs"].push_back(to_json(r));
  write_file_atomically(folder + "/results.json", results.dump(2) + "\n");

  std::string report = fmt::format("# {} with a `{}` model, seed {}\n\n", facts.at("task").get<std::string>(),
                                   facts.at("size").get<std::string>(), facts.at("seed").get<std::uint64_t>());
  report += results_table(runs);
  report += fmt::format(
      "\nThe metric is that of the last epoch on the {} dev examples ({} training examples), in percent; no epoch was "
      "chosen by its dev score.\nTimes are wall time on {} threads of: {}. Peak memory {:.0f} MiB.\n\n",
      facts.at("dev_examples").get<index_t>(), facts.at("train_examples").get<index_t>(),
      facts.at("threads").get<index_t>(), facts.at("cpu").get<std::string>(),
      facts.at("peak_memory_mib").get<double>());
  report += fmt::format("Commit {}. Command:\n\n    {}\n", facts.at("commit").get<std::string>(),
                        facts.at("command").get<std::string>());
  write_file_atomically(folder + "/report.md", report);
}

}  // namespace inhibitor::examples
