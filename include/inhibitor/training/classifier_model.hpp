// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/log_sink.hpp"
#include "inhibitor/data/label_names.hpp"
#include "inhibitor/data/task.hpp"
#include "inhibitor/pretrained/finite.hpp"
#include "inhibitor/pretrained/model_folder.hpp"

// Models whose classification head fits a task: labels are matched by name, never by number.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model ready for a task: output i is class i of the task.
struct classifier_model {
  encoder_tensors<float> tensors;
  model_config_file file;     ///< labels and keys to save with it
  bool has_new_head = false;  ///< drawn from the seed, not read
};

/// True for the tensors of the classification head.
inline bool is_head_tensor(const std::string& name) {
  return name.rfind("classifier.", 0) == 0 || name.rfind("pre_classifier.", 0) == 0 ||
         name.rfind("bert.pooler.", 0) == 0;
}

namespace detail {

/// For every class of the task the output of the model that stands for it; nothing when the names differ. Where no name
/// is the same to the letter, upper and lower case are, as checkpoints write POSITIVE and entailment alike.
inline std::optional<std::vector<index_t>> match_labels(const std::vector<std::string>& model,
                                                        const std::vector<std::string>& task) {
  if (model.size() != task.size()) return std::nullopt;
  std::vector<index_t> outputs;
  for (const std::string& name : task) {
    const index_t output = find_label(model, name);
    if (output < 0 || std::count(outputs.begin(), outputs.end(), output) > 0) return std::nullopt;
    outputs.push_back(output);
  }
  return outputs;
}

/// Moves the classifier's rows so that row i is what was row order[i].
inline void reorder_outputs(encoder_tensors<float>& model, const std::vector<index_t>& order) {
  const index_t width = model.config().dim;
  const auto& [weight, bias] = model.head<sequence_classification_head>().classifier;
  const std::vector<float> old_weight(weight.data, weight.data + weight.size());
  const std::vector<float> old_bias(bias.data, bias.data + bias.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(old_weight.begin() + order[i] * width, width, weight.data + static_cast<index_t>(i) * width);
    bias.data[i] = old_bias[static_cast<std::size_t>(order[i])];
  }
}

inline std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

inline std::string describe(const label_set& labels) {
  return labels.is_regression ? "one score" : "the labels " + list_of(labels.names);
}

/// Why the head of a loaded model cannot serve a task; empty when it can. `order` is set when its outputs must move.
inline std::string head_problem(const loaded_model<float>& model, const label_set& labels, std::vector<index_t>& order,
                                const log_sink& log) {
  const std::vector<std::string>& names = model.config.labels;
  const auto is_head = [](const auto& name) { return is_head_tensor(name); };
  if (std::any_of(model.report.missing.begin(), model.report.missing.end(), is_head) ||
      !model.report.mismatched.empty()) {
    return "the model has no classification head";
  }
  if (labels.is_regression != (names.size() == 1)) {
    return labels.is_regression ? "the model has the labels " + list_of(names) + "; the task has scores"
                                : "the model gives one score; the task has " + describe(labels);
  }
  if (labels.is_regression) return "";
  if (const auto matched = match_labels(names, labels.names)) {
    order = *matched;
    return "";
  }
  if (names == default_labels(labels.outputs())) {
    tell(log, "the model's labels have no names: " + list_of(names) + " are taken to be " + list_of(labels.names));
    return "";
  }
  return "the model has the labels " + list_of(names) + "; the task has " + describe(labels);
}

}  // namespace detail

/// Copies every tensor of `from` that `to` has as well and `wanted` allows. Sizes must agree.
template <class Predicate>
void copy_tensors(encoder_tensors<float>& to, const encoder_tensors<float>& from, Predicate&& wanted) {
  std::map<std::string, const float*> source;
  from.visit([&](const std::string& name, const tensor<const float>& t) { source[name] = t.data; });
  to.visit([&](const std::string& name, tensor<float>& t) {
    const auto found = source.find(name);
    if (found != source.end() && wanted(name)) std::copy_n(found->second, t.size(), t.data);
  });
}

/// What a task's model says about its labels in config.json.
inline void set_labels(model_config_file& file, const task_info& task) {
  file.labels = task.labels.is_regression ? std::vector<std::string>{"LABEL_0"} : task.labels.names;
  file.document["problem_type"] = task.labels.is_regression ? "regression" : "single_label_classification";
  file.document["finetuning_task"] = task.name;
}

/// Reads a model folder for a task. Its outputs are brought into the task's order by the names in id2label. A head that
/// does not serve the task (none, other labels, scores for classes) is replaced by a new one drawn from `seed`, which
/// `log` is told, when `may_train`; else file_error says what was found. Throws file_error also when the encoder is
/// incomplete or a number in the model is not finite.
inline classifier_model load_classifier(const std::string& folder, const task_info& task, std::uint64_t seed,
                                        bool may_train, const log_sink& log = {}) {
  loaded_model<float> loaded = read_model_folder<float>(folder);
  load_report encoder = loaded.report;
  encoder.unexpected.clear();
  const auto is_head = [](const std::string& name) { return is_head_tensor(name); };
  encoder.missing.erase(std::remove_if(encoder.missing.begin(), encoder.missing.end(), is_head), encoder.missing.end());
  encoder.mismatched.erase(std::remove_if(encoder.mismatched.begin(), encoder.mismatched.end(),
                                          [&](const auto& m) { return is_head(m.name); }),
                           encoder.mismatched.end());
  encoder.require_complete(folder);
  require_finite(loaded.tensors, folder);

  classifier_model model;
  model.file = loaded.config;
  std::vector<index_t> order;
  const std::string problem = detail::head_problem(loaded, task.labels, order, log);
  if (problem.empty()) {
    model.tensors = std::move(loaded.tensors);
    if (!order.empty()) detail::reorder_outputs(model.tensors, order);
  } else {
    if (!may_train) throw file_error(folder, problem);
    model.has_new_head = true;
    std::string found = loaded.report.text();
    if (!found.empty() && found.back() == '\n') found.pop_back();
    tell(log, folder + ": " + problem + "; training starts from a new head" + (found.empty() ? "" : "\n" + found));
    encoder_config config = loaded.tensors.config();
    config.num_labels = task.labels.outputs();
    model.tensors = encoder_tensors<float>(config);
    initialize(model.tensors, seed);
    const auto& missing = loaded.report.missing;
    copy_tensors(model.tensors, loaded.tensors, [&](const std::string& name) {
      const std::string stored = checkpoint_tensor_name(name, config.family);
      return name.rfind("classifier.", 0) != 0 && std::find(missing.begin(), missing.end(), stored) == missing.end();
    });
  }
  set_labels(model.file, task);
  return model;
}

/// A new model of `config`, whose num_labels is set to the task's, drawn from `seed`.
inline classifier_model new_classifier(encoder_config config, const task_info& task, std::uint64_t seed) {
  config.num_labels = task.labels.outputs();
  classifier_model model;
  model.tensors = encoder_tensors<float>(config);
  initialize(model.tensors, seed);
  set_labels(model.file, task);
  model.has_new_head = true;
  return model;
}

/// Saves a model with its vocabulary, a vocab.txt or tokenizer.json, and the other tokenizer files of the folder it came
/// from (empty: none).
inline void save_classifier(const std::string& folder, const classifier_model& model, const std::string& vocab_file,
                            const std::string& came_from) {
  const bool is_json = std::filesystem::path(vocab_file).extension() == ".json";
  save_model_folder(folder, model.tensors, is_json ? "" : vocab_file, model.file);
  if (is_json) write_file_atomically(folder + "/tokenizer.json", read_file(vocab_file));
  for (const char* name : {"/tokenizer_config.json", "/special_tokens_map.json", "/tokenizer.json"}) {
    const std::string file = came_from + name;
    if (!came_from.empty() && std::filesystem::exists(file)) write_file_atomically(folder + name, read_file(file));
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
