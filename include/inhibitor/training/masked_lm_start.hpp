// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/data/unigram.hpp"
#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/models/bert/model.hpp"

// Where a masked-LM that is trained from nothing starts, beyond the numbers that `initialize` draws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Sets the output bias to the logarithm of the tokens' frequencies (counts of the text, one per token): the model
/// then begins at the unigram cross-entropy instead of ln V, and no step is spent on learning frequencies.
template <class T>
void start_output_bias(encoder_tensors<T>& model, const std::vector<index_t>& counts) {
  tensor<T>& bias = model.template head<masked_lm_head>().vocab_projector_bias;
  check(static_cast<index_t>(counts.size()) == bias.size(), "start_output_bias: expected one count per token");
  const std::vector<double> values = log_frequencies(counts);
  for (index_t i = 0; i < bias.size(); ++i) bias.data[i] = static_cast<T>(values[static_cast<std::size_t>(i)]);
}

/// Multiplies the weights of queries and keys by `query_key`, which sharpens attention, and those that write into the
/// residual stream (output projection, second feed-forward layer) by `residual`, in every layer.
template <class T>
void scale_initial_weights(encoder_tensors<T>& model, double query_key, double residual) {
  model.visit([&](const std::string& name, tensor<T>& t) {
    const bool is_query_key = ends_with(name, ".attention.q_lin.weight") || ends_with(name, ".attention.k_lin.weight");
    const bool is_residual = ends_with(name, ".attention.out_lin.weight") || ends_with(name, ".ffn.lin2.weight");
    const double factor = is_query_key ? query_key : is_residual ? residual : 1;
    if (factor == 1) return;
    for (index_t i = 0; i < t.size(); ++i) t.data[i] = static_cast<T>(factor * static_cast<double>(t.data[i]));
  });
}

/// Copies the word embeddings (V, C) from the one tensor of rank 2 in a safetensors file. Throws file_error when there
/// is none, or it has another shape.
inline void read_word_embeddings(encoder_tensors<float>& model, const std::string& file) {
  const safetensors_file stored = safetensors_file::read(file);
  const tensor_info* found = nullptr;
  for (const tensor_info& t : stored.tensors()) {
    if (t.shape.size() == 2 && found != nullptr) throw file_error(file, "holds several tables; expected one");
    if (t.shape.size() == 2) found = &t;
  }
  tensor<float>& table = model.embeddings.word_embeddings;
  const std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(table.rows),
                                         static_cast<std::uint64_t>(table.cols)};
  if (found == nullptr || found->shape != shape) {
    throw file_error(file, "holds no word embeddings of shape [" + std::to_string(table.rows) + ", " +
                               std::to_string(table.cols) + "], one row per token of the vocabulary");
  }
  stored.copy_to(*found, table.data);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
