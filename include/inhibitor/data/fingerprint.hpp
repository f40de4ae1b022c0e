// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "inhibitor/data/task_data.hpp"
#include "inhibitor/data/token_dataset.hpp"
#include "inhibitor/io/content_hash.hpp"

// What a training reads, told apart by its content, so that a run is not resumed on something else.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Content of everything that a training reads: file or folder, then hash of what was made of it.
using input_fingerprints = std::map<std::string, std::string>;

/// Hash of a tokenized data set: ids, token types, labels and scores, in order.
inline std::string fingerprint(const token_dataset& data) {
  content_hash hash;
  hash.add_number(data.ids.size());
  for (const auto& ids : data.ids) hash.add_values(ids);
  hash.add_values(data.first_lengths);
  hash.add_values(data.labels);
  hash.add_values(data.scores);
  return hash.text();
}

/// Hash of a model's parameters, for models that a training starts or learns from.
template <class Model>
auto fingerprint(const Model& model) -> decltype(model.config(), std::string()) {
  content_hash hash;
  hash.add_values(model.data(), static_cast<std::size_t>(model.size()));
  return hash.text();
}

/// Adds the training and validation data of a task, each under the name of its file.
inline void add_fingerprints(input_fingerprints& to, const tokenized_task& data) {
  for (const auto* splits : {&data.train, &data.validation}) {
    for (const tokenized_split& split : *splits) to[split.source + split.suffix] = fingerprint(split.tokens);
  }
}

/// Name of the first input whose content differs, or that only one of the two has; empty when they agree.
inline std::string changed_input(const input_fingerprints& then, const input_fingerprints& now) {
  for (const auto& [name, hash] : then) {
    const auto found = now.find(name);
    if (found == now.end() || found->second != hash) return name;
  }
  for (const auto& item : now) {
    if (then.find(item.first) == then.end()) return item.first;
  }
  return "";
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
