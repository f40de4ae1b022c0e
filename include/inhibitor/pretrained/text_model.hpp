// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "inhibitor/pretrained/model_folder.hpp"
#include "inhibitor/pretrained/tokenizer_files.hpp"

// A model folder as programs that take text need it: tensors, label names and the tokenizer it was trained with.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which heads the stored tensors of a folder amount to. Throws file_error.
inline head_names stored_heads(const std::string& folder) {
  const model_family family = read_model_config(folder + "/config.json").config.family;
  const safetensors_set set = safetensors_set::open_folder(folder);
  head_names heads;
  for_each_alternative<bert_head<float>>([&](auto* h) {
    using head = std::remove_pointer_t<decltype(h)>;
    const std::string wanted = checkpoint_tensor_name(head::own_tensor, family);
    const auto tells = [&](const safetensors_set::entry& entry) {
      return canonical_tensor_name(entry.info->name, family).name == wanted;
    };
    if (std::any_of(set.entries().begin(), set.entries().end(), tells)) heads.emplace_back(head::name);
  });
  return heads;
}

/// A model with its tokenizer.
struct text_model {
  encoder_tensors<float> tensors;
  model_config_file config;
  load_report report;
  wordpiece tokenizer;

  const encoder_config& sizes() const { return tensors.config(); }
};

/// Throws file_error with the tensors a model folder lacks or has in another shape; what it has beyond them is no
/// error.
inline void require_tensors(const load_report& report, const std::string& folder) {
  load_report needed = report;
  needed.unexpected.clear();
  needed.require_complete(folder);
}

/// Reads config.json, the tensors and the tokenizer (tokenizer_files.hpp) of a folder. Throws file_error when a file is
/// missing or malformed, a tensor of the encoder or of `heads` is missing or has another shape, or the vocabulary has
/// more tokens than the model.
inline text_model load_text_model(const std::string& folder, const head_names& heads, wordpiece_options options = {}) {
  loaded_model<float> model = read_model_folder<float>(folder, heads);
  require_tensors(model.report, folder);
  wordpiece tokenizer = load_tokenizer(folder, options);
  if (tokenizer.size() > model.tensors.config().vocab_size) {
    throw file_error(vocabulary_file(folder),
                     "holds " + std::to_string(tokenizer.size()) + " tokens; the model beside it has " +
                         std::to_string(model.tensors.config().vocab_size) + " word embeddings");
  }
  return {std::move(model.tensors), std::move(model.config), std::move(model.report), std::move(tokenizer)};
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
