// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/models/bert/dropout_sites.hpp"
#include "inhibitor/models/bert/token_view.hpp"
#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/embedding.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/tensor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the forward pass of the embeddings keeps.
template <class T>
struct embeddings_activations {
  aligned_buffer<T> sum, mean, rstd;  // (M, C), (M), (M)

  void resize(index_t rows, index_t dim) {
    sum.resize(rows * dim);
    mean.resize(rows);
    rstd.resize(rows);
  }
};

/// The embeddings of BERT, dropout(LayerNorm(word + position + token type)) (Devlin et al. 2019, arXiv 1810.04805
/// section 3): tensors, or their gradients.
template <class T>
struct bert_embeddings {
  tensor<T> word_embeddings;        // (V, C)
  tensor<T> position_embeddings;    // (P, C)
  tensor<T> token_type_embeddings;  // (type_vocab_size, C), absent when that is 0
  norm_tensors<T> LayerNorm;        // (C)

  bert_embeddings() = default;
  explicit bert_embeddings(const encoder_config& c)
      : word_embeddings(tensor<T>::matrix(c.vocab_size, c.dim)),
        position_embeddings(tensor<T>::matrix(c.max_position_embeddings, c.dim)),
        LayerNorm(c.dim) {
    if (c.type_vocab_size > 0) token_type_embeddings = tensor<T>::matrix(c.type_vocab_size, c.dim);
  }
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    f(prefix + ".word_embeddings.weight", word_embeddings);
    f(prefix + ".position_embeddings.weight", position_embeddings);
    if (token_type_embeddings.rank > 0) f(prefix + ".token_type_embeddings.weight", token_type_embeddings);
    LayerNorm.visit(prefix + ".LayerNorm", f);
  }

  /// y (M, C) of the tokens, whose ids must be in range (check_tokens). Overwrites y. Does not throw.
  void forward(T* y, embeddings_activations<T>& saved, const token_view& tokens, const encoder_config& c,
               const dropout_mode& mode, const executor& workers) const {
    const embedding_tables<const T> tables{word_embeddings.data, position_embeddings.data, token_type_embeddings.data};
    embedding_forward<T>(saved.sum.data(), {tokens.ids, tokens.type_ids}, tables, tokens.batch, tokens.length, c.dim,
                         workers);
    layer_norm_forward(y, saved.mean.data(), saved.rstd.data(), saved.sum.data(), LayerNorm.weight.data,
                       LayerNorm.bias.data, tokens.rows(), c.dim, static_cast<T>(c.layer_norm_epsilon), workers);
    if (mode.enabled) {
      dropout(y, tokens.rows() * c.dim, c.dropout, mode.stream.at(dropout_sites::embeddings), workers);
    }
  }

  /// Adds to the gradients `d` from dy (M, C), which is overwritten, as is the scratch dsum (M, C). The word of padding
  /// gets no gradient. Does not throw.
  void backward(bert_embeddings& d, T* dy, T* dsum, const embeddings_activations<T>& saved, const token_view& tokens,
                const encoder_config& c, const dropout_mode& mode, const executor& workers) const {
    // dropout(y)
    if (mode.enabled) {
      dropout(dy, tokens.rows() * c.dim, c.dropout, mode.stream.at(dropout_sites::embeddings), workers);
    }
    // y = LayerNorm(sum)
    std::fill(dsum, dsum + tokens.rows() * c.dim, T(0));
    layer_norm_backward(dsum, d.LayerNorm.weight.data, d.LayerNorm.bias.data, dy, saved.sum.data(), saved.mean.data(),
                        saved.rstd.data(), LayerNorm.weight.data, tokens.rows(), c.dim, workers);
    // sum = word + position + token type
    const embedding_tables<T> tables{d.word_embeddings.data, d.position_embeddings.data, d.token_type_embeddings.data};
    embedding_backward<T>(tables, dsum, {tokens.ids, tokens.type_ids}, static_cast<std::int32_t>(c.pad_token_id),
                          tokens.batch, tokens.length, c.dim, workers);
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
