// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/kernels/gemm_s8/table.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Rows of activations in bytes, each with a scale of its own: the operand of packed_linear_s8, in the form that the
/// instruction set `Isa` multiplies. A row becomes 127 x / max |x|, rounded to integers, whatever stands beside it
/// (kernels/gemm_s8/scale.hpp). The object keeps its memory from one call to the next and serves one call at a time.
template <class Isa = default_isa>
class basic_quantized_rows {
 public:
  index_t rows() const { return rows_; }
  index_t size() const { return size_; }
  const std::uint8_t* bytes() const { return bytes_.data(); }
  const float* scales() const { return scales_.data(); }

  /// Takes the place of what was there: x (rows, size), rows x_stride numbers apart. Throws std::invalid_argument for a
  /// number that is not finite, naming its row and column. Allocates only while the object grows.
  void quantize(const float* x, index_t x_stride, index_t rows, index_t size, const executor& workers) {
    reserve(rows, size);
    for_blocks(rows, rows_together, workers, [&](index_t first, index_t count, index_t) {
      return table().quantize_rows(
          {row(first), scales_.data() + first, x + first * x_stride, x_stride, count, size, nullptr});
    });
    const index_t refused = first_refused();
    if (refused >= 0) refuse(refused, x + refused * x_stride);
  }

  /// The same for rows that `produce` computes, a block of at most 64 at a time, so that they are quantized while they
  /// are in the cache: produce(y, largest, first, count) sets y (count, size), the rows from `first` on, and raises
  /// largest (count, 16), which it finds 0, as boundary::s8_product_call says. Throws as quantize.
  template <class Produce>
  void quantize_blocks(index_t rows, index_t size, const executor& workers, Produce&& produce) {
    reserve(rows, size);
    const index_t together = std::min(rows, block_rows);
    values_.resize(workers.workers() * together * size);
    largest_.resize(workers.workers() * together * kernels::s8_group);
    for_blocks(rows, together, workers, [&](index_t first, index_t count, index_t worker) {
      float* y = values_.data() + worker * together * size;
      std::int32_t* largest = largest_.data() + worker * together * kernels::s8_group;
      std::fill_n(largest, count * kernels::s8_group, 0);
      produce(y, largest, first, count);
      return table().quantize_rows({row(first), scales_.data() + first, y, size, count, size, largest});
    });
    const index_t refused = first_refused();
    if (refused < 0) return;
    // Blocks are gone when all are done.
    const index_t first = refused / together * together, count = std::min(together, rows - first);
    produce(values_.data(), largest_.data(), first, count);
    refuse(refused, values_.data() + (refused - first) * size);
  }

 private:
  static constexpr index_t rows_together = 16;
  static constexpr index_t block_rows = 64;  // a product's weights are read once for so many

  static const kernels::s8_table& table() { return kernels::s8_kernels<Isa>(); }
  std::uint8_t* row(index_t r) { return bytes_.data() + r * table().row_bytes(size_); }

  void reserve(index_t rows, index_t size) {
    rows_ = rows;
    size_ = size;
    bytes_.resize((rows + 15) * table().row_bytes(size));  // kernels may read 15 rows beyond the last
    scales_.resize(rows);
  }
  /// body(first, count, worker) for blocks of rows, its result kept.
  template <class Body>
  void for_blocks(index_t rows, index_t together, const executor& workers, Body&& body) {
    const index_t blocks = rows == 0 ? 0 : (rows + together - 1) / together;
    refused_.resize(blocks);
    workers.for_each(blocks, [&](index_t item, index_t worker) {
      const index_t first = item * together;
      const index_t refused = body(first, std::min(together, rows - first), worker);
      refused_[item] = refused < 0 ? refused : first + refused;
    });
  }
  index_t first_refused() const {
    for (const index_t r : refused_) {
      if (r >= 0) return r;
    }
    return -1;
  }
  [[noreturn]] void refuse(index_t r, const float* x) const {
    const float* found = std::find_if(x, x + size_, [](float v) { return !std::isfinite(v); });
    throw std::invalid_argument("quantized_rows: x is " + std::to_string(*found) + " in row " + std::to_string(r) +
                                ", column " + std::to_string(found - x) + "; expected finite numbers");
  }

  index_t rows_ = 0, size_ = 0;
  aligned_buffer<std::uint8_t> bytes_;    // (rows + 15, row_bytes)
  aligned_buffer<float> scales_;          // (rows)
  aligned_buffer<index_t> refused_;       // (blocks) first row that is not finite, or -1
  aligned_buffer<float> values_;          // (workers, block, size)
  aligned_buffer<std::int32_t> largest_;  // (workers, block, 16)
};

using quantized_rows = basic_quantized_rows<>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
