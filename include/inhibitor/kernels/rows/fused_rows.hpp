// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/gemm/table.hpp"

// The row passes of inference (kernels/rows/row_kernels.hpp) as calls on the instruction set `Isa`, chosen at run time
// where variants were compiled. Nothing here allocates, throws or starts threads.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// y (rows, cols) = f(y). Exact GELU, as gelu_forward.
template <class T, class Isa = default_isa>
void activate_rows(T* y, index_t stride, index_t rows, index_t cols, activation f) {
  kernels::inference_kernels<Isa, T>().activate_rows(y, stride, rows, cols, f);
}

/// y (rows, cols) = f(y + bias), bias (cols).
template <class T, class Isa = default_isa>
void bias_activate_rows(T* y, index_t stride, const T* bias, index_t rows, index_t cols, activation f) {
  kernels::inference_kernels<Isa, T>().bias_activate_rows(y, stride, bias, rows, cols, f);
}

/// y (rows, cols) = LayerNorm(y + x), x (rows, cols): the end of both halves of a block.
template <class T, class Isa = default_isa>
void residual_norm_rows(T* y, index_t y_stride, const T* x, index_t x_stride, const norm_view<T>& norm, index_t rows,
                        index_t cols) {
  kernels::inference_kernels<Isa, T>().residual_norm_rows(y, y_stride, x, x_stride, norm, rows, cols);
}

/// y (rows, cols) = LayerNorm(word[ids[i]] + position[positions[i]] + token_type[types[i]]); the tables have `cols`
/// columns. `token_type` may be null: no such term; `types` may be null: all 0. The caller has checked the numbers.
template <class T, class Isa = default_isa>
void embed_norm_rows(T* y, index_t y_stride, const std::int32_t* ids, const std::int32_t* positions,
                     const std::int32_t* types, const T* word, const T* position, const T* token_type,
                     const norm_view<T>& norm, index_t rows, index_t cols) {
  kernels::inference_kernels<Isa, T>().embed_norm_rows(y, y_stride, ids, positions, types, word, position, token_type,
                                                       norm, rows, cols);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
