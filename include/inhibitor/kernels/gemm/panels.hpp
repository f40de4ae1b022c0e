// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/simd/float_ops.hpp"

// y = x W^T + bias for weights that are packed once and used often: the product of our own, and the default of
// nn/packed_linear.hpp, which says what such a policy offers.
//
//   W (out, in) lies in panels of R = vectors * N outputs:   panel p, depth k:  W[p R .. p R + R)[k]   contiguous
//
// A tile keeps rows x R sums in registers and walks down a panel: R / N loads of weights and one broadcast per row of x
// feed rows * R / N multiply-adds. x is read where it lies. While it computes, a tile fetches its share of the panel
// that comes next into the second cache: weights of a whole model pass once per call and are never there by themselves.
//
// Every number of y is one chain of multiply-adds over k, started from the bias and written to memory every `depth`
// terms: the same for any position in a tile, any cut of the work and any number of workers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

/// Register tile of an instruction set: rows x vectors sums, `vectors` weights and a broadcast fit its registers.
template <class Isa>
struct panel_tile {
  static constexpr index_t rows = has_32_registers<Isa> ? 8 : isa_has<Isa, isa::avx2> ? 6 : 4;
  static constexpr index_t vectors = has_32_registers<Isa> ? 3 : 2;
};

/// What a tile reads besides x: the panel from the depth on, and where its share of what comes next starts.
template <class T>
struct panel_part {
  const T* weights;  ///< (depth, R)
  const T* bias;     ///< (R), or null: continue the sums in y
  const char* next;  ///< fetched a little at every step
  index_t bytes_per_step;
};

/// y (Rows, R) = x (Rows, depth) * weights + bias or + y.
template <class Isa, class T, index_t Rows>
void panel_product(T* y, index_t y_stride, const T* x, index_t x_stride, const panel_part<T>& part, index_t depth) {
  using B = batch<Isa, T>;
  using ops = float_ops<Isa, T>;
  constexpr index_t n = lanes<Isa, T>, vectors = panel_tile<Isa>::vectors;
  const bool add = part.bias == nullptr;
  const T* weights = part.weights;
  const char* next = part.next;
  kernels::accumulate_tile<static_cast<int>(Rows), static_cast<int>(vectors)>(
      depth,
      [&](int r, int v)
          INHIBITOR_INLINE_LAMBDA { return B::load_unaligned((add ? y + r * y_stride : part.bias) + v * n); },
      [&](index_t, int v) INHIBITOR_INLINE_LAMBDA {
        if (v == 0) {
          __builtin_prefetch(next, 0, 2);
          next += part.bytes_per_step;
        }
        const B w = B::load_aligned(weights);
        weights += n;
        return w;
      },
      [&](index_t k, int r) INHIBITOR_INLINE_LAMBDA { return B(x[r * x_stride + k]); },
      [](int, int, B& sum, B one, B w) INHIBITOR_INLINE_LAMBDA { sum = ops::multiply_add(one, w, sum); },
      [&](int r, int v, B sum) INHIBITOR_INLINE_LAMBDA { sum.store_unaligned(y + r * y_stride + v * n); });
}

template <class T>
using panel_function = void (*)(T*, index_t, const T*, index_t, const panel_part<T>&, index_t);

/// panel_product of 1, 2, ... rows.
template <class Isa, class T, std::size_t... I>
constexpr std::array<panel_function<T>, sizeof...(I)> panel_functions(std::index_sequence<I...>) {
  return {&panel_product<Isa, T, static_cast<index_t>(I) + 1>...};
}

}  // namespace detail

/// Policy of packed_linear: our own product on the instruction set `Isa`.
template <class Isa>
struct basic_panel_gemm {
  static std::string name() { return std::string("panels ") + isa_name<Isa>(); }

  template <class T>
  class weight {
    using tile = detail::panel_tile<Isa>;
    static constexpr index_t n = lanes<Isa, T>;
    static constexpr index_t width = tile::vectors * n;  // R

   public:
    static constexpr index_t row_block = 128;
    static constexpr index_t column_block = 4 * width;
    static constexpr index_t column_step = width;

    weight() = default;
    /// Copies w (out, in) and bias (out).
    weight(const T* w, const T* bias, index_t out, index_t in) : out_(out), in_(in) {
      panels_.resize(panel_count() * in * width);
      bias_.resize(panel_count() * width);
      std::copy_n(bias, out, bias_.data());
      // By cache lines of w, whose numbers go to as many different lines: a panel's worth of them stays near.
      constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
      for (index_t p = 0; p < panel_count(); ++p) {
        const index_t first = p * width, last = std::min(out, first + width);
        for (index_t k0 = 0; k0 < in; k0 += line) {
          const index_t end = std::min(in, k0 + line);
          for (index_t o = first; o < last; ++o) {
            T* to = panels_.data() + p * in * width + o - first;
            for (index_t k = k0; k < end; ++k) to[k * width] = w[o * in + k];
          }
        }
      }
    }

    index_t out() const { return out_; }
    index_t in() const { return in_; }

    /// y (rows, cols) = f(x (rows, in) * W[column .. column + cols)^T + bias), y pointing to that column. Does not
    /// allocate or throw.
    void multiply(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, index_t column, index_t cols,
                  activation f) const {
      const index_t whole = cols / width, first = column / width;
      for (index_t k = 0; k < in_; k += depth) {
        const index_t steps = std::min(depth, in_ - k);
        for (index_t p = 0; p < whole; ++p) {
          // What comes next: the panel to the right; after the last one, the first of the next depth or column block.
          const bool last_panel = p + 1 == whole, last_depth = k + steps == in_;
          const T* next = !last_panel   ? at(first + p + 1, k)
                          : !last_depth ? at(first, k + steps)
                                        : at(first + whole, 0);
          panel(y + p * width, y_stride, x + k, x_stride, rows, at(first + p, k), k == 0 ? bias(first + p) : nullptr,
                steps, next);
        }
      }
      if (whole * width < cols) {
        narrow_panel(y + whole * width, y_stride, x, x_stride, rows, first + whole, cols - whole * width);
      }
      activate_rows<T, Isa>(y, y_stride, rows, cols, f);
    }

   private:
    // Of float: x (row_block, depth) and a panel (depth, R) take half a megabyte, which second caches have.
    static constexpr index_t depth = 768;

    index_t panel_count() const { return (out_ + width - 1) / width; }
    /// Panel `panel` from depth k on; after the last panel comes the first.
    const T* at(index_t panel, index_t k) const {
      return panels_.data() + (panel < panel_count() ? (panel * in_ + k) * width : 0);
    }
    const T* bias(index_t panel) const { return bias_.data() + panel * width; }

    /// One panel against all rows, in tiles of nearly equal height.
    static void panel(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, const T* weights,
                      const T* bias, index_t steps, const T* next) {
      static constexpr auto functions =
          detail::panel_functions<Isa, T>(std::make_index_sequence<static_cast<std::size_t>(tile::rows)>());
      const index_t tiles = (rows + tile::rows - 1) / tile::rows;
      const index_t bytes = width * static_cast<index_t>(sizeof(T));
      for (index_t t = 0; t < tiles; ++t) {
        const index_t first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
        const detail::panel_part<T> part{weights, bias, reinterpret_cast<const char*>(next) + steps * bytes * t / tiles,
                                         bytes / tiles};
        functions[static_cast<std::size_t>(count - 1)](y + first * y_stride, y_stride, x + first * x_stride, x_stride,
                                                       part, steps);
      }
    }
    /// The last panel, of which y has only `cols` columns.
    void narrow_panel(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, index_t p,
                      index_t cols) const {
      alignas(64) T block[tile::rows * width];
      for (index_t i = 0; i < rows; i += tile::rows) {
        const index_t count = std::min(tile::rows, rows - i);
        for (index_t k = 0; k < in_; k += depth) {
          const index_t steps = std::min(depth, in_ - k);
          panel(block, width, x + i * x_stride + k, x_stride, count, at(p, k), k == 0 ? bias(p) : nullptr, steps,
                at(p, k + steps == in_ ? 0 : k + steps));
        }
        for (index_t r = 0; r < count; ++r) std::copy_n(block + r * width, cols, y + (i + r) * y_stride);
      }
    }

    index_t out_ = 0, in_ = 0;
    aligned_buffer<T> panels_;  // (panels, in, R)
    aligned_buffer<T> bias_;    // (panels, R)
  };
};

using panel_gemm = basic_panel_gemm<best_isa>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
