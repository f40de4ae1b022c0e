// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/mechanism.hpp"
#include "inhibitor/kernels/attention/add_only.hpp"

// Inhibitor attention without multiplication, forward only (inference). The caller has folded gamma / sqrt(D) into
// queries and keys and eta into what follows the output; for whole models models/bert/fold_scales.hpp does so.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// out_ik = sum_j soft(V_jk, max(|q_i - k_j|_1 - mean + shift, 0)): inhibitor_attention with score_scale = sqrt(D) and
/// output_scale = 1, and (where the root has no rounding) the same to the bit. For the forward calls of raw.hpp,
/// multi_head.hpp and kv_cache.hpp.
/// Members as in inhibitor_options; centering costs one division per query, centering::none not even that. Division by
/// the number of keys (normalize_by_length) is a factor on every output and has no place here.
template <class T>
struct add_only_inhibitor_attention {
  centering center = centering::attended_keys;
  bool is_signed = true;
  bool skip_inhibited = false;
  const T* shift = nullptr;  ///< (H)
};

namespace driver {

template <class T>
struct mechanism_policy<add_only_inhibitor_attention<T>> {
  using number = T;
  using mechanism = add_only_inhibitor_attention<T>;
  static bool all_keys(const mechanism& m) { return m.center == centering::all_keys; }
  static bool has_scalars(const mechanism& m) { return m.shift != nullptr; }
  static kernels::weight_options<T> options(const mechanism& m, index_t h, index_t) {
    kernels::weight_options<T> o = kernels::plain_weights<T>();
    o.shift = m.shift[h];
    o.center = m.center != centering::none;
    o.center_all = all_keys(m);
    return o;
  }
  template <class Body>
  static void run_forward(const mechanism& m, Body&& body) {
    if (m.is_signed) {
      run_relu<kernels::signed_relu>(m, body);
    } else {
      run_relu<kernels::unsigned_relu>(m, body);
    }
  }

 private:
  template <class Relu, class Body>
  static void run_relu(const mechanism& m, Body&& body) {
    if (m.center == centering::none) {
      run_weights<kernels::add_only<Relu, false>>(m, body);
    } else {
      run_weights<kernels::add_only<Relu, true>>(m, body);
    }
  }
  template <class Aggregate, class Body>
  static void run_weights(const mechanism& m, Body&& body) {
    if (m.skip_inhibited) {
      body(kernels::manhattan_by_max{}, kernels::skipping<Aggregate>{});
    } else {
      body(kernels::manhattan_by_max{}, Aggregate{});
    }
  }
};

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
