// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "support/build_info.hpp"
#include "support/json_number.hpp"

// results.json, which every program that trains or evaluates writes and `results` reads: how it was made, and one
// record per model, task and seed.

namespace inhibitor::examples {

/// One trained or evaluated model on one task with one seed. All fields come from measurements of this run.
struct run_record {
  std::string name;  ///< E0, E1, E2 or control; of `glue` the model or the size and attention it started from
  std::string task;  ///< name as --task takes it, "custom" or "embedded"
  std::uint64_t seed = 0;
  std::string size;       ///< of the model: tiny, mini, small, base or "<layers>x<width>"; of `glue` empty
  std::string attention;  ///< dot_product or inhibitor, of the first layer
  std::string folder;     ///< of the model, as seen from results.json
  std::string metric;     ///< the task's main metric; empty when nothing was evaluated
  double value = 0;       ///< its value on the dev set, last epoch; NaN where it is undefined
  std::map<std::string, double> metrics;  ///< every metric of every dev set: "accuracy", "accuracy-mm"; NaN: undefined
  double loss = 0;                        ///< mean dev loss
  std::int64_t train_examples = 0, dev_examples = 0;
  double train_seconds = 0;
  double train_examples_per_second = 0;
  double examples_per_second = 0;                      ///< evaluation speed on the dev set
  nlohmann::json epochs = nlohmann::json::array();     ///< {stage, epoch, loss, value?} in order
  nlohmann::json settings = nlohmann::json::object();  ///< every option that changes numbers, defaults included
  nlohmann::json details = nlohmann::json::object();   ///< further numbers of the program: all_results.json of `glue`

  bool is_evaluated() const { return !metrics.empty(); }
};

/// A task that could not be finished.
struct failed_task {
  std::string title, reason;
};

/// A results.json.
struct result_file {
  std::string program;
  std::string command;                              ///< as first given: --resume is no part of it
  nlohmann::json build = nlohmann::json::object();  ///< build_facts()
  std::string cpu;
  std::int64_t threads = 0;
  double peak_memory_mib = 0;
  std::vector<run_record> runs;
  std::vector<failed_task> failures;
  std::vector<std::string> not_found;  ///< titles of tasks without data
};

inline nlohmann::json to_json(const run_record& r) {
  nlohmann::json metrics = nlohmann::json::object();
  for (const auto& [name, value] : r.metrics) metrics[name] = json_number(value);
  return {{"name", r.name},
          {"task", r.task},
          {"seed", r.seed},
          {"size", r.size},
          {"attention", r.attention},
          {"folder", r.folder},
          {"metric", r.metric},
          {"value", json_number(r.value)},
          {"metrics", metrics},
          {"loss", json_number(r.loss)},
          {"train_examples", r.train_examples},
          {"dev_examples", r.dev_examples},
          {"train_seconds", r.train_seconds},
          {"train_examples_per_second", json_number(r.train_examples_per_second)},
          {"examples_per_second", json_number(r.examples_per_second)},
          {"epochs", r.epochs},
          {"settings", r.settings},
          {"details", r.details}};
}

/// Throws nlohmann::json exceptions for a record that lacks a field.
inline run_record run_record_from(const nlohmann::json& j) {
  const auto number = [](const nlohmann::json& value) { return value.is_null() ? std::nan("") : value.get<double>(); };
  run_record r;
  r.name = j.at("name");
  r.task = j.at("task");
  r.seed = j.at("seed");
  r.size = j.at("size");
  r.attention = j.at("attention");
  r.folder = j.at("folder");
  r.metric = j.at("metric");
  r.value = number(j.at("value"));
  for (const auto& [name, value] : j.at("metrics").items()) r.metrics[name] = number(value);
  r.loss = number(j.at("loss"));
  r.train_examples = j.at("train_examples");
  r.dev_examples = j.at("dev_examples");
  r.train_seconds = j.at("train_seconds");
  r.train_examples_per_second = number(j.at("train_examples_per_second"));
  r.examples_per_second = number(j.at("examples_per_second"));
  r.epochs = j.at("epochs");
  r.settings = j.at("settings");
  r.details = j.at("details");
  return r;
}

/// Mean and sample standard deviation; NaN for no value, and for fewer than two.
struct mean_and_deviation {
  double mean = std::nan("");
  double deviation = std::nan("");
};

inline mean_and_deviation mean_of(const std::vector<double>& values) {
  mean_and_deviation out;
  if (values.empty()) return out;
  const auto count = static_cast<double>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / (count - 1));
  return out;
}

namespace detail {

/// The main metric of each model and task over its seeds, in the order of the runs. Programs compute it from the runs;
/// it is there for people.
inline nlohmann::json summary_of(const std::vector<run_record>& runs) {
  std::vector<const run_record*> firsts;
  const auto is_same = [](const run_record& a, const run_record& b) { return a.task == b.task && a.name == b.name; };
  for (const run_record& r : runs) {
    const bool is_new = std::none_of(firsts.begin(), firsts.end(), [&](const auto* f) { return is_same(*f, r); });
    if (is_new && r.is_evaluated()) firsts.push_back(&r);
  }
  nlohmann::json out = nlohmann::json::array();
  for (const run_record* first : firsts) {
    std::vector<double> values;
    for (const run_record& r : runs) {
      if (is_same(*first, r) && r.is_evaluated()) values.push_back(r.value);
    }
    const mean_and_deviation mean = mean_of(values);
    out.push_back({{"task", first->task},
                   {"name", first->name},
                   {"metric", first->metric},
                   {"mean", json_number(mean.mean)},
                   {"standard_deviation", json_number(mean.deviation)}});
  }
  return out;
}

}  // namespace detail

/// Writes results.json, whole or not at all. Throws file_error.
inline void write_result_file(const std::string& path, const result_file& f) {
  nlohmann::json runs = nlohmann::json::array(), failures = nlohmann::json::array();
  for (const run_record& r : f.runs) runs.push_back(to_json(r));
  for (const failed_task& t : f.failures) failures.push_back({{"title", t.title}, {"reason", t.reason}});
  write_json_file(path, {{"format", 2},
                         {"program", f.program},
                         {"command", f.command},
                         {"build", f.build},
                         {"cpu", f.cpu},
                         {"threads", f.threads},
                         {"peak_memory_mib", f.peak_memory_mib},
                         {"runs", runs},
                         {"failures", failures},
                         {"not_found", f.not_found},
                         {"summary", detail::summary_of(f.runs)}});
}

/// Throws file_error when the file is missing or no results.json of this format.
inline result_file read_result_file(const std::string& path) {
  const nlohmann::json j = read_json_file(path);
  try {
    if (j.value("format", 1) != 2) {
      throw file_error(path,
                       "is no results.json of format 2, which this program reads; scripts/convert-results makes it of "
                       "older ones");
    }
    result_file f;
    f.program = j.at("program");
    f.command = j.at("command");
    f.build = j.at("build");
    f.cpu = j.at("cpu");
    f.threads = j.at("threads");
    f.peak_memory_mib = j.at("peak_memory_mib");
    for (const nlohmann::json& r : j.at("runs")) f.runs.push_back(run_record_from(r));
    for (const nlohmann::json& t : j.at("failures")) f.failures.push_back({t.at("title"), t.at("reason")});
    f.not_found = j.at("not_found").get<std::vector<std::string>>();
    return f;
  } catch (const nlohmann::json::exception& e) {
    throw file_error(path, std::string("is no result of our programs: ") + e.what());
  }
}

/// The head of a results.json of this process.
inline result_file new_result_file(const std::string& program, const std::string& command, index_t threads) {
  result_file f;
  f.program = program;
  f.command = command;
  f.build = build_facts();
  f.cpu = cpu_model();
  f.threads = threads;
  f.peak_memory_mib = peak_memory_mib();
  return f;
}

}  // namespace inhibitor::examples
