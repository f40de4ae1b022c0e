// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "inhibitor/nn/linear.hpp"

// Token embedding: the sum of a word row and a position row (Devlin et al. 2019, arXiv 1810.04805 section 3; DistilBERT
// has no token types).

namespace inhibitor {

/// y (batch * length, dim) = word (V, dim)[ids] + position (P, dim)[0 .. length). `ids` (batch, length) must lie in
/// [0, V) and length in [0, P]: the caller checks. Overwrites y. Does not throw.
template <class T>
void embedding_forward(T* y, const std::int32_t* ids, const T* word, const T* position, index_t batch, index_t length,
                       index_t dim, const executor& workers) {
  const index_t rows = batch * length;
  workers.for_each(detail::blocks(rows, detail::row_block), [&](index_t item, index_t) {
    const index_t end = std::min(rows, (item + 1) * detail::row_block);
    for (index_t i = item * detail::row_block; i < end; ++i) {
      const T* w = word + ids[i] * dim;
      const T* p = position + i % length * dim;
      T* yi = y + i * dim;
      for (index_t k = 0; k < dim; ++k) yi[k] = w[k] + p[k];
    }
  });
}

/// Gradients of embedding_forward: adds dy (batch * length, dim) to the rows of dword (V, dim) named by `ids` and to
/// dposition (P, dim). Rows of `padding_id` get no gradient (as torch.nn.Embedding with padding_idx); pass -1 for none.
/// Does not throw.
template <class T>
void embedding_backward(T* dword, T* dposition, const T* dy, const std::int32_t* ids, std::int32_t padding_id,
                        index_t batch, index_t length, index_t dim, const executor& workers) {
  // Two tokens may share a row, so columns are shared out, not tokens: no race, and a fixed order of summation.
  constexpr index_t columns = 32;
  workers.for_each(detail::blocks(dim, columns), [&](index_t item, index_t) {
    const index_t c0 = item * columns;
    const index_t c1 = std::min(dim, c0 + columns);
    for (index_t i = 0; i < batch * length; ++i) {
      const T* dyi = dy + i * dim;
      T* dp = dposition + i % length * dim;
      for (index_t k = c0; k < c1; ++k) dp[k] += dyi[k];
      if (ids[i] == padding_id) continue;
      T* dw = dword + ids[i] * dim;
      for (index_t k = c0; k < c1; ++k) dw[k] += dyi[k];
    }
  });
}

}  // namespace inhibitor
