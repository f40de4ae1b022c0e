// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/backward_tiles.hpp"
#include "inhibitor/kernels/attention/forward.hpp"

// Backward of attention_forward for one head. Nothing is saved by the forward pass: per tile of queries the raw scores
// and weights are computed again, then dW, dS (both in the tile), dV, dQ and dK. dK and dV collect in packed scratch
// and are added to the caller's arrays at the end. Scratch is O(tile x S + S x (D + Dv)). Does not allocate, does not
// throw.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Scratch of attention_backward.
template <class Isa, class T, class Aggregate>
struct backward_scratch {
  T *keys, *key_sums, *key_rows, *values, *plane_rows, *planes, *dk, *dv, *q, *q_sums, *dq, *g, *factors;
  T *raw, *weights, *dw, *compact[3];
  index_t* places;
  index_t pitch, plane_size, rows, size;

  backward_scratch(T* base, index_t queries, index_t scored, index_t head_size, index_t value_size) {
    constexpr index_t N = lanes<Isa, T>;
    const index_t wide_d = round_up(head_size, N), wide_v = round_up(value_size, N);
    scratch_cursor<T> cursor(base);
    pitch = score_pitch<T>(scored);
    rows = tile_rows(3 * pitch * static_cast<index_t>(sizeof(T)));
    if (rows > queries) rows = queries;
    plane_size = packed_keys_size<Isa, T>(scored, value_size);
    keys = cursor.take(packed_keys_size<Isa, T>(scored, head_size));
    key_sums = cursor.take(pitch);
    key_rows = cursor.take(scored * wide_d);
    values = cursor.take(scored * wide_v);
    plane_rows = cursor.take(scored * wide_v);
    planes = cursor.take(plane_size * weight_gradients<Aggregate>::planes);
    dk = cursor.take(scored * wide_d);
    dv = cursor.take(scored * wide_v);
    q = cursor.take(rows * wide_d);
    q_sums = cursor.take(rows);
    dq = cursor.take(rows * wide_d);
    g = cursor.take(rows * wide_v);
    factors = cursor.take(rows);
    raw = cursor.take(rows * pitch);
    weights = cursor.take(rows * pitch);
    dw = cursor.take(rows * pitch);
    for (auto& row : compact) row = cursor.take(pitch);
    places = cursor.take_indices(scored + 1);
    size = cursor.used();
  }
};

template <class Isa, class T>
INHIBITOR_INLINE void fill_zero(T* p, index_t n) {
  for (index_t i = 0; i < n; i += lanes<Isa, T>) batch<Isa, T>(T(0)).store_aligned(p + i);
}

/// dst[i] = f(src[i]); n is a multiple of N, both aligned; they may be the same array.
template <class Isa, class T, class F>
INHIBITOR_INLINE void map_numbers(T* dst, const T* src, index_t n, F&& f) {
  using B = batch<Isa, T>;
  for (index_t i = 0; i < n; i += lanes<Isa, T>) f(B::load_aligned(src + i)).store_aligned(dst + i);
}

/// dst rows (order or identity; n, width) += factor * src (n, wide), wide = round_up(width, N).
template <class Isa, class T>
void add_rows(T* dst, index_t stride, const index_t* order, const T* src, index_t n, index_t width, T factor) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t wide = round_up(width, N);
  const B scale(factor);
  for (index_t j = 0; j < n; ++j) {
    T* row = dst + (order != nullptr ? order[j] : j) * stride;
    for (index_t x = 0; x < width; x += N) {
      const index_t count = width - x < N ? width - x : N;
      const B sum = float_ops<Isa, T>::multiply_add(B::load_aligned(src + j * wide + x), scale,
                                                    load_first<Isa, T>(row + x, count));
      store_first<Isa, T>(row + x, count, sum);
    }
  }
}

/// Adds the gradients of <dout, out> to `out` and returns those of the options. dout (L, Dv), rows dout_stride apart.
/// `memory` holds backward_scratch<Isa, T, Aggregate>::size numbers.
template <class Isa, class T, class Score, class Aggregate>
option_gradients<T> attention_backward(const head_gradients<T>& out, const T* dout, index_t dout_stride,
                                       const head_inputs<T>& in, const weight_options<T>& options, T* memory) {
  using B = batch<Isa, T>;
  using gradients = weight_gradients<Aggregate>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t D = in.head_size, Dv = in.value_size, wide_d = round_up(D, N), wide_v = round_up(Dv, N);
  if (in.queries == 0 || in.scored == 0) return {T(0), T(0), T(0)};
  INHIBITOR_ASSERT(out.dq != nullptr && in.q != nullptr && out.dk != nullptr && in.k != nullptr && memory != nullptr);
  INHIBITOR_ASSERT(Dv == 0 || (out.dv != nullptr && in.v != nullptr && dout != nullptr));
  const backward_scratch<Isa, T, Aggregate> s(memory, in.queries, in.scored, D, Dv);

  pack_keys<Isa, T>(s.keys, in.k, in.k_stride, in.order, in.scored, D);
  if constexpr (Score::needs_sums) packed_key_sums<Isa, T>(s.key_sums, s.keys, in.scored, D);
  pack_rows<Isa, T>(s.key_rows, in.k, in.k_stride, in.order, in.scored, D);
  pack_rows<Isa, T>(s.values, in.v, in.v_stride, in.order, in.attended, Dv);
  map_numbers<Isa, T>(s.plane_rows, s.values, in.attended * wide_v,
                      [](B v) { return gradients::template plane<Isa, T>(0, v); });
  pack_keys<Isa, T>(s.planes, s.values, wide_v, nullptr, in.attended, Dv);
  for (int p = gradients::planes - 1; p >= 0; --p) {
    map_numbers<Isa, T>(s.planes + p * s.plane_size, s.planes, packed_keys_size<Isa, T>(in.attended, Dv),
                        [p](B v) { return gradients::template plane<Isa, T>(p, v); });
  }
  fill_zero<Isa, T>(s.dk, in.scored * wide_d);
  fill_zero<Isa, T>(s.dv, in.scored * wide_v);

  const T output_scale = Aggregate::uses_value_sum ? options.output_scale : T(1);
  scalar_totals totals;
  for (index_t i0 = 0; i0 < in.queries; i0 += s.rows) {
    const index_t rows = in.queries - i0 < s.rows ? in.queries - i0 : s.rows;
    const index_t* limits = in.limits + i0;
    const index_t attended = limits[rows - 1];
    if (attended == 0) continue;
    const index_t scored = options.center_all ? in.scored : attended;

    // Raw scores and weights, as in the forward pass.
    pack_rows<Isa, T>(s.q, in.q + i0 * in.q_stride, in.q_stride, nullptr, rows, D);
    pack_rows<Isa, T>(s.g, dout + i0 * dout_stride, dout_stride, nullptr, rows, Dv);
    if constexpr (Score::needs_sums) row_sums<Isa, T>(s.q_sums, s.q, wide_d, rows, D);
    score_tile<Isa, T, Score>(s.raw, s.pitch, s.q, wide_d, rows, s.keys, in.scored, scored, D, s.q_sums, s.key_sums);
    for (index_t r = 0; r < rows; ++r) {
      T* w = s.weights + r * s.pitch;
      map_numbers<Isa, T>(w, s.raw + r * s.pitch, round_up(scored, N), [](B x) { return x; });
      index_t n = limits[r];
      if (in.attend != nullptr) {
        n = attended_first<Isa, T>(s.places, in, i0 + r, scored, options.center_all);
        s.factors[r] = weigh_masked<Isa, T, Aggregate>(w, attended, s.compact[0], s.places, n,
                                                       options.center_all ? scored : n, options);
      } else {
        s.factors[r] = Aggregate::template weigh<Isa, T>(w, n, in.scored, options);
      }
      const index_t weighed = in.attend != nullptr ? attended : n;
      for (index_t j = weighed; j < round_up(attended, N); ++j) w[j] = masked_weight<Aggregate, T>();
      if (options.normalize_by_length && n > 0) {
        const B factor(T(1) / static_cast<T>(n));
        map_numbers<Isa, T>(s.g + r * wide_v, s.g + r * wide_v, wide_v, [&](B x) { return x * factor; });
      }
    }

    weight_gradient_tile<Isa, T, gradients>(s.dw, s.weights, s.pitch, s.g, wide_v, rows, s.planes, s.plane_size,
                                            in.attended, attended, Dv);
    for (index_t r = 0; r < rows; ++r) {
      T *dw = s.dw + r * s.pitch, *w = s.weights + r * s.pitch, *raw = s.raw + r * s.pitch;
      if (in.attend == nullptr) {
        gradients::template score_gradients<Isa, T>(dw, w, raw, limits[r], in.scored, scored, s.factors[r], options,
                                                    totals);
        continue;
      }
      const index_t n = attended_first<Isa, T>(s.places, in, i0 + r, scored, options.center_all);
      const index_t listed = options.center_all ? scored : n;
      gather_places<Isa, T>(s.compact[0], dw, s.places, n);
      gather_places<Isa, T>(s.compact[1], w, s.places, n);
      gather_places<Isa, T>(s.compact[2], raw, s.places, listed);
      gradients::template score_gradients<Isa, T>(s.compact[0], s.compact[1], s.compact[2], n, listed, listed,
                                                  s.factors[r], options, totals);
      scatter_places<Isa, T>(dw, scored, T(0), s.compact[0], s.places, listed);
      scatter_places<Isa, T>(w, attended, masked_weight<Aggregate, T>(), s.compact[1], s.places, n);
    }
    value_gradient_tile<Isa, T, gradients>(s.dv, s.plane_rows, s.weights, s.pitch, s.g, rows, attended, wide_v);
    fill_zero<Isa, T>(s.dq, rows * wide_d);
    score_gradient_tile<Isa, T, Score>(s.dq, s.dk, s.dw, s.pitch, s.q, s.key_rows, rows, scored, wide_d);
    add_rows<Isa, T>(out.dq + i0 * out.dq_stride, out.dq_stride, nullptr, s.dq, rows, D, options.scale * output_scale);
  }
  add_rows<Isa, T>(out.dk, out.dk_stride, in.order, s.dk, in.scored, D, options.scale * output_scale);
  add_rows<Isa, T>(out.dv, out.dv_stride, in.order, s.dv, in.attended, Dv, output_scale);

  double value_total = 0;
  for (index_t j = 0; j < in.attended; ++j) {
    B sum(T(0));
    for (index_t x = 0; x < wide_v; x += N) {
      sum += B::load_aligned(s.values + j * wide_v + x) * B::load_aligned(s.dv + j * wide_v + x);
    }
    value_total += static_cast<double>(horizontal_sum<Isa, T>(sum));
  }
  const double scale = static_cast<double>(output_scale);
  return {static_cast<T>(scale * totals.raw), static_cast<T>(scale * totals.shift),
          static_cast<T>(value_total + totals.output)};
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
