// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/kernels/gemm/table.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Policy of packed_linear (nn/packed_linear.hpp, which says what such a policy offers) and its default: our own
/// product (kernels/gemm/panels.hpp) on the instruction set `Isa`.
template <class Isa>
struct basic_panel_gemm {
  static std::string name() { return std::string("panels ") + kernels::inference_isa<Isa>(); }

  template <class T>
  class weight {
   public:
    static index_t row_block() { return 128; }
    static index_t column_step() { return kernels::inference_kernels<Isa, T>().panel_width; }
    static index_t column_block() { return 4 * column_step(); }

    weight() = default;
    /// Copies w (out, in) and bias (out).
    weight(const T* w, const T* bias, index_t out, index_t in) : out_(out), in_(in) {
      const index_t panels = (out + column_step() - 1) / column_step();
      panels_.resize(panels * in * column_step());
      bias_.resize(panels * column_step());
      kernels::inference_kernels<Isa, T>().pack_panels(panels_.data(), bias_.data(), w, bias, out, in);
    }

    index_t out() const { return out_; }
    index_t in() const { return in_; }

    /// y (rows, cols) = f(x (rows, in) * W[column .. column + cols)^T + bias), y pointing to that column. Does not
    /// allocate or throw.
    void multiply(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, index_t column, index_t cols,
                  activation f) const {
      kernels::inference_kernels<Isa, T>().multiply_panels({out_, in_, panels_.data(), bias_.data()}, y, y_stride, x,
                                                           x_stride, rows, column, cols, f);
    }

   private:
    index_t out_ = 0, in_ = 0;
    aligned_buffer<T> panels_;  // (panels, in, R)
    aligned_buffer<T> bias_;    // (panels, R)
  };
};

using panel_gemm = basic_panel_gemm<default_isa>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
