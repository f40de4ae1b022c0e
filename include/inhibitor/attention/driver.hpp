// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/attention/mechanism.hpp"
#include "inhibitor/attention/selection.hpp"
#include "inhibitor/attention/status.hpp"
#include "inhibitor/base/executor.hpp"

// What every float attention call does once its arguments are known: check them, cut the memory, run the kernel of
// every head. The calls themselves are in attention/raw.hpp, multi_head.hpp and kv_cache.hpp. Nothing is allocated and
// nothing is thrown. Work items are the (b, h) pairs (backward: b and key/value head), each computed by one worker from
// start to end, so results do not depend on the executor.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// How a call cuts its memory: a block per worker, holding a key_selection and the kernels' scratch, then the sums of
/// the backward pass.
struct call_layout {
  index_t selection = 0, block = 0, workers = 0, total = 0;

  call_layout() = default;
  call_layout(const attention_shape& s, index_t worker_count, index_t scratch_bytes, index_t partials)
      : selection(key_selection::bytes(s)),
        block(selection + round_up(scratch_bytes, 64)),
        workers(worker_count),
        total(workers * block + partials * static_cast<index_t>(sizeof(double))) {}

  double* partials(unsigned char* memory) const { return reinterpret_cast<double*>(memory + workers * block); }
};

template <class Isa, class T>
call_layout forward_layout(const attention_shape& s, index_t workers) {
  const index_t numbers = kernels::layout_kernels<Isa, T>().forward_size(s.queries, s.keys, s.head_size, s.value_size);
  return {s, workers, numbers * static_cast<index_t>(sizeof(T)), 0};
}

template <class Isa, class T>
call_layout backward_layout(const attention_shape& s, index_t workers) {
  const index_t numbers = kernels::layout_kernels<Isa, T>().backward_size(s.queries, s.keys, s.head_size, s.value_size);
  return {s, workers, numbers * static_cast<index_t>(sizeof(T)), 3 * s.batch * s.heads};
}

/// The first 64-byte boundary of the caller's memory, which sizes leave room for.
inline constexpr index_t workspace_slack = 63;
inline unsigned char* aligned_start(void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  return static_cast<unsigned char*>(memory) + ((64 - address % 64) % 64);
}
inline attention_status workspace_status(const void* memory, index_t bytes, index_t needed) {
  if (bytes < needed + workspace_slack) return attention_status::workspace_too_small;
  return memory != nullptr ? attention_status::ok : attention_status::null_pointer;
}

template <class T, class Mechanism>
attention_status forward_status(const heads_view<T>& out, const heads_view<const T>& q, const heads_view<const T>& k,
                                const heads_view<const T>& v, const attention_shape& s, const Mechanism& mechanism) {
  const attention_status status = shape_status(s);
  if (status != attention_status::ok) return status;
  const bool complete = (q.data != nullptr || !has_queries(s)) && (k.data != nullptr || !has_keys(s)) &&
                        (v.data != nullptr || !has_values(s)) && (out.data != nullptr || !has_outputs(s));
  if (!complete) return attention_status::null_pointer;
  const bool scalars = s.heads == 0 || mechanism_policy<Mechanism>::has_scalars(mechanism);
  return scalars ? attention_status::ok : attention_status::missing_scalars;
}

template <class T, class Mechanism>
attention_status backward_status(const heads_view<T>& dq, const heads_view<T>& dk, const heads_view<T>& dv,
                                 const heads_view<const T>& dout, const heads_view<const T>& q,
                                 const heads_view<const T>& k, const heads_view<const T>& v, const attention_shape& s,
                                 const Mechanism& mechanism) {
  const attention_status status = forward_status<T>(dq, q, k, v, s, mechanism);
  if (status != attention_status::ok) return status;
  const bool complete = (dq.data != nullptr || !has_queries(s)) && (dk.data != nullptr || !has_keys(s)) &&
                        (dv.data != nullptr || !has_values(s)) && (dout.data != nullptr || !has_outputs(s));
  return complete ? attention_status::ok : attention_status::null_pointer;
}

/// The kernel of a mechanism.
template <class Isa, class T, class Mechanism>
boundary::forward_kernel<T> forward_kernel_of(const Mechanism& mechanism) {
  boundary::forward_kernel<T> kernel = nullptr;
  mechanism_policy<Mechanism>::run_forward(mechanism, [&](auto score, auto aggregate) {
    kernel = kernels::forward_kernel<Isa, T, decltype(score), decltype(aggregate)>();
  });
  return kernel;
}
template <class Isa, class T, class Mechanism>
boundary::backward_kernel<T> backward_kernel_of(const Mechanism& mechanism) {
  boundary::backward_kernel<T> kernel = nullptr;
  mechanism_policy<Mechanism>::run(mechanism, [&](auto score, auto aggregate) {
    kernel = kernels::backward_kernel<Isa, T, decltype(score), decltype(aggregate)>();
  });
  return kernel;
}

/// Forward of checked arguments in memory laid out by forward_layout.
template <class Isa, class T, class Mechanism>
void attention_forward_heads(const heads_view<T>& out, const heads_view<const T>& q, const heads_view<const T>& k,
                             const heads_view<const T>& v, const attention_shape& shape, const attention_mask& mask,
                             const Mechanism& mechanism, unsigned char* memory, const executor& run) {
  using policy = mechanism_policy<Mechanism>;
  const call_layout layout = forward_layout<Isa, T>(shape, run.workers());
  const auto kernel = forward_kernel_of<Isa, T>(mechanism);
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    unsigned char* block = memory + worker * layout.block;
    const key_selection keys(block, shape, mask, b, policy::all_keys(mechanism));
    T* rows = sequence_head(out, shape.query_starts, b, h);
    if (rows != nullptr) rows += keys.first * out.row_stride;
    kernel(rows, out.row_stride, head_of<T>(q, k, v, shape, keys, b, h), policy::options(mechanism, h, shape.head_size),
           reinterpret_cast<T*>(block + layout.selection));
  });
}

/// Backward of checked arguments in memory laid out by backward_layout, whose partials (B, H, 3) receive the gradients
/// of scale, shift and output_scale. A work item is a key/value head: it adds up the query heads of its group in order.
template <class Isa, class T, class Mechanism>
void attention_backward_heads(const heads_view<T>& dq, const heads_view<T>& dk, const heads_view<T>& dv,
                              const heads_view<const T>& dout, const heads_view<const T>& q,
                              const heads_view<const T>& k, const heads_view<const T>& v, const attention_shape& shape,
                              const attention_mask& mask, const Mechanism& mechanism, unsigned char* memory,
                              const executor& run) {
  using policy = mechanism_policy<Mechanism>;
  const call_layout layout = backward_layout<Isa, T>(shape, run.workers());
  double* partials = layout.partials(memory);
  const index_t kv_heads = shape.key_heads(), group = kv_heads > 0 ? shape.heads / kv_heads : 0;
  const auto kernel = backward_kernel_of<Isa, T>(mechanism);
  run.for_each(shape.batch * kv_heads, [&](index_t item, index_t worker) {
    const index_t b = item / kv_heads, kv_head = item % kv_heads;
    unsigned char* block = memory + worker * layout.block;
    const key_selection keys(block, shape, mask, b, policy::all_keys(mechanism));
    kernels::head_gradients<T> out{};
    out.dq_stride = dq.row_stride;
    out.dk = sequence_head(dk, shape.key_starts, b, kv_head);
    out.dk_stride = dk.row_stride;
    out.dv = sequence_head(dv, shape.key_starts, b, kv_head);
    out.dv_stride = dv.row_stride;
    for (index_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      out.dq = sequence_head(dq, shape.query_starts, b, h);
      if (out.dq != nullptr) out.dq += keys.first * dq.row_stride;
      const T* g = sequence_head(dout, shape.query_starts, b, h);
      if (g != nullptr) g += keys.first * dout.row_stride;
      const auto d =
          kernel(out, g, dout.row_stride, head_of<T>(q, k, v, shape, keys, b, h),
                 policy::options(mechanism, h, shape.head_size), reinterpret_cast<T*>(block + layout.selection));
      double* partial = partials + 3 * (b * shape.heads + h);
      partial[0] = static_cast<double>(d.scale);
      partial[1] = static_cast<double>(d.shift);
      partial[2] = static_cast<double>(d.output_scale);
    }
  });
}

/// Adds the partials (B, H, 3) of a backward pass to the gradients of the scalars, batch items in order.
template <class T>
void add_scalar_gradients(const inhibitor_scalars<T>& dscalars, const double* partials, const attention_shape& shape) {
  const double inverse_root = 1.0 / square_root(static_cast<double>(shape.head_size));
  for (index_t h = 0; h < shape.heads; ++h) {
    double sum[3] = {0, 0, 0};
    for (index_t b = 0; b < shape.batch; ++b) {
      for (int i = 0; i < 3; ++i) sum[i] += partials[3 * (b * shape.heads + h) + i];
    }
    if (dscalars.score_scale != nullptr) dscalars.score_scale[h] += static_cast<T>(sum[0] * inverse_root);
    if (dscalars.shift != nullptr) dscalars.shift[h] += static_cast<T>(sum[1]);
    if (dscalars.output_scale != nullptr) dscalars.output_scale[h] += static_cast<T>(sum[2]);
  }
}

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
