// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/nn/packed_linear.hpp"
#include "inhibitor/nn/packed_linear_s8.hpp"

// Linear layers in bytes as a product like the others, so that a whole model takes them by one template argument:
//
//   encoder_inference<float, s8_gemm> model(tensors, {true});   // linear layers and attention in bytes
//
// Weights are rounded to 127 steps of the largest of their output, inputs to 127 steps of the largest of their row;
// what is between the layers stays float. A row's result depends on nothing but the row.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Policy of packed_linear: our own product in bytes (nn/packed_linear_s8.hpp).
template <class Isa>
struct basic_s8_gemm {
  static std::string name() { return std::string("bytes ") + kernels::inference_isa<Isa>(); }
};

using s8_gemm = basic_s8_gemm<default_isa>;

/// Not weight<T> of the policy: rows are quantized once for all blocks of columns.
template <class Isa>
class packed_linear<float, basic_s8_gemm<Isa>> {
 public:
  packed_linear() = default;
  /// Throws std::invalid_argument as packed_linear_s8.
  explicit packed_linear(const std::vector<linear_tensors<float>>& parts) : layer_(parts) {}

  index_t out() const { return layer_.out(); }
  index_t in() const { return layer_.in(); }

  /// As the primary template; the same bits on every instruction set. Throws std::invalid_argument for numbers of x that
  /// are not finite. The rows in bytes lie in memory of the calling thread, which grows to what its largest call needs.
  void forward(float* y, index_t y_stride, const float* x, index_t x_stride, index_t rows, activation f,
               const executor& workers) const {
    layer_.forward(y, y_stride, x, x_stride, rows, f, scratch(0), workers);
  }

  /// As the function of that name; the rows between the layers are bytes, and `middle` is not used. Throws as forward.
  friend void feed_forward_rows(float* y, index_t y_stride, float*, index_t, const float* x, index_t x_stride,
                                index_t rows, const packed_linear& first, const packed_linear& second,
                                const executor& workers) {
    scratch(0).quantize(x, x_stride, rows, first.in(), workers);
    first.layer_.forward_quantized(scratch(1), scratch(0), activation::gelu, workers);
    second.layer_.forward(y, y_stride, scratch(1), activation::none, workers);
  }

 private:
  static basic_quantized_rows<Isa>& scratch(int which) {
    static thread_local basic_quantized_rows<Isa> rows[2];
    return rows[which];
  }

  basic_packed_linear_s8<Isa> layer_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
