// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/kernels/gemm_s8/pack.hpp"
#include "inhibitor/nn/quantized_rows.hpp"
#include "inhibitor/nn/tensor.hpp"

// Affine layers at inference in bytes: weights as integers within +-127 with a scale per output, inputs as integers with
// a scale per row, sums in 32 bits. Results are the same bits on every instruction set and for any number of workers,
// and a row's do not depend on the other rows (reference/gemm_s8.hpp says which bits).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One affine layer, or several on the same input whose outputs lie side by side.
template <class Isa = default_isa>
class basic_packed_linear_s8 {
 public:
  using rows_type = basic_quantized_rows<Isa>;
  /// Sums of more inputs could leave 32 bits.
  static constexpr index_t most_inputs = index_t{1} << 17;

  basic_packed_linear_s8() = default;

  /// Quantizes the layers `parts`, all with the same number of inputs. Throws std::invalid_argument when there is none,
  /// inputs differ or are too many, or a number is not finite, naming the layer and position.
  explicit basic_packed_linear_s8(const std::vector<linear_tensors<float>>& parts) {
    check(!parts.empty(), "packed_linear_s8: no layers");
    index_t out = 0;
    for (const auto& part : parts) {
      check(part.weight.cols == parts.front().weight.cols,
            "packed_linear_s8: layers on the same input have the same number of inputs");
      out += part.weight.rows;
    }
    allocate(out, parts.front().weight.cols);
    std::vector<std::int8_t> numbers(static_cast<std::size_t>(in_));
    index_t row = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const auto& part = parts[p];
      for (index_t o = 0; o < part.weight.rows; ++o) {
        const float* w = part.weight.data + o * in_;
        const float* bad = std::find_if(w, w + in_, [](float v) { return !std::isfinite(v); });
        check(bad == w + in_ && std::isfinite(part.bias.data[o]), [&] {
          return "packed_linear_s8: " +
                 (bad == w + in_ ? "bias of layer " + std::to_string(p) + " is " + std::to_string(part.bias.data[o])
                                 : "weight of layer " + std::to_string(p) + " is " + std::to_string(*bad)) +
                 " at output " + std::to_string(o) +
                 (bad == w + in_ ? std::string() : ", input " + std::to_string(bad - w)) + "; expected a finite number";
        });
        const float scale = kernels::s8_quantize_weights(numbers.data(), w, in_);
        kernels::s8_pack_output(image_.data(), out_, in_, row++, numbers.data(), scale, part.bias.data[o]);
      }
    }
  }

  /// A layer that is quantized already: numbers (out, in), scales (out), bias (out). Throws std::invalid_argument, naming
  /// the position, for a number -128, a scale that is negative, subnormal or not finite, or 0 where numbers are not, and a
  /// bias that is not finite.
  basic_packed_linear_s8(const std::int8_t* numbers, const float* scales, const float* bias, index_t out, index_t in) {
    allocate(out, in);
    for (index_t o = 0; o < out; ++o) {
      const std::int8_t* row = numbers + o * in;
      const auto refuse = [&](bool fine, const char* what, auto value, const char* expected) {
        check(fine, [&] {
          return std::string("packed_linear_s8: ") + what + " of output " + std::to_string(o) + " is " +
                 std::to_string(value) + "; expected " + expected;
        });
      };
      const std::int8_t* low = std::find(row, row + in, std::int8_t{-128});
      check(low == row + in, [&] {
        return "packed_linear_s8: the number of output " + std::to_string(o) + ", input " + std::to_string(low - row) +
               " is -128; expected -127 to 127";
      });
      const bool all_zero = std::all_of(row, row + in, [](std::int8_t v) { return v == 0; });
      refuse(std::isnormal(scales[o]) ? scales[o] > 0 : scales[o] == 0 && all_zero, "the scale", scales[o],
             "a positive normal number, or 0 for an output of zeros");
      refuse(std::isfinite(bias[o]), "the bias", bias[o], "a finite number");
      kernels::s8_pack_output(image_.data(), out, in, o, row, scales[o], bias[o]);
    }
  }

  index_t out() const { return out_; }
  index_t in() const { return in_; }
  /// Bytes of the weights, scales and bias, the only copy.
  index_t image_bytes() const { return image_.size(); }

  /// y (rows, out) = f(x (rows, in) * W^T + bias), rows y_stride numbers apart. Overwrites y. Throws
  /// std::invalid_argument when x has another size than in(). Does not allocate.
  void forward(float* y, index_t y_stride, const rows_type& x, activation f, const executor& workers) const {
    multiply(f == activation::gelu ? table().multiply_gelu : table().multiply, y, y_stride, nullptr, 0, x, workers);
  }
  /// The same from floats, x (rows, in) by x_stride, by way of `scratch`. Throws as quantized_rows::quantize.
  void forward(float* y, index_t y_stride, const float* x, index_t x_stride, index_t rows, activation f,
               rows_type& scratch, const executor& workers) const {
    scratch.quantize(x, x_stride, rows, in_, workers);
    forward(y, y_stride, scratch, f, workers);
  }
  /// y (rows, out) = residual (rows, out) + x * W^T + bias; the residual may be y.
  void forward_residual(float* y, index_t y_stride, const float* residual, index_t residual_stride, const rows_type& x,
                        const executor& workers) const {
    multiply(table().multiply_residual, y, y_stride, residual, residual_stride, x, workers);
  }
  /// y = f(x * W^T + bias) in bytes, for the next layer. Throws std::invalid_argument when x has another size, and where
  /// the result is not finite. y is another object than x.
  void forward_quantized(rows_type& y, const rows_type& x, activation f, const executor& workers) const {
    check_size(x);
    const auto product = f == activation::gelu ? table().multiply_gelu : table().multiply;
    y.quantize_blocks(x.rows(), out_, workers, [&](float* block, std::int32_t* largest, index_t first, index_t count) {
      product({view(), row(x, first), x.scales() + first, block, out_, nullptr, 0, largest, count, 0, out_});
    });
  }

 private:
  using product_function = void (*)(const kernels::s8_product_call&);

  // Cut like this, a block of operand rows stays in the second cache (kernels/gemm_s8/multiply.hpp), and several workers
  // read different weights.
  static constexpr index_t rows_together = 128;
  static constexpr index_t blocks_per_worker = 2;

  static const kernels::s8_table& table() { return kernels::s8_kernels<Isa>(); }
  kernels::s8_weight view() const { return {out_, in_, image_.data()}; }
  const std::uint8_t* row(const rows_type& x, index_t r) const { return x.bytes() + r * table().row_bytes(in_); }

  void allocate(index_t out, index_t in) {
    check(in <= most_inputs, [&] {
      return "packed_linear_s8: " + std::to_string(in) + " inputs; expected at most " + std::to_string(most_inputs);
    });
    out_ = out;
    in_ = in;
    image_.resize(kernels::s8_image_bytes(out, in));
  }
  void check_size(const rows_type& x) const {
    check(x.size() == in_, [&] {
      return "packed_linear_s8: rows of " + std::to_string(x.size()) + " numbers; expected " + std::to_string(in_);
    });
  }
  void multiply(product_function product, float* y, index_t y_stride, const float* residual, index_t residual_stride,
                const rows_type& x, const executor& workers) const {
    check_size(x);
    const index_t rows = x.rows(), step = table().column_step;
    const index_t row_blocks = (rows + rows_together - 1) / rows_together, steps = (out_ + step - 1) / step;
    const index_t wanted = workers.workers() == 1 ? 1 : blocks_per_worker * workers.workers();
    const index_t columns = row_blocks == 0 ? 0 : std::min(steps, (wanted + row_blocks - 1) / row_blocks);
    workers.for_each(row_blocks * columns, [&](index_t item, index_t) {
      // Column blocks outside, so that neighbors in time share their weights.
      const index_t block = item % row_blocks, part = item / row_blocks;
      const index_t first = rows * block / row_blocks, last = rows * (block + 1) / row_blocks;
      const index_t column = steps * part / columns * step;
      const index_t end = std::min(out_, steps * (part + 1) / columns * step);
      product({view(), row(x, first), x.scales() + first, y + first * y_stride + column, y_stride,
               residual == nullptr ? nullptr : residual + first * residual_stride + column, residual_stride, nullptr,
               last - first, column, end - column});
    });
  }

  index_t out_ = 0, in_ = 0;
  aligned_buffer<std::uint8_t> image_;  // kernels/gemm_s8/layout.hpp
};

using packed_linear_s8 = basic_packed_linear_s8<>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
