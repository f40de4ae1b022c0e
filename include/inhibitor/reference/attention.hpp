// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

#include "inhibitor/base/config.hpp"

// The scalar truth of attention: one head, contiguous row-major arrays, the formulas as loops, any number type T that
// std::complex<double> stands for (complex-step differentiation) as well as float and double. For tests and benchmarks.
//
//   S_ij = score_scale / sqrt(D) * |q_i - k_j|_1        or  score_scale / sqrt(D) * <q_i, k_j>
//   S_ij = S_ij - mean_j S_ij                           optional, over attended keys or over all keys
//   W_ij = max(S_ij + shift, 0)                         or  exp(S_ij) / sum_j exp(S_ij)
//   O_ik = output_scale * sum_j soft(V_jk, W_ij)        or  sum_j W_ij V_jk
//
// Sums run over the keys a query attends to. A query that attends to none gets zeros. Ties: sign(0) = 0, step(0) = 0.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace reference {

enum class scoring { manhattan, dot_product };
enum class aggregation { signed_relu, unsigned_relu, softmax };
enum class centered { no, attended_keys, all_keys };

/// Extents and options of one head.
struct attention_problem {
  index_t queries = 0;     ///< L
  index_t keys = 0;        ///< S
  index_t head_size = 0;   ///< D
  index_t value_size = 0;  ///< Dv
  scoring score = scoring::manhattan;
  aggregation aggregate = aggregation::signed_relu;
  centered center = centered::attended_keys;  ///< ignored by softmax, which does not see a common shift
  bool normalize_by_length = false;         ///< ReLU aggregations: divide by the number of attended keys
  const std::uint8_t* attend = nullptr;     ///< (L, S) non-zero: attend; null: every key

  bool attends(index_t i, index_t j) const { return attend == nullptr || attend[i * keys + j] != 0; }
  index_t attended(index_t i) const {
    index_t n = 0;
    for (index_t j = 0; j < keys; ++j) n += attends(i, j) ? 1 : 0;
    return n;
  }
};

/// The three scalars of a head. The dot product uses score_scale too; softmax ignores shift and output_scale.
template <class T>
struct attention_scalars {
  T score_scale = T(1);
  T shift = T(0);
  T output_scale = T(1);
};

namespace detail {

template <class T>
struct real_of {
  using type = T;
};
template <class T>
struct real_of<std::complex<T>> {
  using type = T;
};

/// Decisions (which branch of |x|, of max) follow the real part, so that a complex step differentiates the branch.
template <class T>
typename real_of<T>::type real(const T& x) {
  return std::real(x);
}
template <class T>
T sign(const T& x) {
  return T(real(x) > 0 ? 1 : real(x) < 0 ? -1 : 0);
}
template <class T>
T magnitude(const T& x) {
  return real(x) < 0 ? -x : x;
}

}  // namespace detail

/// Raw score r_ij before scaling: |q_i - k_j|_1 or <q_i, k_j>, into raw (L, S). q (L, D), k (S, D).
template <class T>
void raw_scores(T* raw, const T* q, const T* k, const attention_problem& p) {
  for (index_t i = 0; i < p.queries; ++i) {
    for (index_t j = 0; j < p.keys; ++j) {
      T sum(0);
      for (index_t d = 0; d < p.head_size; ++d) {
        const T a = q[i * p.head_size + d], b = k[j * p.head_size + d];
        sum += p.score == scoring::manhattan ? detail::magnitude(a - b) : a * b;
      }
      raw[i * p.keys + j] = sum;
    }
  }
}

/// Weights W (L, S) from raw scores (L, S); 0 for keys that are not attended to.
template <class T>
void weights_from_scores(T* w, const T* raw, const attention_scalars<T>& scalars, const attention_problem& p) {
  using real_type = typename detail::real_of<T>::type;
  const T scale = scalars.score_scale / T(std::sqrt(static_cast<real_type>(p.head_size)));
  for (index_t i = 0; i < p.queries; ++i) {
    const index_t attended = p.attended(i);
    const T* r = raw + i * p.keys;
    T* out = w + i * p.keys;
    if (p.aggregate == aggregation::softmax) {
      bool first = true;
      T largest(0), sum(0);
      for (index_t j = 0; j < p.keys; ++j) {
        if (!p.attends(i, j)) continue;
        if (first || detail::real(scale * r[j]) > detail::real(largest)) largest = scale * r[j];
        first = false;
      }
      for (index_t j = 0; j < p.keys; ++j) {
        out[j] = p.attends(i, j) ? std::exp(scale * r[j] - largest) : T(0);
        sum += out[j];
      }
      for (index_t j = 0; j < p.keys && attended > 0; ++j) out[j] /= sum;
      continue;
    }
    T mean(0);
    for (index_t j = 0; j < p.keys; ++j) {
      if (p.center == centered::all_keys || (p.center == centered::attended_keys && p.attends(i, j))) mean += r[j];
    }
    const index_t count = p.center == centered::all_keys ? p.keys : attended;
    if (count > 0) mean /= T(static_cast<real_type>(count));
    for (index_t j = 0; j < p.keys; ++j) {
      const T s = scale * (r[j] - mean) + scalars.shift;
      out[j] = p.attends(i, j) && detail::real(s) > 0 ? s : T(0);
    }
  }
}

/// What key j gives to output k of query i before the output scale: soft(v, w) or w v.
template <class T>
T contribution(const T& v, const T& w, aggregation aggregate) {
  if (aggregate == aggregation::softmax) return w * v;
  if (aggregate == aggregation::unsigned_relu) return detail::real(v - w) > 0 ? v - w : T(0);
  return detail::real(detail::magnitude(v) - w) > 0 ? detail::sign(v) * (detail::magnitude(v) - w) : T(0);
}

/// Factor between the sum over keys and the output row i.
template <class T>
T output_factor(index_t i, const T& output_scale, const attention_problem& p) {
  if (p.aggregate == aggregation::softmax) return T(1);
  const index_t attended = p.attended(i);
  if (attended == 0) return T(0);
  using real_type = typename detail::real_of<T>::type;
  return p.normalize_by_length ? output_scale / T(static_cast<real_type>(attended)) : output_scale;
}

/// Output (L, Dv) from weights (L, S) and v (S, Dv).
template <class T>
void aggregate(T* out, const T* w, const T* v, const attention_scalars<T>& scalars, const attention_problem& p) {
  for (index_t i = 0; i < p.queries; ++i) {
    const T factor = output_factor(i, scalars.output_scale, p);
    for (index_t k = 0; k < p.value_size; ++k) {
      T sum(0);
      for (index_t j = 0; j < p.keys; ++j) {
        if (p.attends(i, j)) sum += contribution(v[j * p.value_size + k], w[i * p.keys + j], p.aggregate);
      }
      out[i * p.value_size + k] = factor * sum;
    }
  }
}

/// out (L, Dv) from q (L, D), k (S, D), v (S, Dv). Allocates two (L, S) arrays.
template <class T>
void attention_forward(T* out, const T* q, const T* k, const T* v, const attention_scalars<T>& scalars,
                       const attention_problem& p) {
  const auto size = static_cast<std::size_t>(p.queries * p.keys);
  std::vector<T> raw(size), w(size);
  raw_scores(raw.data(), q, k, p);
  weights_from_scores(w.data(), raw.data(), scalars, p);
  aggregate(out, w.data(), v, scalars, p);
}

/// Adds the gradients of <dout, out> to dq (L, D), dk (S, D), dv (S, Dv) and dscalars. Allocates three (L, S) arrays.
template <class T>
void attention_backward(T* dq, T* dk, T* dv, attention_scalars<T>& dscalars, const T* dout, const T* q, const T* k,
                        const T* v, const attention_scalars<T>& scalars, const attention_problem& p) {
  using real_type = typename detail::real_of<T>::type;
  const auto size = static_cast<std::size_t>(p.queries * p.keys);
  std::vector<T> raw(size), w(size), ds(size);
  raw_scores(raw.data(), q, k, p);
  weights_from_scores(w.data(), raw.data(), scalars, p);
  const T inverse_root = T(1) / T(std::sqrt(static_cast<real_type>(p.head_size)));
  for (index_t i = 0; i < p.queries; ++i) {
    const index_t attended = p.attended(i);
    if (attended == 0) continue;
    const T factor = output_factor(i, scalars.output_scale, p);
    const T unit_factor = output_factor(i, T(1), p);
    T* s = ds.data() + i * p.keys;
    // dL/dW and dL/dV
    T sum(0);
    for (index_t j = 0; j < p.keys; ++j) {
      if (!p.attends(i, j)) continue;
      const T weight = w[static_cast<std::size_t>(i * p.keys + j)];
      T dw(0);
      for (index_t x = 0; x < p.value_size; ++x) {
        const T g = dout[i * p.value_size + x], value = v[j * p.value_size + x];
        if (p.aggregate == aggregation::softmax) {
          dw += g * value;
          dv[j * p.value_size + x] += weight * g;
          continue;
        }
        const bool is_signed = p.aggregate == aggregation::signed_relu;
        const T size_of_value = is_signed ? detail::magnitude(value) : value;
        if (!(detail::real(size_of_value) > detail::real(weight))) continue;
        dw -= factor * g * (is_signed ? detail::sign(value) : T(1));
        dv[j * p.value_size + x] += factor * g;
        dscalars.output_scale += g * contribution(value, weight, p.aggregate) * unit_factor;
      }
      if (p.aggregate == aggregation::softmax) {
        s[j] = dw;
        sum += dw * weight;
      } else {
        s[j] = detail::real(weight) > 0 ? dw : T(0);
        sum += s[j];
      }
    }
    // dL/dS
    if (p.aggregate == aggregation::softmax) {
      for (index_t j = 0; j < p.keys; ++j) s[j] = w[static_cast<std::size_t>(i * p.keys + j)] * (s[j] - sum);
    } else {
      dscalars.shift += sum;
      const index_t count = p.center == centered::all_keys ? p.keys : attended;
      for (index_t j = 0; j < p.keys; ++j) {
        const bool in_mean = p.center == centered::all_keys || (p.center == centered::attended_keys && p.attends(i, j));
        if (in_mean) s[j] -= sum / T(static_cast<real_type>(count));
      }
    }
    // dL/dQ, dL/dK, dL/dscore_scale
    for (index_t j = 0; j < p.keys; ++j) {
      dscalars.score_scale += s[j] * raw[static_cast<std::size_t>(i * p.keys + j)] * inverse_root;
      const T g = s[j] * scalars.score_scale * inverse_root;
      for (index_t d = 0; d < p.head_size; ++d) {
        const T a = q[i * p.head_size + d], b = k[j * p.head_size + d];
        dq[i * p.head_size + d] += p.score == scoring::manhattan ? g * detail::sign(a - b) : g * b;
        dk[j * p.head_size + d] += p.score == scoring::manhattan ? -g * detail::sign(a - b) : g * a;
      }
    }
  }
}

}  // namespace reference
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
