// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/tensor_names.hpp"
#include "inhibitor/pretrained/config_json.hpp"
#include "inhibitor/pretrained/load_report.hpp"
#include "inhibitor/pretrained/tensor_names.hpp"
#include "inhibitor/pretrained/whole_folder.hpp"

// A model is a folder as Hugging Face lays it out: config.json, model.safetensors (or shards with an index), vocab.txt.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model read from a folder, and how well it fitted.
template <class T>
struct loaded_model {
  encoder_tensors<T> tensors;
  model_config_file config;
  load_report report;
};

/// How to read.
struct reading_options {
  /// The authors' published models have one number per layer where this library has one per head. True: it stays one in
  /// training (mixer_options::tied_scalars); false: heads start equal and go their own ways.
  bool ties_published_scalars = false;
};

/// Shape of a tensor as a file states it.
template <class T>
std::vector<std::uint64_t> stored_shape(const tensor<T>& t) {
  if (t.rank == 1) return {static_cast<std::uint64_t>(t.cols)};
  return {static_cast<std::uint64_t>(t.rows), static_cast<std::uint64_t>(t.cols)};
}

namespace detail {

/// A stored tensor under the library's name.
struct tensor_source {
  safetensors_set::entry entry;
  bool is_published_scalar;
};

inline std::map<std::string, tensor_source> sources_by_name(const safetensors_set& checkpoint, model_family family) {
  std::map<std::string, tensor_source> out;
  for (const safetensors_set::entry& entry : checkpoint.entries()) {
    tensor_name name = canonical_tensor_name(entry.info->name, family);
    if (name.name.empty()) continue;
    const std::string key = name.name;
    if (!out.emplace(std::move(name.name), tensor_source{entry, name.is_published_scalar}).second) {
      throw file_error(
          checkpoint.file(entry).path(),
          "holds tensor " + in_quotes(key) + " under two spellings, one of them " + in_quotes(entry.info->name));
    }
  }
  return out;
}

/// What the tensors tell about the mechanism where config.json is silent: layers with inhibitor scalars are inhibitor
/// layers, and the authors' published models center over all keys.
inline void infer_mechanism(model_config_file& file, const std::map<std::string, tensor_source>& sources,
                            const reading_options& options) {
  encoder_config& config = file.config;
  bool is_published = false;
  for (index_t i = 0; i < config.n_layers; ++i) {
    const std::string shift = "distilbert.transformer.layer." + std::to_string(i) + ".attention.inhibitor_shift";
    const auto found = sources.find(checkpoint_tensor_name(shift, config.family));
    if (found == sources.end()) continue;
    is_published = is_published || found->second.is_published_scalar;
    if (!file.document.contains("attention_type")) {
      config.attention[static_cast<std::size_t>(i)] = inhibitor_mixer<float>::name;
    }
  }
  if (is_published && !file.document.contains("inhibitor_center")) config.inhibitor.center = centering::all_keys;
  if (is_published && options.ties_published_scalars) config.tied_scalars = true;
}

/// A damaged or hostile config.json must not make the program ask for memory without bound.
inline void check_size(const encoder_config& c, const safetensors_set& checkpoint, const std::string& file) {
  const auto real = [](index_t value) { return static_cast<double>(value); };
  const double expected = real(c.vocab_size + c.max_position_embeddings) * real(c.dim) +
                          real(c.n_layers) * real(c.dim) * (4 * real(c.dim) + 2 * real(c.intermediate_dim)) +
                          real(c.num_labels) * real(c.dim);
  double stored = 0;
  for (const auto& entry : checkpoint.entries()) stored += static_cast<double>(entry.info->elements());
  if (expected > 16 * stored + 0x1p28) {
    throw file_error(file, "describes a model of about " + std::to_string(static_cast<std::int64_t>(expected / 1e6)) +
                               " million parameters; the checkpoint beside it holds " +
                               std::to_string(static_cast<std::int64_t>(stored / 1e6)) + " million");
  }
}

/// True when one stored number may fill a whole inhibitor scalar.
inline bool is_one_for_all_heads(const tensor_source& source) {
  return source.is_published_scalar && source.entry.info->elements() == 1;
}

template <class T>
void copy_tensor(const safetensors_set& checkpoint, const tensor_source& source, const std::string& name,
                 tensor<T>& to) {
  if (!is_one_for_all_heads(source)) {
    checkpoint.copy_to(source.entry, to.data);
    return;
  }
  T value = 0;
  checkpoint.copy_to(source.entry, &value);
  // The authors' code applies the shift only where it is positive.
  if (ends_with(name, ".inhibitor_shift") && !(value > 0)) value = 0;
  for (index_t i = 0; i < to.size(); ++i) to.data[i] = value;
}

}  // namespace detail

/// Reads a model folder. `heads` says which heads the result shall have, whatever the checkpoint holds; tensors that
/// are missing or of another shape are initialized as in a new model (seed 0) and listed in the report. Stored names
/// are normalized (tensor_names.hpp); the masked-LM decoder is always the word embeddings, a stored copy is not read.
/// F16, BF16, F32 and F64 are converted to T. Throws file_error when a file is missing or malformed, and for a
/// classification head that gives several labels at once.
template <class T>
loaded_model<T> read_model_folder(const std::string& folder,
                                  const head_names& heads = {sequence_classification_head<T>::name},
                                  const reading_options& options = {}) {
  const std::string config_path = folder + "/config.json";
  loaded_model<T> model;
  model.config = read_model_config(config_path);
  if (has_head<sequence_classification_head>(heads)) require_one_label(model.config, config_path);
  const safetensors_set checkpoint = safetensors_set::open_folder(folder);
  auto sources = detail::sources_by_name(checkpoint, model.config.config.family);
  if (has_head<masked_lm_head>(heads)) {
    for (const char* tied :
         {"vocab_projector.weight", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}) {
      sources.erase(tied);
    }
  }
  detail::infer_mechanism(model.config, sources, options);
  detail::check_size(model.config.config, checkpoint, config_path);

  model.tensors = encoder_tensors<T>(model.config.config, heads);
  std::vector<std::pair<detail::tensor_source, std::string>> fitting;
  const model_family family = model.config.config.family;
  model.tensors.visit([&](const std::string& visited, tensor<T>& t) {
    const std::string name = checkpoint_tensor_name(visited, family);
    const auto found = sources.find(name);
    if (found == sources.end()) {
      model.report.missing.push_back(name);
      return;
    }
    const detail::tensor_source source = found->second;
    sources.erase(found);
    if (source.entry.info->shape == stored_shape(t) || detail::is_one_for_all_heads(source)) {
      fitting.emplace_back(source, name);
    } else {
      model.report.mismatched.push_back({name, source.entry.info->shape, stored_shape(t)});
    }
  });
  for (const auto& [name, source] : sources) model.report.unexpected.push_back(source.entry.info->name);
  if (!model.report.missing.empty() || !model.report.mismatched.empty()) initialize(model.tensors, 0);
  auto next = fitting.begin();
  model.tensors.visit([&](const std::string& name, tensor<T>& t) {
    if (next == fitting.end() || next->second != checkpoint_tensor_name(name, family)) return;
    detail::copy_tensor(checkpoint, next->first, name, t);
    ++next;
  });
  return model;
}

/// Reads a model folder that must hold exactly the tensors of the model. Throws file_error naming what is missing,
/// unexpected or of another shape (both shapes).
template <class T>
encoder_tensors<T> load_model_folder(const std::string& folder,
                                     const head_names& heads = {sequence_classification_head<T>::name},
                                     const reading_options& options = {}) {
  loaded_model<T> model = read_model_folder<T>(folder, heads, options);
  model.report.require_complete(folder);
  return std::move(model.tensors);
}

/// Writes model.safetensors, vocab.txt (a copy of `vocab_file`, unless that is empty) and config.json into `folder`.
/// The configuration saved is that of `tensors`; `config` adds label names and keys of others. A new folder appears
/// complete or not at all. In a folder that exists, each file is replaced whole, config.json last, and other files
/// stay. Throws file_error; then nothing unfinished is left.
template <class T>
void save_model_folder(const std::string& folder, const encoder_tensors<T>& tensors, const std::string& vocab_file = "",
                       model_config_file config = {}) {
  config.config = tensors.config();
  const char* type_key = config.document.contains("dtype") ? "dtype" : "torch_dtype";  // renamed by newer HF versions
  config.document[type_key] = sizeof(T) == sizeof(float) ? "float32" : "float64";
  const std::string vocabulary = vocab_file.empty() ? "" : read_file(vocab_file);
  safetensors_writer writer;
  writer.metadata("format", "pt");
  tensors.visit([&](const std::string& name, const tensor<const T>& t) {
    writer.add(checkpoint_tensor_name(name, config.config.family), dtype_of<T>(), stored_shape(t), t.data);
  });
  const auto write_files = [&](const std::string& into) {
    writer.write(into + "/model.safetensors");
    if (!vocab_file.empty()) write_file_atomically(into + "/vocab.txt", vocabulary);
    write_model_config(into + "/config.json", config, tensors.has_heads());
  };
  write_whole_folder(folder, write_files);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
