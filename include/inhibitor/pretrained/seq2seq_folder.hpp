// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/models/seq2seq/model.hpp"
#include "inhibitor/models/seq2seq/tensor_names.hpp"
#include "inhibitor/pretrained/load_report.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "inhibitor/pretrained/seq2seq_config_json.hpp"
#include "inhibitor/pretrained/whole_folder.hpp"

// The folder of an encoder-decoder as Hugging Face lays it out: config.json, model.safetensors (or shards with an
// index). Vocabularies are files of their own beside them.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Shapes under which checkpoints have a tensor: Marian's bias of the output is a row.
inline bool has_stored_shape(const std::vector<std::uint64_t>& found, std::vector<std::uint64_t> expected) {
  if (found == expected) return true;
  expected.insert(expected.begin(), 1);
  return expected.size() == 2 && found == expected;
}

/// True for stored copies of what the model has once, and for tables that it computes.
inline bool is_redundant(const std::string& name, const seq2seq_config& c) {
  if (name == "lm_head.weight") return c.tie_output;
  if (name.find(".embed_positions.weight") != std::string::npos) return is_sinusoidal(c.positions);
  if (name.find(".embed_tokens.weight") != std::string::npos) return c.share_embeddings;
  return false;
}

}  // namespace detail

/// Reads the model folder of an encoder-decoder, which must hold exactly the tensors of its configuration (copies of
/// tied ones and sinusoidal tables aside; M2M100's lack the output's bias, which is 0 then). F16, BF16, F32 and F64 are
/// converted to T. `config` is given the configuration file when not null. Throws file_error when a file is missing or
/// malformed, and naming what is missing, unexpected or of another shape (both shapes).
template <class T>
seq2seq_tensors<T> load_seq2seq_folder(const std::string& folder, seq2seq_config_file* config = nullptr) {
  const seq2seq_config_file file = read_seq2seq_config(folder + "/config.json");
  const safetensors_set checkpoint = safetensors_set::open_folder(folder);
  std::map<std::string, safetensors_set::entry> stored;
  for (const safetensors_set::entry& entry : checkpoint.entries()) {
    if (!detail::is_redundant(entry.info->name, file.config)) stored.emplace(entry.info->name, entry);
  }
  load_report report;
  seq2seq_tensors<T> model(file.config);
  std::vector<std::pair<safetensors_set::entry, T*>> copies;
  model.visit([&](const std::string& visited, tensor<T>& t) {
    const std::string name = seq2seq_tensor_name(visited);
    const auto found = stored.find(name);
    if (found == stored.end()) {
      if (name != "final_logits_bias") report.missing.push_back(name);
      return;
    }
    const safetensors_set::entry entry = found->second;
    stored.erase(found);
    if (detail::has_stored_shape(entry.info->shape, stored_shape(t))) {
      copies.emplace_back(entry, t.data);
    } else {
      report.mismatched.push_back({name, entry.info->shape, stored_shape(t)});
    }
  });
  for (const auto& [name, entry] : stored) report.unexpected.push_back(name);
  report.require_complete(folder);
  for (const auto& [entry, to] : copies) checkpoint.copy_to(entry, to);
  if (config != nullptr) *config = file;
  return model;
}

/// Writes model.safetensors and config.json into `folder`, after write_others(path) has written what else belongs to
/// it. The configuration saved is that of `tensors`; `config` adds keys of others. As write_whole_folder.
template <class T, class WriteOthers>
void save_seq2seq_folder(const std::string& folder, const seq2seq_tensors<T>& tensors, seq2seq_config_file config,
                         WriteOthers&& write_others) {
  config.config = tensors.config();
  config.document["torch_dtype"] = sizeof(T) == sizeof(float) ? "float32" : "float64";
  safetensors_writer writer;
  writer.metadata("format", "pt");
  tensors.visit([&](const std::string& visited, const tensor<const T>& t) {
    const std::string name = seq2seq_tensor_name(visited);
    std::vector<std::uint64_t> shape = stored_shape(t);
    if (name == "final_logits_bias") shape.insert(shape.begin(), 1);
    writer.add(name, dtype_of<T>(), shape, t.data);
  });
  write_whole_folder(folder, [&](const std::string& into) {
    write_others(into);
    writer.write(into + "/model.safetensors");
    write_json_file(into + "/config.json", seq2seq_config_document(config));
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
