// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/nn/blocks.hpp"

// Token embedding: the sum of a word row, a position row and, in BERT, a token-type row (Devlin et al. 2019,
// arXiv 1810.04805 section 3). Translation models scale the word row (Vaswani et al. 2017, arXiv 1706.03762
// section 3.4).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The tables of an embedding: parameters or their gradients.
template <class T>
struct embedding_tables {
  T* word;                ///< (V, dim)
  T* position;            ///< (P, dim), or null
  T* token_type;          ///< (types, dim), or null
  double word_scale = 1;  ///< factor of the word rows
};

/// What to look up. Neither array is owned.
struct embedding_ids {
  const std::int32_t* words;  ///< (batch, length)
  const std::int32_t* types;  ///< (batch, length), or null: all 0
};

/// y (batch * length, dim) = scale * word[ids.words] + position[0 .. length) + token_type[ids.types], without the tables
/// that are null. Words must lie in [0, V), types below their table's rows and length in [0, P]: the caller checks.
/// Overwrites y. Does not throw.
template <class T>
void embedding_forward(T* y, const embedding_ids& ids, const embedding_tables<const T>& tables, index_t batch,
                       index_t length, index_t dim, const executor& workers) {
  const T scale = static_cast<T>(tables.word_scale);
  for_each_range(batch * length, rows_per_block, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      const T* w = tables.word + ids.words[i] * dim;
      T* yi = y + i * dim;
      for (index_t k = 0; k < dim; ++k) yi[k] = scale * w[k];
      if (tables.position != nullptr) {
        const T* p = tables.position + i % length * dim;
        for (index_t k = 0; k < dim; ++k) yi[k] += p[k];
      }
      if (tables.token_type == nullptr) continue;
      const T* t = tables.token_type + (ids.types != nullptr ? ids.types[i] : 0) * dim;
      for (index_t k = 0; k < dim; ++k) yi[k] += t[k];
    }
  });
}

/// Gradients of embedding_forward: adds dy (batch * length, dim) to the rows of the tables `d` that were looked up;
/// null tables are left out. Word rows of `padding_id` get no gradient (as torch.nn.Embedding with padding_idx);
/// pass -1 for none. Does not throw.
template <class T>
void embedding_backward(const embedding_tables<T>& d, const T* dy, const embedding_ids& ids, std::int32_t padding_id,
                        index_t batch, index_t length, index_t dim, const executor& workers) {
  const T scale = static_cast<T>(d.word_scale);
  // Two tokens may share a row, so columns are shared out, not tokens: no race, and a fixed order of summation.
  for_each_range(dim, 32, workers, [&](index_t c0, index_t c1) {
    const auto add = [&](T* to, const T* from) {
      for (index_t k = c0; k < c1; ++k) to[k] += from[k];
    };
    for (index_t i = 0; i < batch * length; ++i) {
      const T* dyi = dy + i * dim;
      if (d.position != nullptr) add(d.position + i % length * dim, dyi);
      if (d.token_type != nullptr) add(d.token_type + (ids.types != nullptr ? ids.types[i] : 0) * dim, dyi);
      if (ids.words[i] == padding_id) continue;
      T* word = d.word + ids.words[i] * dim;
      for (index_t k = c0; k < c1; ++k) word[k] += scale * dyi[k];
    }
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
