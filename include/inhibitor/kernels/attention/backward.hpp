// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/backward_tiles.hpp"
#include "inhibitor/kernels/attention/forward.hpp"
#include "inhibitor/kernels/elementwise.hpp"

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

namespace detail {

/// Keys, values and value planes of the head, packed as each of the steps below reads them.
template <class Isa, class T, class Score, class Aggregate>
INHIBITOR_INLINE void pack_head(const backward_scratch<Isa, T, Aggregate>& s, const head_inputs<T>& in) {
  using B = batch<Isa, T>;
  using gradients = weight_gradients<Aggregate>;
  const index_t D = in.head_size, Dv = in.value_size, wide_v = round_up(Dv, lanes<Isa, T>);
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
}

/// The forward pass again, up to the weights: raw scores in s.raw, weights in s.weights (with one that adds nothing
/// behind those of a row), and in s.g the gradients of the output rows.
template <class Isa, class T, class Score, class Aggregate>
INHIBITOR_INLINE void weigh_again(const backward_scratch<Isa, T, Aggregate>& s, const head_inputs<T>& in, const T* dout,
                                  index_t dout_stride, const weight_options<T>& options, const query_tile& tile) {
  using B = batch<Isa, T>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t D = in.head_size, wide_d = round_up(D, N), wide_v = round_up(in.value_size, N);
  pack_rows<Isa, T>(s.q, in.q + tile.first * in.q_stride, in.q_stride, nullptr, tile.rows, D);
  pack_rows<Isa, T>(s.g, dout + tile.first * dout_stride, dout_stride, nullptr, tile.rows, in.value_size);
  row_bits by_difference = 0;
  if constexpr (Score::needs_sums) {
    row_sums<Isa, T>(s.q_sums, s.q, wide_d, tile.rows, D);
    by_difference = rows_by_difference<Isa, T>(s.q, wide_d, tile.rows, D, s.q_sums, s.key_rows, s.key_sums[0]);
  }
  score_tile<Isa, T, Score>(s.raw, s.pitch, {s.q, wide_d, s.q_sums, s.key_sums, s.keys, in.scored, D, by_difference},
                            tile.rows, tile.scored);
  for (index_t r = 0; r < tile.rows; ++r) {
    T *w = s.weights + r * s.pitch, *g = s.g + r * wide_v;
    map_numbers<Isa, T>(w, s.raw + r * s.pitch, round_up(tile.scored, N), [](B x) { return x; });
    const auto row = weigh_query<Isa, T, Aggregate>(w, in, tile.first + r, tile, options, s.compact[0], s.places);
    s.factors[r] = row.factor;
    const index_t weighed = in.attend != nullptr ? tile.attended : row.attended;
    for (index_t j = weighed; j < round_up(tile.attended, N); ++j) w[j] = masked_weight<Aggregate, T>();
    if (options.normalize_by_length && row.attended > 0) {
      const B factor(T(1) / static_cast<T>(row.attended));
      map_numbers<Isa, T>(g, g, wide_v, [&](B x) { return x * factor; });
    }
  }
}

/// dW in s.dw -> dS in place, over tile.scored keys.
template <class Isa, class T, class Aggregate>
INHIBITOR_INLINE void gradients_of_scores(const backward_scratch<Isa, T, Aggregate>& s, const head_inputs<T>& in,
                                          const weight_options<T>& options, const query_tile& tile,
                                          scalar_totals& totals) {
  using gradients = weight_gradients<Aggregate>;
  for (index_t r = 0; r < tile.rows; ++r) {
    T *dw = s.dw + r * s.pitch, *w = s.weights + r * s.pitch, *raw = s.raw + r * s.pitch;
    if (in.attend == nullptr) {
      gradients::template score_gradients<Isa, T>(dw, w, raw, tile.limits[r], in.scored, tile.scored, s.factors[r],
                                                  options, totals);
      continue;
    }
    const index_t n = attended_first<Isa, T>(s.places, in, tile.first + r, tile.scored, options.center_all);
    const index_t listed = options.center_all ? tile.scored : n;
    gather_places<Isa, T>(s.compact[0], dw, s.places, n);
    gather_places<Isa, T>(s.compact[1], w, s.places, n);
    gather_places<Isa, T>(s.compact[2], raw, s.places, listed);
    gradients::template score_gradients<Isa, T>(s.compact[0], s.compact[1], s.compact[2], n, listed, listed,
                                                s.factors[r], options, totals);
    scatter_places<Isa, T>(dw, tile.scored, T(0), s.compact[0], s.places, listed);
    scatter_places<Isa, T>(w, tile.attended, masked_weight<Aggregate, T>(), s.compact[1], s.places, n);
  }
}

/// sum_jk V_jk dV_jk over packed rows, of which the padding is zero.
template <class Isa, class T>
INHIBITOR_INLINE double product_sum(const T* v, const T* dv, index_t rows, index_t width) {
  using B = batch<Isa, T>;
  double total = 0;
  for (index_t j = 0; j < rows; ++j) {
    B sum(T(0));
    for (index_t x = 0; x < width; x += lanes<Isa, T>) {
      sum += B::load_aligned(v + j * width + x) * B::load_aligned(dv + j * width + x);
    }
    total += static_cast<double>(horizontal_sum<Isa, T>(sum));
  }
  return total;
}

}  // namespace detail

/// Adds the gradients of <dout, out> to `out` and returns those of the options. dout (L, Dv), rows dout_stride apart.
/// `memory` holds backward_scratch<Isa, T, Aggregate>::size numbers.
template <class Isa, class T, class Score, class Aggregate>
option_gradients<T> attention_backward(const head_gradients<T>& out, const T* dout, index_t dout_stride,
                                       const head_inputs<T>& in, const weight_options<T>& options, T* memory) {
  using gradients = weight_gradients<Aggregate>;
  constexpr index_t N = lanes<Isa, T>;
  const index_t D = in.head_size, Dv = in.value_size, wide_d = round_up(D, N), wide_v = round_up(Dv, N);
  if (in.queries == 0 || in.scored == 0) return {T(0), T(0), T(0)};
  INHIBITOR_ASSERT(out.dq != nullptr && in.q != nullptr && out.dk != nullptr && in.k != nullptr && memory != nullptr);
  INHIBITOR_ASSERT(Dv == 0 || (out.dv != nullptr && in.v != nullptr && dout != nullptr));
  const backward_scratch<Isa, T, Aggregate> s(memory, in.queries, in.scored, D, Dv);
  detail::pack_head<Isa, T, Score>(s, in);
  fill_zero<Isa, T>(s.dk, in.scored * wide_d);
  fill_zero<Isa, T>(s.dv, in.scored * wide_v);

  // Everything up to the last lines is without output_scale, a common factor of the ReLU forms.
  const T output_scale = Aggregate::uses_value_sum ? options.output_scale : T(1);
  const T score_scale = options.scale * output_scale;
  scalar_totals totals;
  for (index_t first = 0; first < in.queries; first += s.rows) {
    const query_tile tile = tile_of_queries(in, options, first, s.rows);
    if (tile.attended == 0) continue;

    // forward: raw_ij = score(q_i, k_j), W_ij = weigh(raw_i)_j
    detail::weigh_again<Isa, T, Score>(s, in, dout, dout_stride, options, tile);

    // forward: out_i = output_scale * sum_j soft(v_j, W_ij)          dW_ij = sum_k g_ik d soft(v_jk, W_ij) / dW_ij
    weight_gradient_tile<Isa, T, gradients>(s.dw, s.weights, s.pitch, s.g, wide_v, tile.rows, s.planes, s.plane_size,
                                            in.attended, tile.attended, Dv);

    // forward: W_ij = max(scale * (raw_ij - mean_j raw_ij) + shift, 0)                      dS_ij, S = scale * raw
    detail::gradients_of_scores<Isa, T>(s, in, options, tile, totals);

    // forward: out_i = output_scale * sum_j soft(v_j, W_ij)         dv_jk += sum_i g_ik d soft(v_jk, W_ij) / dv_jk
    value_gradient_tile<Isa, T, gradients>(s.dv, s.plane_rows, s.weights, s.pitch, s.g, tile.rows, tile.attended,
                                           wide_v);

    // forward: raw_ij = |q_i - k_j|_1                      dq_i += sum_j dS_ij sign(q_i - k_j), dk_j -= the same
    fill_zero<Isa, T>(s.dq, tile.rows * wide_d);
    score_gradient_tile<Isa, T, Score>(s.dq, s.dk, s.dw, s.pitch, s.q, s.key_rows, tile.rows, tile.scored, wide_d);
    add_rows<Isa, T>(out.dq + first * out.dq_stride, out.dq_stride, nullptr, s.dq, tile.rows, D, score_scale);
  }
  add_rows<Isa, T>(out.dk, out.dk_stride, in.order, s.dk, in.scored, D, score_scale);
  add_rows<Isa, T>(out.dv, out.dv_stride, in.order, s.dv, in.attended, Dv, output_scale);

  // forward: S = scale * raw, W = max(S + shift, 0), out = output_scale * sum_j (...)
  const double factor = static_cast<double>(output_scale);
  const double value_total = detail::product_sum<Isa, T>(s.values, s.dv, in.attended, wide_v);
  return {static_cast<T>(factor * totals.raw), static_cast<T>(factor * totals.shift),
          static_cast<T>(value_total + totals.output)};
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
