// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "distill/job.hpp"
#include "support/model_path.hpp"

namespace inhibitor::examples {

/// Runs a job for every task and seed. One task with one seed writes into --out itself, otherwise jobs have the folders
/// TASK/seed-N in it. With --resume, jobs that are finished stay as they are. Of one job
/// alone exceptions pass through; of several, a failing one is reported and the others run: returns 1 then, else 0.
inline int run_series(const distill_options& options, const std::string& command, const executor& workers) {
  std::vector<std::string> tasks = options.tasks;
  const bool is_all = tasks.size() == 1 && tasks.front() == "all";
  check(!is_all || !options.embedded(), std::string("--task all needs --data"));
  if (is_all) {
    tasks.clear();
    for (const std::string& name : distill_tasks()) {
      if (name == "all") continue;
      if (find_task_folder(find_task(name), options.data).empty()) {
        fmt::print("{}: not found below {}\n", find_task(name).title, folders_text(options.data));
      } else {
        tasks.push_back(name);
      }
    }
    check(!tasks.empty(), [&] { return folders_text(options.data) + ": no task that is known"; });
  }
  const bool is_alone = !is_all && tasks.size() == 1 && options.seeds.size() == 1;
  std::string failures;
  for (const std::string& task : tasks) {
    for (const std::uint64_t seed : options.seeds) {
      distill_options o = options;
      o.tasks = {task};
      o.seeds = {seed};
      o.cache = options.out + "/cache";
      if (!is_alone) o.out += fmt::format("/{}/seed-{}", task, seed);
      try {
        if (!is_alone) {
          fmt::print("\n== {}, seed {} ==\n", find_task(task).title, seed);
          // A job killed between its results and the end of its progress.json writes the former once more.
          const bool is_begun = std::filesystem::exists(o.out + "/progress.json");
          if (options.resume && !is_begun && std::filesystem::exists(o.out + "/results.json")) {
            fmt::print("finished before\n");
            continue;
          }
          o.resume = options.resume && is_begun;
        }
        o.teacher = model_path(options.teacher, task, seed);
        o.student = model_path(options.student, task, seed);
        distill_job job(o, command, workers);
        job.run();
        fmt::print("\n{}\nWritten: {}/results.json and report.md, models in its subfolders.\n", job.table(), o.out);
        std::fflush(stdout);
      } catch (const interrupted_error&) {
        throw;
      } catch (const std::exception& e) {
        if (is_alone) throw;
        failures += fmt::format("{}, seed {}: {}\n", find_task(task).title, seed, e.what());
        fmt::print(stderr, "distill: {}, seed {} failed: {}\n", find_task(task).title, seed, e.what());
      }
    }
  }
  if (!failures.empty()) fmt::print(stderr, "\ndistill: failed:\n{}", failures);
  return failures.empty() ? 0 : 1;
}

}  // namespace inhibitor::examples
