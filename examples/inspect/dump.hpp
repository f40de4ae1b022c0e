// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/pretrained/text_model.hpp"
#include "inhibitor/models/bert/heads.hpp"

// `inspect dump`: every intermediate of one forward pass as a safetensors file. B rows of L tokens, C wide:
//
//   input_ids, token_type_ids, attention_mask              (B, L) I64
//   embeddings.sum                                         (B, L, C) before its LayerNorm
//   hidden_states.0 .. hidden_states.N                     (B, L, C) embedding output, then the output of each layer
//   layer.i.q, .k, .v, .context, .sa_layer_norm            (B, L, C) heads side by side
//   layer.i.ffn_in, .ffn_act                               (B, L, F) before and after GELU
//   pooled, logits                                         (B, C), (B, labels) of the classification head
//   masked_lm.logits                                       (B, L, V)

namespace inhibitor::examples {

/// What goes in: ids, or the embedding output in their place.
struct model_input {
  index_t batch = 0, length = 0;
  std::vector<std::int32_t> ids;        ///< (B, L)
  std::vector<std::int32_t> type_ids;   ///< (B, L)
  std::vector<std::uint8_t> key_mask;   ///< (B, L)
  std::vector<float> embedding_output;  ///< (B, L, C), or empty: computed from the ids

  token_view view() const {
    token_view tokens;
    tokens.ids = ids.data();
    tokens.type_ids = type_ids.data();
    tokens.key_mask = key_mask.data();
    tokens.batch = batch;
    tokens.length = length;
    return tokens;
  }
};

/// One text, or a pair, as one row. Throws std::invalid_argument when it is longer than the position table.
inline model_input input_of_text(const text_model& model, const std::string& text, const std::string* pair) {
  constexpr index_t unlimited = PTRDIFF_MAX;
  encoded_text encoded;
  if (pair != nullptr) {
    encoded = model.tokenizer.encode_pair(text, *pair, unlimited);
  } else {
    encoded.ids = model.tokenizer.encode(text, unlimited);
    encoded.token_types.assign(encoded.ids.size(), 0);
  }
  model_input input;
  input.batch = 1;
  input.length = static_cast<index_t>(encoded.ids.size());
  check(input.length <= model.sizes().max_position_embeddings, [&] {
    return "the text has " + std::to_string(input.length) + " tokens; the model has " +
           std::to_string(model.sizes().max_position_embeddings) + " positions";
  });
  input.key_mask.assign(encoded.ids.size(), 1);
  input.ids = std::move(encoded.ids);
  input.type_ids = std::move(encoded.token_types);
  return input;
}

namespace detail {

/// An integer tensor (L) or (B, L) of 32-bit values; B and L are set from it, or must agree with it.
inline std::vector<std::int32_t> read_id_tensor(const safetensors_file& file, const tensor_info& info,
                                                model_input& input) {
  const std::vector<std::uint64_t>& shape = info.shape;
  if (shape.empty() || shape.size() > 2 || info.elements() == 0) {
    throw file_error(file.path(), "tensor " + in_quotes(info.name) + " has shape " + shape_text(shape) +
                                      "; expected (length) or (batch, length)");
  }
  const auto batch = static_cast<index_t>(shape.size() == 2 ? shape[0] : 1);
  const auto length = static_cast<index_t>(shape.back());
  if (input.batch == 0) {
    input.batch = batch;
    input.length = length;
  }
  if (input.batch != batch || input.length != length) {
    throw file_error(file.path(), "tensor " + in_quotes(info.name) + " has shape " + shape_text(shape) +
                                      "; expected batch " + std::to_string(input.batch) + ", length " +
                                      std::to_string(input.length) + " as the other inputs have");
  }
  std::vector<std::int64_t> wide(static_cast<std::size_t>(info.elements()));
  file.copy_to(info, wide.data());
  std::vector<std::int32_t> out;
  for (const std::int64_t value : wide) {
    if (value < INT32_MIN || value > INT32_MAX) {
      throw file_error(file.path(), "tensor " + in_quotes(info.name) + " holds " + std::to_string(value) +
                                        "; expected ids of 32 bits");
    }
    out.push_back(static_cast<std::int32_t>(value));
  }
  return out;
}

}  // namespace detail

/// Reads `prefix` + input_ids, attention_mask (absent: all 1) and token_type_ids (absent: all 0) of a file, each (L) or
/// (B, L). Not empty, `embeddings` names a tensor (L, dim) or (B, L, dim) that takes the place of the model's embedding
/// layer; the ids may then be absent. Throws file_error.
inline model_input input_of_file(const std::string& path, const std::string& prefix, const std::string& embeddings,
                                 index_t dim) {
  const safetensors_file file = safetensors_file::open(path);
  model_input input;
  if (!embeddings.empty()) {
    const tensor_info* info = file.find(embeddings);
    if (info == nullptr) throw file_error(path, "has no tensor " + in_quotes(embeddings));
    const std::vector<std::uint64_t>& shape = info->shape;
    if (shape.size() < 2 || shape.size() > 3 || shape.back() != static_cast<std::uint64_t>(dim) ||
        info->elements() == 0) {
      throw file_error(path, "tensor " + in_quotes(embeddings) + " has shape " + shape_text(shape) +
                                 "; expected (length, " + std::to_string(dim) + ") or (batch, length, " +
                                 std::to_string(dim) + ")");
    }
    input.batch = static_cast<index_t>(shape.size() == 3 ? shape[0] : 1);
    input.length = static_cast<index_t>(shape[shape.size() - 2]);
    input.embedding_output.resize(static_cast<std::size_t>(info->elements()));
    file.copy_to(*info, input.embedding_output.data());
  }
  const tensor_info* ids = file.find(prefix + "input_ids");
  if (ids == nullptr && embeddings.empty()) {
    throw file_error(path, "has no tensor " + in_quotes(prefix + "input_ids"));
  }
  if (ids != nullptr) input.ids = detail::read_id_tensor(file, *ids, input);
  const auto cells = static_cast<std::size_t>(input.batch * input.length);
  if (ids == nullptr) input.ids.assign(cells, 0);
  input.type_ids.assign(cells, 0);
  input.key_mask.assign(cells, 1);
  if (const tensor_info* types = file.find(prefix + "token_type_ids")) {
    input.type_ids = detail::read_id_tensor(file, *types, input);
  }
  if (const tensor_info* mask = file.find(prefix + "attention_mask")) {
    const std::vector<std::int32_t> values = detail::read_id_tensor(file, *mask, input);
    for (std::size_t i = 0; i < cells; ++i) input.key_mask[i] = values[i] != 0 ? 1 : 0;
  }
  return input;
}

/// The forward pass of one input and all it computed.
class forward_pass {
 public:
  /// Runs encoder and classification head, as far as the model has it. Throws std::invalid_argument for ids outside the
  /// vocabulary and inputs longer than the position table.
  forward_pass(const encoder_tensors<float>& model, model_input input, const executor& workers)
      : model_(model), input_(std::move(input)), workers_(workers) {
    const encoder_config& c = model_.config();
    const token_view tokens = input_.view();
    if (input_.embedding_output.empty()) {
      encoder_forward(activations_, tokens, model_, {}, workers_);
    } else {
      activations_.resize(c, tokens);
      std::copy(input_.embedding_output.begin(), input_.embedding_output.end(), activations_.hidden[0].data());
      layers_forward(activations_, tokens, model_, {}, workers_, c.n_layers);
    }
    if (model_.find_head<sequence_classification_head>() != nullptr) {
      classification_forward(head_, activations_, tokens, model_, {}, workers_);
    }
  }

  const encoder_config& config() const { return model_.config(); }
  const model_input& input() const { return input_; }
  const encoder_activations<float>& activations() const { return activations_; }

  /// Computes the masked-LM logits at every position.
  void run_masked_lm() {
    std::vector<index_t> positions(input_.ids.size());
    std::iota(positions.begin(), positions.end(), index_t{0});
    masked_lm_forward(masked_lm_, std::move(positions), activations_, model_, workers_);
  }

  /// Writes all of it, whole or not at all. Throws file_error.
  void write(const std::string& path) const {
    const encoder_config& c = config();
    const auto n = [](index_t x) { return static_cast<std::uint64_t>(x); };
    const std::vector<std::uint64_t> rows{n(input_.batch), n(input_.length)};
    const std::vector<std::uint64_t> states{n(input_.batch), n(input_.length), n(c.dim)};
    safetensors_writer file;
    std::deque<std::vector<std::int64_t>> integers;
    const auto add_integers = [&](const std::string& name, const auto& values) {
      integers.emplace_back(values.begin(), values.end());
      file.add(name, dtype::i64, rows, integers.back().data());
    };
    add_integers("input_ids", input_.ids);
    add_integers("attention_mask", input_.key_mask);
    if (c.type_vocab_size > 0) add_integers("token_type_ids", input_.type_ids);
    if (input_.embedding_output.empty()) {
      file.add("embeddings.sum", dtype::f32, states, activations_.embedding.sum.data());
    }
    for (std::size_t i = 0; i < activations_.hidden.size(); ++i) {
      file.add("hidden_states." + std::to_string(i), dtype::f32, states, activations_.hidden[i].data());
    }
    for (std::size_t i = 0; i < activations_.block.size(); ++i) {
      const block_activations<float>& b = activations_.block[i];
      const std::string layer = "layer." + std::to_string(i);
      if (model_.layer[i].attention.projections() != nullptr) {
        for (const auto& [name, which] : {std::pair(".q", attention_inner::q), std::pair(".k", attention_inner::k),
                                          std::pair(".v", attention_inner::v)}) {
          file.add(layer + name, dtype::f32, states, b.mixing.inner[which].data());
        }
      }
      for (const auto& [name, values] : {std::pair(".context", &b.mixing.context), std::pair(".sa_layer_norm", &b.h)}) {
        file.add(layer + name, dtype::f32, states, values->data());
      }
      for (const auto& [name, values] : {std::pair(".ffn_in", &b.ffn.in), std::pair(".ffn_act", &b.ffn.act)}) {
        file.add(layer + name, dtype::f32, {rows[0], rows[1], n(c.intermediate_dim)}, values->data());
      }
    }
    if (model_.find_head<sequence_classification_head>() != nullptr) {
      file.add("pooled", dtype::f32, {rows[0], n(c.dim)}, head_.pooled.data());
      file.add("logits", dtype::f32, {rows[0], n(c.num_labels)}, head_.logits.data());
    }
    if (masked_lm_.logits.size() > 0) {
      file.add("masked_lm.logits", dtype::f32, {rows[0], rows[1], n(c.vocab_size)}, masked_lm_.logits.data());
    }
    file.write(path);
  }

 private:
  const encoder_tensors<float>& model_;
  model_input input_;
  executor workers_;
  encoder_activations<float> activations_;
  classification_activations<float> head_;
  masked_lm_activations<float> masked_lm_;
};

}  // namespace inhibitor::examples
