// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/kernels/gemm_s8/pack.hpp"
#include "inhibitor/reference/gemm_s8.hpp"
#include "support/guarded_buffer.hpp"
#include "support/random.hpp"

namespace inhibitor {
namespace test {

/// How the numbers of a layer and of its input are drawn.
enum class s8_values { random, largest, alternating };

/// A layer in bytes, rows of input, and what the reference makes of them.
struct s8_problem {
  index_t rows, in, out, x_stride;
  std::vector<float> x, residual, bias;  // (rows, in) by x_stride, (rows, out), (out)
  aligned_buffer<std::uint8_t> image;
  std::vector<float> plain, gelu;  // (rows, out)

  s8_problem(index_t rows_, index_t in_, index_t out_, s8_values values = s8_values::random)
      : rows(rows_), in(in_), out(out_), x_stride(in_ + 3), image(kernels::s8_image_bytes(out_, in_)) {
    random_numbers random(static_cast<std::uint64_t>(1 + rows * 7 + in * 131 + out * 1009));
    const auto draw = [&](index_t i) {
      if (values == s8_values::random) return static_cast<float>(random.uniform(-3, 3));
      return values == s8_values::largest || i % 2 == 0 ? 2.5F : -2.5F;
    };
    x.assign(static_cast<std::size_t>(rows * x_stride), 99.0F);
    std::vector<reference::s8_numbers> x_numbers, w_numbers;
    for (index_t r = 0; r < rows; ++r) {
      float* row = x.data() + r * x_stride;
      for (index_t k = 0; k < in; ++k) row[k] = draw(k) * static_cast<float>(r + 1);
      x_numbers.push_back(reference::s8_quantize(row, in));
    }
    std::vector<float> w(static_cast<std::size_t>(in));
    std::vector<std::int8_t> packed(static_cast<std::size_t>(in));
    bias = random.numbers<float>(out);
    residual = random.numbers<float>(rows * out);
    for (index_t o = 0; o < out; ++o) {
      for (index_t k = 0; k < in; ++k) w[static_cast<std::size_t>(k)] = draw(k) * static_cast<float>(o + 1);
      w_numbers.push_back(reference::s8_quantize(w.data(), in));
      const float scale = kernels::s8_quantize_weights(packed.data(), w.data(), in);
      kernels::s8_pack_output(image.data(), out, in, o, packed.data(), scale, bias[static_cast<std::size_t>(o)]);
    }
    for (index_t i = 0; i < rows * out; ++i) {
      const auto r = static_cast<std::size_t>(i / out), o = static_cast<std::size_t>(i % out);
      plain.push_back(reference::s8_output(x_numbers[r], w_numbers[o], bias[o]));
      gelu.push_back(reference::s8_gelu(plain.back()));
    }
  }

  kernels::s8_weight weight() const { return {out, in, image.data()}; }
};

/// Quantizes the rows of a problem and multiplies them by the functions given, in column blocks of `step` (0: one). Returns
/// what differs from the reference in any bit or was written where nothing belongs; empty: nothing.
inline std::string s8_difference(const s8_problem& p, const boundary::s8_table& table, index_t step = 0) {
  // Rows are read to their end and no further; the last one ends at a page that cannot be read.
  const index_t numbers = p.rows == 0 ? 0 : (p.rows - 1) * p.x_stride + p.in;
  const guarded_buffer<float> x({p.x.begin(), p.x.begin() + numbers}, guarded_buffer<float>::flush::end);
  aligned_buffer<std::uint8_t> bytes((p.rows + 15) * table.row_bytes(p.in));
  std::vector<float> scales(static_cast<std::size_t>(p.rows));
  if (table.quantize_rows({bytes.data(), scales.data(), x.data(), p.x_stride, p.rows, p.in, nullptr}) != -1) {
    return "finite rows were refused";
  }
  const index_t y_stride = p.out + 5;
  std::string found;
  const auto compare = [&](const char* name, void (*product)(const boundary::s8_product_call&), auto expected) {
    // The residual lies where the result goes.
    std::vector<float> y(static_cast<std::size_t>(p.rows * y_stride), 77.0F);
    for (index_t i = 0; i < p.rows * p.out; ++i) {
      y[static_cast<std::size_t>(i / p.out * y_stride + i % p.out)] = p.residual[static_cast<std::size_t>(i)];
    }
    std::vector<std::int32_t> largest(static_cast<std::size_t>(p.rows * 16));
    const index_t block = step == 0 ? p.out : step;
    for (index_t c = 0; c < p.out; c += block) {
      product({p.weight(), bytes.data(), scales.data(), y.data() + c, y_stride, y.data() + c, y_stride, largest.data(),
               p.rows, c, std::min(block, p.out - c)});
    }
    for (index_t r = 0; r < p.rows && found.empty(); ++r) {
      std::int32_t most = 0;
      for (index_t o = 0; o < y_stride; ++o) {
        const float actual = y[static_cast<std::size_t>(r * y_stride + o)];
        const float wanted = o < p.out ? expected(static_cast<std::size_t>(r * p.out + o)) : 77.0F;
        if (std::memcmp(&actual, &wanted, sizeof(actual)) != 0) {
          found = std::string(name) + ": row " + std::to_string(r) + ", output " + std::to_string(o) + ": " +
                  std::to_string(actual) + " in place of " + std::to_string(wanted);
          break;
        }
        if (o < p.out) most = std::max(most, kernels::s8_magnitude_bits(actual));
      }
      const auto row = largest.begin() + r * 16;
      if (found.empty() && *std::max_element(row, row + 16) != most) found = std::string(name) + ": largest magnitude";
    }
  };
  compare("plain", table.multiply, [&](std::size_t i) { return p.plain[i]; });
  compare("gelu", table.multiply_gelu, [&](std::size_t i) { return p.gelu[i]; });
  compare("residual", table.multiply_residual,
          [&](std::size_t i) { return reference::s8_rounded(p.plain[i] + p.residual[i]); });
  return found;
}

}  // namespace test
}  // namespace inhibitor
