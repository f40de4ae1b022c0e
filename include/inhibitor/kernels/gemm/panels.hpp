// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/rows/row_kernels.hpp"
#include "inhibitor/simd/float_ops.hpp"

// y = x W^T + bias for weights that are packed once and used often. As a policy of linear layers:
// kernels/gemm/panel_gemm.hpp. Nothing here allocates or throws.
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
namespace kernels {
namespace detail {

/// Register tile of an instruction set: rows x vectors sums, `vectors` weights and a broadcast fit its registers.
template <class Isa>
struct panel_tile {
  static constexpr index_t rows = has_32_registers<Isa> ? 8 : isa_has<Isa, isa::avx2> ? 6 : 4;
  static constexpr index_t vectors = has_32_registers<Isa> ? 3 : 2;
};

}  // namespace detail

/// R, the outputs of a panel.
template <class Isa, class T>
inline constexpr index_t panel_width = detail::panel_tile<Isa>::vectors* lanes<Isa, T>;

namespace detail {

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
  accumulate_tile<static_cast<int>(Rows), static_cast<int>(vectors)>(
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
template <class T, index_t Rows>
struct panel_functions {
  panel_function<T> of_rows[Rows];
};
template <class Isa, class T, index_t... I>
constexpr panel_functions<T, static_cast<index_t>(sizeof...(I))> list_panel_functions(
    std::integer_sequence<index_t, I...>) {
  return {{&panel_product<Isa, T, I + 1>...}};
}

// Of float: x (128, depth) and a panel (depth, R) take half a megabyte, which second caches have.
inline constexpr index_t panel_depth = 768;

/// One panel against all rows, in tiles of nearly equal height.
template <class Isa, class T>
void multiply_panel(T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows, const T* weights, const T* bias,
                    index_t steps, const T* next) {
  constexpr index_t most = panel_tile<Isa>::rows;
  static constexpr auto functions = list_panel_functions<Isa, T>(std::make_integer_sequence<index_t, most>());
  const index_t tiles = (rows + most - 1) / most;
  const index_t bytes = panel_width<Isa, T> * static_cast<index_t>(sizeof(T));
  for (index_t t = 0; t < tiles; ++t) {
    const index_t first = rows * t / tiles, count = rows * (t + 1) / tiles - first;
    const panel_part<T> part{weights, bias, reinterpret_cast<const char*>(next) + steps * bytes * t / tiles,
                             bytes / tiles};
    functions.of_rows[count - 1](y + first * y_stride, y_stride, x + first * x_stride, x_stride, part, steps);
  }
}

/// Where the panels of a weight lie.
template <class Isa, class T>
struct panel_places {
  static constexpr index_t width = panel_width<Isa, T>;
  const panel_weight<T>& w;

  /// Panel `panel` from depth k on; after the last panel comes the first.
  const T* at(index_t panel, index_t k) const {
    return w.panels + (panel < (w.out + width - 1) / width ? (panel * w.in + k) * width : 0);
  }
  const T* bias(index_t panel) const { return w.bias + panel * width; }
};

/// The last panel, of which y has only `cols` columns.
template <class Isa, class T>
void multiply_narrow_panel(const panel_places<Isa, T>& places, T* y, index_t y_stride, const T* x, index_t x_stride,
                           index_t rows, index_t p, index_t cols) {
  constexpr index_t most = panel_tile<Isa>::rows, width = panel_width<Isa, T>;
  const index_t in = places.w.in;
  alignas(64) T block[most * width];
  for (index_t i = 0; i < rows; i += most) {
    const index_t count = rows - i < most ? rows - i : most;
    for (index_t k = 0; k < in; k += panel_depth) {
      const index_t steps = in - k < panel_depth ? in - k : panel_depth;
      multiply_panel<Isa, T>(block, width, x + i * x_stride + k, x_stride, count, places.at(p, k),
                             k == 0 ? places.bias(p) : nullptr, steps, places.at(p, k + steps == in ? 0 : k + steps));
    }
    for (index_t r = 0; r < count; ++r) {
      for (index_t c = 0; c < cols; ++c) y[(i + r) * y_stride + c] = block[r * width + c];
    }
  }
}

}  // namespace detail

/// Packs w (out, in) and bias (out) into panels (panels, in, R) and panel_bias (panels, R), whose padding the caller
/// has set to 0.
template <class Isa, class T>
void pack_panels(T* panels, T* panel_bias, const T* w, const T* bias, index_t out, index_t in) {
  constexpr index_t width = panel_width<Isa, T>;
  for (index_t o = 0; o < out; ++o) panel_bias[o] = bias[o];
  // By cache lines of w, whose numbers go to as many different lines: a panel's worth of them stays near.
  constexpr index_t line = 64 / static_cast<index_t>(sizeof(T));
  for (index_t first = 0; first < out; first += width) {
    const index_t last = out - first < width ? out : first + width;
    for (index_t k0 = 0; k0 < in; k0 += line) {
      const index_t end = in - k0 < line ? in : k0 + line;
      for (index_t o = first; o < last; ++o) {
        T* to = panels + first * in + o - first;
        for (index_t k = k0; k < end; ++k) to[k * width] = w[o * in + k];
      }
    }
  }
}

/// y (rows, cols) = f(x (rows, in) * W[column .. column + cols)^T + bias), y pointing to that column, a multiple of R.
template <class Isa, class T>
void multiply_panels(const panel_weight<T>& w, T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows,
                     index_t column, index_t cols, activation f) {
  constexpr index_t width = panel_width<Isa, T>;
  const detail::panel_places<Isa, T> places{w};
  const index_t whole = cols / width, first = column / width;
  for (index_t k = 0; k < w.in; k += detail::panel_depth) {
    const index_t steps = w.in - k < detail::panel_depth ? w.in - k : detail::panel_depth;
    for (index_t p = 0; p < whole; ++p) {
      // What comes next: the panel to the right; after the last one, the first of the next depth or column block.
      const bool last_panel = p + 1 == whole, last_depth = k + steps == w.in;
      const T* next = !last_panel   ? places.at(first + p + 1, k)
                      : !last_depth ? places.at(first, k + steps)
                                    : places.at(first + whole, 0);
      detail::multiply_panel<Isa, T>(y + p * width, y_stride, x + k, x_stride, rows, places.at(first + p, k),
                                     k == 0 ? places.bias(first + p) : nullptr, steps, next);
    }
  }
  if (whole * width < cols) {
    detail::multiply_narrow_panel<Isa, T>(places, y + whole * width, y_stride, x, x_stride, rows, first + whole,
                                          cols - whole * width);
  }
  activate_rows<Isa, T>(y, y_stride, rows, cols, f);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
