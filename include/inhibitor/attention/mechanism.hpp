// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/scalar_math.hpp"
#include "inhibitor/kernels/attention/table.hpp"

// The mechanisms a call can name, and what each means in terms of kernel policies.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Inhibitor attention: Manhattan scores, signed (or unsigned) ReLU aggregation. Paper arXiv 2503.15983, base mechanism
/// arXiv 2310.02041 eq. 3-5.
template <class T>
struct inhibitor_attention {
  inhibitor_options options;
  inhibitor_scalars<const T> scalars;  ///< (H) each
};

/// Scaled dot product with softmax, the baseline.
template <class T>
struct dot_product_attention {};

namespace driver {

/// What the mechanisms mean in terms of kernel policies. `run` calls body(score policy, aggregation policy);
/// `run_forward` may choose policies that have no backward.
template <class T>
struct mechanism_policy;

template <class T>
struct mechanism_policy<inhibitor_attention<T>> {
  static bool all_keys(const inhibitor_attention<T>& m) { return m.options.center == centering::all_keys; }
  static bool has_scalars(const inhibitor_attention<T>& m) {
    return m.scalars.score_scale != nullptr && m.scalars.shift != nullptr && m.scalars.output_scale != nullptr;
  }
  static kernels::weight_options<T> options(const inhibitor_attention<T>& m, index_t h, index_t head_size) {
    kernels::weight_options<T> o = kernels::plain_weights<T>();
    o.scale = m.scalars.score_scale[h] / square_root(static_cast<T>(head_size));
    o.shift = m.scalars.shift[h];
    o.output_scale = m.scalars.output_scale[h];
    o.center = m.options.center != centering::none;
    o.center_all = all_keys(m);
    o.normalize_by_length = m.options.normalize_by_length;
    return o;
  }
  template <class Body>
  static void run(const inhibitor_attention<T>& m, Body&& body) {
    if (m.options.is_signed) {
      body(kernels::manhattan_by_max{}, kernels::signed_relu{});
    } else {
      body(kernels::manhattan_by_max{}, kernels::unsigned_relu{});
    }
  }
  template <class Body>
  static void run_forward(const inhibitor_attention<T>& m, Body&& body) {
    if (!m.options.skip_inhibited) {
      run(m, body);
    } else if (m.options.is_signed) {
      body(kernels::manhattan_by_max{}, kernels::skipping<kernels::signed_relu>{});
    } else {
      body(kernels::manhattan_by_max{}, kernels::skipping<kernels::unsigned_relu>{});
    }
  }
};

template <class T>
struct mechanism_policy<dot_product_attention<T>> {
  static bool all_keys(const dot_product_attention<T>&) { return false; }
  static bool has_scalars(const dot_product_attention<T>&) { return true; }
  static kernels::weight_options<T> options(const dot_product_attention<T>&, index_t, index_t head_size) {
    kernels::weight_options<T> o = kernels::plain_weights<T>();
    o.scale = T(1) / square_root(static_cast<T>(head_size));
    return o;
  }
  template <class Body>
  static void run(const dot_product_attention<T>&, Body&& body) {
    body(kernels::dot_product{}, kernels::softmax{});
  }
  template <class Body>
  static void run_forward(const dot_product_attention<T>& m, Body&& body) {
    run(m, body);
  }
};

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
