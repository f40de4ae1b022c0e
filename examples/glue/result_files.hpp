// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "inhibitor/io/atomic_file.hpp"
#include "inhibitor/training/evaluate.hpp"
#include "inhibitor/training/train_stages.hpp"
#include "support/json_number.hpp"
#include "support/printable.hpp"

// The files of a run, as run_glue.py names and fills them, and GLUE's submission files.

namespace inhibitor::examples {

/// Keys of eval_results.json for one validation split; `suffix` is "" or "_mm".
inline nlohmann::json eval_results(const evaluation& e, index_t batches, const std::string& suffix) {
  nlohmann::json out;
  const auto set = [&](const std::string& key, double value) { out["eval_" + key + suffix] = json_number(value); };
  set("loss", e.loss);
  for (const auto& [name, value] : e.metrics) set(name, value);
  set("runtime", e.seconds);
  out["eval_samples" + suffix] = e.examples;
  set("samples_per_second", e.examples_per_second());
  set("steps_per_second", static_cast<double>(batches) / e.seconds);
  return out;
}

/// Keys of train_results.json.
inline nlohmann::json train_results(const training_progress& result, index_t epochs, index_t samples, index_t steps) {
  const double seconds = result.seconds;
  double loss = 0;
  for (const auto& record : result.epochs) loss += record.at("loss").get<double>();
  const auto per_second = [&](double count) { return json_number(count / seconds); };
  return {{"epoch", static_cast<double>(epochs)},
          {"train_loss", json_number(loss / static_cast<double>(result.epochs.size()))},
          {"train_runtime", json_number(seconds)},
          {"train_samples", samples},
          {"train_samples_per_second", per_second(static_cast<double>(result.examples))},
          {"train_steps_per_second", per_second(static_cast<double>(steps))}};
}

/// Writes results with sorted keys and an indent of 4, whole or not at all. Throws file_error.
inline void write_results(const std::string& file, const nlohmann::json& results) {
  write_file_atomically(file, results.dump(4) + "\n");
}

/// The block people read on the console: `***** eval metrics *****` and one aligned line per key.
inline void print_results(const std::string& title, const nlohmann::json& results) {
  std::size_t width = 0;
  for (const auto& item : results.items()) width = std::max(width, item.key().size());
  fmt::print("***** {} metrics *****\n", title);
  for (const auto& [key, value] : results.items()) {
    const std::string text = value.is_null()           ? "nan"
                             : value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
                                                       : value.dump();
    fmt::print("  {:<{}} = {:>10}\n", key, width, text);
    if (value.is_null()) fmt::print(stderr, "warning: {} is undefined: predictions or labels are all the same\n", key);
  }
  std::fflush(stdout);
}

/// One prediction per line under the header "index<TAB>prediction", in file order. Classes are written as `form` says,
/// scores with three decimals, clamped to the task's range when `clamp`. A line break or tab in a name becomes '?'.
inline std::string prediction_lines(const model_outputs& outputs, const label_set& labels, submission_form form,
                                    bool clamp) {
  std::string text = "index\tprediction\n";
  if (labels.is_regression) {
    for (index_t i = 0; i < outputs.size(); ++i) {
      const double score = static_cast<double>(outputs.logits[static_cast<std::size_t>(i)]);
      text += fmt::format("{}\t{:.3f}\n", i, clamp ? std::clamp(score, labels.lowest, labels.highest) : score);
    }
    return text;
  }
  index_t i = 0;
  for (const std::int32_t label : outputs.classes()) {
    const std::string name = form == submission_form::digit ? std::to_string(label)
                                                            : printable(labels.names[static_cast<std::size_t>(label)]);
    text += fmt::format("{}\t{}\n", i++, name);
  }
  return text;
}

/// Writes predict_results_<name>.txt, with class names, and GLUE's submission/<submission>.tsv unless that is empty.
/// Throws file_error.
inline void write_predictions(const std::string& folder, const task_info& task, const std::string& suffix,
                              const std::string& submission, const model_outputs& outputs) {
  write_file_atomically(folder + "/predict_results_" + task.name + suffix + ".txt",
                        prediction_lines(outputs, task.labels, submission_form::word, false));
  if (submission.empty()) return;
  std::filesystem::create_directories(folder + "/submission");
  write_file_atomically(folder + "/submission/" + submission + ".tsv",
                        prediction_lines(outputs, task.labels, task.form, true));
}

}  // namespace inhibitor::examples
