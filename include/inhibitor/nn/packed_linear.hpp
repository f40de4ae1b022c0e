// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/kernels/gemm/panel_gemm.hpp"
#include "inhibitor/nn/tensor.hpp"

// Affine layers at inference: weights are packed once for the product that a policy `Gemm` names, and the work is cut
// by shape into blocks of rows and columns, each a single-threaded call.
//
// A policy has a static name() for the output of programs, and a class weight<T> with
//
//   weight(w (out, in), bias (out), out, in)          packs; keeps no pointer
//   out(), in()                                       extents
//   row_block(), column_block(), column_step()        static: the largest block of one call, what columns are cut at
//   multiply(y, y_stride, x, x_stride, rows, column, columns, activation) const
//                                                     one block, with bias and activation, from a multiple of
//                                                     column_step on; may run in several threads
//
// basic_panel_gemm (kernels/gemm/panel_gemm.hpp) is the default and eigen_gemm (nn/gemm_eigen.hpp) an alternative;
// OpenBLAS and oneDNN are in the folder backends/, whose headers nothing else includes. s8_gemm (nn/gemm_s8.hpp)
// multiplies bytes.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One affine layer, or several on the same input whose outputs lie side by side.
template <class T, class Gemm = panel_gemm>
class packed_linear {
  using weight_type = typename Gemm::template weight<T>;

 public:
  packed_linear() = default;
  /// Copies the layers `parts`, all with the same number of inputs. Throws std::invalid_argument when there is none, or
  /// inputs differ.
  explicit packed_linear(const std::vector<linear_tensors<T>>& parts) {
    check(!parts.empty(), "packed_linear: no layers");
    const index_t in = parts.front().weight.cols;
    index_t out = 0;
    for (const auto& part : parts) {
      check(part.weight.cols == in, "packed_linear: layers on the same input have the same number of inputs");
      out += part.weight.rows;
    }
    if (parts.size() == 1) {
      weight_ = weight_type(parts.front().weight.data, parts.front().bias.data, out, in);
      return;
    }
    aligned_buffer<T> weights(out * in), bias(out);
    index_t row = 0;
    for (const auto& part : parts) {
      std::copy_n(part.weight.data, part.weight.size(), weights.data() + row * in);
      std::copy_n(part.bias.data, part.bias.size(), bias.data() + row);
      row += part.weight.rows;
    }
    weight_ = weight_type(weights.data(), bias.data(), out, in);
  }

  index_t out() const { return weight_.out(); }
  index_t in() const { return weight_.in(); }

  /// y (rows, out) = f(x (rows, in) * W^T + bias); rows start y_stride and x_stride numbers apart. Overwrites y, which
  /// may not overlap x. Does not throw; whether it allocates is up to the policy (ours does not).
  void forward(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, activation f,
               const executor& workers) const {
    const index_t row_block = weight_type::row_block(), step = weight_type::column_step();
    const index_t row_blocks = (rows + row_block - 1) / row_block;
    index_t width = weight_type::column_block();
    // Narrower blocks cost a library that packs in every call; one worker has no use for them.
    const index_t fewest = workers.workers() == 1 ? 1 : fewest_blocks;
    while (row_blocks * column_blocks(width) < fewest && width >= 2 * step) width = width / 2 / step * step;
    const index_t columns = column_blocks(width);
    workers.for_each(row_blocks * columns, [&](index_t item, index_t) {
      const index_t first = rows * (item / columns) / row_blocks, last = rows * (item / columns + 1) / row_blocks;
      const index_t column = item % columns * width;
      weight_.multiply(y + first * y_stride + column, y_stride, x + first * x_stride, x_stride, last - first, column,
                       std::min(width, out() - column), f);
    });
  }

 private:
  // For several workers, short inputs are cut into narrower blocks, so that all have something to do.
  static constexpr index_t fewest_blocks = 8;

  index_t column_blocks(index_t width) const { return (out() + width - 1) / width; }

  weight_type weight_;
};

/// y (rows, second.out()) = second(gelu(first(x (rows, first.in())))): the feed-forward network of a block. `middle`
/// (rows, first.out()), rows middle_stride numbers apart, is overwritten. As packed_linear::forward otherwise.
template <class T, class Gemm>
void feed_forward_rows(T* y, index_t y_stride, T* middle, index_t middle_stride, const T* x, index_t x_stride,
                       index_t rows, const packed_linear<T, Gemm>& first, const packed_linear<T, Gemm>& second,
                       const executor& workers) {
  first.forward(middle, middle_stride, x, x_stride, rows, activation::gelu, workers);
  second.forward(y, y_stride, middle, middle_stride, rows, activation::none, workers);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
