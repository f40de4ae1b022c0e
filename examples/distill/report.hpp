// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "distill/runs.hpp"
#include "inhibitor/io/atomic_file.hpp"
#include "support/progress.hpp"
#include "support/run_record.hpp"

// What `distill` tells people about its runs: a table, and report.md around it.

namespace inhibitor::examples {

/// Markdown table, readable as plain text.
inline std::string results_table(const std::vector<run_record>& records) {
  const auto description = [](const std::string& name) {
    const auto& runs = distill_runs();
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const auto& run) { return run.name == name; });
    return found == runs.end() ? std::string() : found->description;
  };
  const std::string metric = records.empty() ? "" : records.front().metric;
  std::string table = fmt::format("| {:7} | {:37} | {:>20} | {:>5} | {:>13} | {:>16} | {:>15} |\n", "run", "model",
                                  metric, "to E0", "training time", "train examples/s", "eval examples/s");
  table +=
      "| ------- | ------------------------------------- | -------------------: | ----: | ------------: | "
      "---------------: | "
      "--------------: |\n";
  const run_record* teacher = !records.empty() && records.front().name == "E0" ? &records.front() : nullptr;
  for (const run_record& r : records) {
    const std::string difference =
        teacher == nullptr || &r == teacher ? "" : fmt::format("{:+.1f}", 100 * (r.value - teacher->value));
    table += fmt::format("| {:7} | {:37} | {:>18.1f} % | {:>5} | {:>13} | {:>16.0f} | {:>15.0f} |\n", r.name,
                         description(r.name), 100 * r.value, difference, format_duration(r.train_seconds),
                         r.train_examples_per_second, r.examples_per_second);
  }
  return table;
}

/// Writes results.json and report.md into `folder`, each whole or not at all. There is one record at least. Throws
/// file_error.
inline void write_report(const std::string& folder, const result_file& results) {
  write_result_file(folder + "/results.json", results);
  const run_record& first = results.runs.front();
  std::string report = fmt::format("# {} with a `{}` model, seed {}\n\n", first.task, first.size, first.seed);
  report += results_table(results.runs);
  report += fmt::format(
      "\nThe metric is that of the last epoch on the {} dev examples ({} training examples), in percent; no epoch was "
      "chosen by its dev score.\nTimes are wall time on {} threads of: {}. Peak memory {:.0f} MiB.\n\n",
      first.dev_examples, first.train_examples, results.threads, results.cpu, results.peak_memory_mib);
  report += fmt::format("Commit {}, compiled for {} by {} with {}. Command:\n\n    {}\n",
                        results.build.value("commit", ""), results.build.value("instruction_set", ""),
                        results.build.value("compiler", ""), results.build.value("flags", ""), results.command);
  write_file_atomically(folder + "/report.md", report);
}

}  // namespace inhibitor::examples
