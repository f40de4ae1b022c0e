// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/kernels/attention_backward.hpp"
#include "inhibitor/kernels/attention_forward.hpp"

// Multi-head attention on raw pointers and strides, for every mechanism: inhibitor (the product) and dot product (the
// baseline). Work items are the (b, h) pairs, each computed by one worker from start to end, so results do not depend
// on the executor. Definition: reference/attention.hpp. Masked keys contribute exactly 0; a query without keys gives
// zeros and receives zero gradients; NaN and infinities reach the rows that use them.

namespace inhibitor {

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

/// Scratch memory of attention calls. It grows to what the largest call needs and then allocates no more. Not to be
/// shared by calls that run at the same time.
class attention_workspace {
 public:
  /// Bytes held.
  index_t size() const {
    index_t total = static_cast<index_t>(partials_.capacity() * sizeof(double));
    for (const auto& buffer : buffers_) total += buffer.size();
    return total;
  }
  /// Makes room for `workers` blocks of `bytes` and `partials` sums. Called by the attention functions.
  void reserve(index_t workers, index_t bytes, index_t partials) {
    if (static_cast<index_t>(buffers_.size()) < workers) buffers_.resize(static_cast<std::size_t>(workers));
    for (auto& buffer : buffers_) {
      if (buffer.size() < bytes) buffer.resize(bytes);
    }
    if (static_cast<index_t>(partials_.size()) < partials) partials_.resize(static_cast<std::size_t>(partials));
  }
  unsigned char* block(index_t worker) { return buffers_[static_cast<std::size_t>(worker)].data(); }
  double* partials() { return partials_.data(); }

 private:
  std::vector<aligned_buffer<unsigned char>> buffers_;
  std::vector<double> partials_;
};

namespace detail {

/// heads_view<const T> that template deduction leaves alone, so that a heads_view<T> converts to it.
template <class T>
using input_heads = std::common_type_t<heads_view<const T>>;

/// view.head(b, h), or null for an array without elements.
template <class T>
T* head_or_null(const heads_view<T>& view, index_t b, index_t h) {
  return view.data != nullptr ? view.head(b, h) : nullptr;
}

inline void check_attention(const attention_shape& s, bool has_data) {
  check(s.batch >= 0 && s.heads >= 0 && s.queries >= 0 && s.keys >= 0 && s.value_size >= 0 && s.head_size >= 1, [&] {
    return "attention: extents must not be negative and the head size at least 1, got B " + std::to_string(s.batch) +
           ", H " + std::to_string(s.heads) + ", L " + std::to_string(s.queries) + ", S " + std::to_string(s.keys) +
           ", D " + std::to_string(s.head_size) + ", Dv " + std::to_string(s.value_size);
  });
  check(has_data, "attention: a null pointer where the shape is not empty");
}

/// The keys of one batch item renumbered (see kernels/head.hpp), in worker memory.
struct key_selection {
  index_t* order;   ///< (S)
  index_t* limits;  ///< (L)
  index_t scored = 0, attended = 0;
  bool identity = true;

  static index_t bytes(const attention_shape& s) {
    return kernels::round_up((s.keys + s.queries) * static_cast<index_t>(sizeof(index_t)), 64);
  }
  key_selection(unsigned char* memory, const attention_shape& s, const attention_mask& mask, index_t b, bool all_keys)
      : order(reinterpret_cast<index_t*>(memory)), limits(order + s.keys) {
    const std::uint8_t* attend = mask.key_mask != nullptr ? mask.key_mask + b * s.keys : nullptr;
    for (index_t j = 0; j < s.keys; ++j) {
      if (attend == nullptr || attend[j] != 0) order[attended++] = j;
    }
    scored = attended;
    for (index_t j = 0; j < s.keys && all_keys && attend != nullptr; ++j) {
      if (attend[j] == 0) order[scored++] = j;
    }
    identity = attended == s.keys;
    index_t limit = mask.causal ? 0 : attended;
    for (index_t i = 0; i < s.queries; ++i) {
      while (mask.causal && limit < attended && order[limit] <= i + s.keys - s.queries) ++limit;
      limits[i] = limit;
    }
  }
};

template <class T>
kernels::head_inputs<T> head_of(const heads_view<const T>& q, const heads_view<const T>& k,
                                const heads_view<const T>& v, const attention_shape& s, const key_selection& keys,
                                index_t b, index_t h) {
  kernels::head_inputs<T> in;
  in.q = head_or_null(q, b, h);
  in.q_stride = q.row_stride;
  in.k = head_or_null(k, b, h);
  in.k_stride = k.row_stride;
  in.v = head_or_null(v, b, h);
  in.v_stride = v.row_stride;
  in.queries = s.queries;
  in.head_size = s.head_size;
  in.value_size = s.value_size;
  in.order = keys.identity ? nullptr : keys.order;
  in.scored = keys.scored;
  in.attended = keys.attended;
  in.limits = keys.limits;
  return in;
}

/// What the mechanisms mean in terms of kernel policies. `run` calls body(score policy, aggregation policy);
/// `run_forward` may choose policies that have no backward.
template <class T>
struct mechanism_policy;

template <class T>
struct mechanism_policy<inhibitor_attention<T>> {
  using number = T;
  static bool all_keys(const inhibitor_attention<T>& m) { return m.options.center == centring::all_keys; }
  static void check_scalars(const inhibitor_attention<T>& m) {
    check(m.scalars.score_scale != nullptr && m.scalars.shift != nullptr && m.scalars.output_scale != nullptr,
          "attention: the inhibitor needs its score scale, shift and output scale of every head");
  }
  static kernels::weight_options<T> options(const inhibitor_attention<T>& m, index_t h, index_t head_size) {
    kernels::weight_options<T> o;
    o.scale = m.scalars.score_scale[h] / std::sqrt(static_cast<T>(head_size));
    o.shift = m.scalars.shift[h];
    o.output_scale = m.scalars.output_scale[h];
    o.centre = m.options.center != centring::none;
    o.centre_all = all_keys(m);
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
  using number = T;
  static bool all_keys(const dot_product_attention<T>&) { return false; }
  static void check_scalars(const dot_product_attention<T>&) {}
  static kernels::weight_options<T> options(const dot_product_attention<T>&, index_t, index_t head_size) {
    kernels::weight_options<T> o;
    o.scale = T(1) / std::sqrt(static_cast<T>(head_size));
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

/// Backward of any mechanism; partials (B, H, 3) receive the gradients of scale, shift and output_scale.
template <class Isa, class T, class Mechanism>
void attention_backward_heads(const heads_view<T>& dq, const heads_view<T>& dk, const heads_view<T>& dv,
                              const heads_view<const T>& dout, const heads_view<const T>& q,
                              const heads_view<const T>& k, const heads_view<const T>& v, const attention_shape& shape,
                              const attention_mask& mask, const Mechanism& mechanism, attention_workspace& workspace,
                              const executor& run) {
  using policy = mechanism_policy<Mechanism>;
  const bool no_queries = shape.batch * shape.heads * shape.queries == 0;
  const bool no_keys = shape.batch * shape.heads * shape.keys == 0;
  check_attention(shape, (no_queries || (q.data && dq.data)) && (no_keys || (k.data && dk.data)) &&
                             (no_keys || shape.value_size == 0 || (v.data && dv.data)) &&
                             (no_queries || shape.value_size == 0 || dout.data));
  policy::check_scalars(mechanism);
  policy::run(mechanism, [&](auto score, auto aggregate) {
    using score_policy = decltype(score);
    using aggregate_policy = decltype(aggregate);
    using scratch = kernels::backward_scratch<Isa, T, aggregate_policy>;
    const index_t selection = key_selection::bytes(shape);
    const scratch measured(nullptr, shape.queries, shape.keys, shape.head_size, shape.value_size);
    workspace.reserve(run.workers(), selection + measured.size * static_cast<index_t>(sizeof(T)),
                      3 * shape.batch * shape.heads);
    run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
      const index_t b = item / shape.heads, h = item % shape.heads;
      unsigned char* memory = workspace.block(worker);
      const key_selection keys(memory, shape, mask, b, policy::all_keys(mechanism));
      kernels::head_gradients<T> out;
      out.dq = head_or_null(dq, b, h);
      out.dq_stride = dq.row_stride;
      out.dk = head_or_null(dk, b, h);
      out.dk_stride = dk.row_stride;
      out.dv = head_or_null(dv, b, h);
      out.dv_stride = dv.row_stride;
      const auto d = kernels::attention_backward<Isa, T, score_policy, aggregate_policy>(
          out, head_or_null(dout, b, h), dout.row_stride, head_of<T>(q, k, v, shape, keys, b, h),
          policy::options(mechanism, h, shape.head_size), reinterpret_cast<T*>(memory + selection));
      double* partial = workspace.partials() + 3 * item;
      partial[0] = static_cast<double>(d.scale);
      partial[1] = static_cast<double>(d.shift);
      partial[2] = static_cast<double>(d.output_scale);
    });
  });
}

}  // namespace detail

/// Attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, H, D), v (B, S, H, Dv), out
/// (B, L, H, Dv); out may not overlap the inputs. Throws std::invalid_argument for negative extents, D = 0, null
/// pointers with extent and missing scalars; allocates only while `workspace` grows. The instruction set is that of the
/// compiler flags unless `Isa` says otherwise.
template <class T, class Mechanism, class Isa = best_isa>
void multi_head_attention_forward(heads_view<T> out, detail::input_heads<T> q, detail::input_heads<T> k,
                                  detail::input_heads<T> v, const attention_shape& shape, const attention_mask& mask,
                                  const Mechanism& mechanism, attention_workspace& workspace, const executor& run) {
  using policy = detail::mechanism_policy<Mechanism>;
  const bool no_queries = shape.batch * shape.heads * shape.queries == 0;
  const bool no_keys = shape.batch * shape.heads * shape.keys == 0;
  detail::check_attention(shape, (no_queries || (q.data && (out.data || shape.value_size == 0))) &&
                                     (no_keys || (k.data && (v.data || shape.value_size == 0))));
  policy::check_scalars(mechanism);
  policy::run_forward(mechanism, [&](auto score, auto aggregate) {
    using score_policy = decltype(score);
    using aggregate_policy = decltype(aggregate);
    const index_t selection = detail::key_selection::bytes(shape);
    const kernels::forward_scratch<Isa, T> measured(nullptr, shape.queries, shape.keys, shape.head_size,
                                                    shape.value_size);
    workspace.reserve(run.workers(), selection + measured.size * static_cast<index_t>(sizeof(T)), 0);
    run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
      const index_t b = item / shape.heads, h = item % shape.heads;
      unsigned char* memory = workspace.block(worker);
      const detail::key_selection keys(memory, shape, mask, b, policy::all_keys(mechanism));
      kernels::attention_forward<Isa, T, score_policy, aggregate_policy>(
          detail::head_or_null(out, b, h), out.row_stride, detail::head_of<T>(q, k, v, shape, keys, b, h),
          policy::options(mechanism, h, shape.head_size), reinterpret_cast<T*>(memory + selection));
    });
  });
}

/// Adds the gradients of <dout, out> of multi_head_attention_forward with the same arguments to dq, dk, dv (shapes of
/// q, k, v) and dscalars, (H) each; null members of dscalars are left out. Everything is recomputed from q, k, v.
/// Errors and allocation as in the forward pass.
template <class T, class Isa = best_isa>
void multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv, inhibitor_scalars<T> dscalars,
                                   detail::input_heads<T> dout, detail::input_heads<T> q, detail::input_heads<T> k,
                                   detail::input_heads<T> v, const attention_shape& shape, const attention_mask& mask,
                                   const inhibitor_attention<T>& mechanism, attention_workspace& workspace,
                                   const executor& run) {
  detail::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, workspace, run);
  const double inverse_root = 1.0 / std::sqrt(static_cast<double>(shape.head_size));
  for (index_t h = 0; h < shape.heads; ++h) {
    double sum[3] = {0, 0, 0};
    for (index_t b = 0; b < shape.batch; ++b) {
      for (int i = 0; i < 3; ++i) sum[i] += workspace.partials()[3 * (b * shape.heads + h) + i];
    }
    if (dscalars.score_scale != nullptr) dscalars.score_scale[h] += static_cast<T>(sum[0] * inverse_root);
    if (dscalars.shift != nullptr) dscalars.shift[h] += static_cast<T>(sum[1]);
    if (dscalars.output_scale != nullptr) dscalars.output_scale[h] += static_cast<T>(sum[2]);
  }
}

/// The same for the dot-product baseline.
template <class T, class Isa = best_isa>
void multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv, detail::input_heads<T> dout,
                                   detail::input_heads<T> q, detail::input_heads<T> k, detail::input_heads<T> v,
                                   const attention_shape& shape, const attention_mask& mask,
                                   const dot_product_attention<T>& mechanism, attention_workspace& workspace,
                                   const executor& run) {
  detail::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, workspace, run);
}

}  // namespace inhibitor
