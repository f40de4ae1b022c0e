// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include "inhibitor/attention/mechanism.hpp"
#include "inhibitor/attention/selection.hpp"
#include "inhibitor/attention/status.hpp"
#include "inhibitor/base/executor.hpp"

// Multi-head attention for engines: pointers, strides, the caller's memory, a status instead of exceptions.
//
//   const index_t bytes = attention_workspace_size<float>(shape, workers.workers());
//   attention_status s = multi_head_attention_forward<float>(out, q, k, v, shape, mask, mechanism, memory, bytes,
//   workers);
//
// Nothing is allocated and nothing is thrown; this header compiles with -fno-exceptions -fno-rtti.
// attention/multi_head.hpp has the same calls with a growing workspace and exceptions. Work items are the (b, h) pairs
// (backward: b and key/value head), each computed by one worker from start to end, so results do not depend on the
// executor.
//
// Definition: reference/attention.hpp. Masked keys contribute exactly 0; a query without keys gives zeros and receives
// zero gradients; NaN and infinities reach the rows that use them, and under a boolean mask every query of the head.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

enum class attention_pass { forward, backward };

namespace detail {

/// heads_view<const T> that template deduction leaves alone, so that a heads_view<T> converts to it.
template <class T>
using input_heads = std::common_type_t<heads_view<const T>>;

/// How a call cuts its memory: a block per worker, holding a key_selection and the kernels' scratch, then the sums of
/// the backward pass.
struct call_layout {
  index_t selection = 0, block = 0, workers = 0, total = 0;

  call_layout() = default;
  call_layout(const attention_shape& s, index_t worker_count, index_t scratch_bytes, index_t partials)
      : selection(key_selection::bytes(s)),
        block(selection + kernels::round_up(scratch_bytes, 64)),
        workers(worker_count),
        total(workers * block + partials * static_cast<index_t>(sizeof(double))) {}

  double* partials(unsigned char* memory) const { return reinterpret_cast<double*>(memory + workers * block); }
};

template <class Isa, class T>
call_layout forward_layout(const attention_shape& s, index_t workers) {
  const kernels::forward_scratch<Isa, T> scratch(nullptr, s.queries, s.keys, s.head_size, s.value_size);
  return {s, workers, scratch.size * static_cast<index_t>(sizeof(T)), 0};
}

/// Of the aggregation with the most scratch.
template <class Isa, class T>
call_layout backward_layout(const attention_shape& s, index_t workers) {
  const kernels::backward_scratch<Isa, T, kernels::signed_relu> scratch(nullptr, s.queries, s.keys, s.head_size,
                                                                        s.value_size);
  return {s, workers, scratch.size * static_cast<index_t>(sizeof(T)), 3 * s.batch * s.heads};
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

/// Forward of checked arguments in memory laid out by forward_layout.
template <class Isa, class T, class Mechanism>
void attention_forward_heads(const heads_view<T>& out, const heads_view<const T>& q, const heads_view<const T>& k,
                             const heads_view<const T>& v, const attention_shape& shape, const attention_mask& mask,
                             const Mechanism& mechanism, unsigned char* memory, const executor& run) {
  using policy = mechanism_policy<Mechanism>;
  const call_layout layout = forward_layout<Isa, T>(shape, run.workers());
  policy::run_forward(mechanism, [&](auto score, auto aggregate) {
    run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
      const index_t b = item / shape.heads, h = item % shape.heads;
      unsigned char* block = memory + worker * layout.block;
      const key_selection keys(block, shape, mask, b, policy::all_keys(mechanism));
      T* rows = sequence_head(out, shape.query_starts, b, h);
      if (rows != nullptr) rows += keys.first * out.row_stride;
      kernels::attention_forward<Isa, T, decltype(score), decltype(aggregate)>(
          rows, out.row_stride, head_of<T>(q, k, v, shape, keys, b, h), policy::options(mechanism, h, shape.head_size),
          reinterpret_cast<T*>(block + layout.selection));
    });
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
  policy::run(mechanism, [&](auto score, auto aggregate) {
    run.for_each(shape.batch * kv_heads, [&](index_t item, index_t worker) {
      const index_t b = item / kv_heads, kv_head = item % kv_heads;
      unsigned char* block = memory + worker * layout.block;
      const key_selection keys(block, shape, mask, b, policy::all_keys(mechanism));
      kernels::head_gradients<T> out;
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
        const auto d = kernels::attention_backward<Isa, T, decltype(score), decltype(aggregate)>(
            out, g, dout.row_stride, head_of<T>(q, k, v, shape, keys, b, h),
            policy::options(mechanism, h, shape.head_size), reinterpret_cast<T*>(block + layout.selection));
        double* partial = partials + 3 * (b * shape.heads + h);
        partial[0] = static_cast<double>(d.scale);
        partial[1] = static_cast<double>(d.shift);
        partial[2] = static_cast<double>(d.output_scale);
      }
    });
  });
}

/// Adds the partials (B, H, 3) of a backward pass to the gradients of the scalars, batch items in order.
template <class T>
void add_scalar_gradients(const inhibitor_scalars<T>& dscalars, const double* partials, const attention_shape& shape) {
  const double inverse_root = 1.0 / std::sqrt(static_cast<double>(shape.head_size));
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

}  // namespace detail

/// Bytes of workspace that a call of this shape needs, whatever its masks, mechanism and row range. 0 for a shape that
/// the call would refuse.
template <class T, class Isa = best_isa>
index_t attention_workspace_size(const attention_shape& shape, index_t workers,
                                 attention_pass pass = attention_pass::forward) noexcept {
  if (detail::shape_status(shape) != attention_status::ok || workers < 1) return 0;
  const bool forward = pass == attention_pass::forward;
  return (forward ? detail::forward_layout<Isa, T>(shape, workers) : detail::backward_layout<Isa, T>(shape, workers))
             .total +
         detail::workspace_slack;
}

/// Attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv, Dv),
/// out (B, L, H, Dv); out may not overlap the inputs. `workspace` has `workspace_bytes` bytes at any address, at least
/// attention_workspace_size(shape, run.workers()). Returns what is wrong with the arguments, in which case out is
/// untouched, or ok. Neither allocates nor throws; an executor that throws ends the program.
template <class T, class Mechanism, class Isa = best_isa>
attention_status multi_head_attention_forward(heads_view<T> out, detail::input_heads<T> q, detail::input_heads<T> k,
                                              detail::input_heads<T> v, const attention_shape& shape,
                                              const attention_mask& mask, const Mechanism& mechanism, void* workspace,
                                              index_t workspace_bytes, const executor& run) noexcept {
  attention_status status = detail::forward_status<T>(out, q, k, v, shape, mechanism);
  if (status != attention_status::ok) return status;
  const index_t needed = detail::forward_layout<Isa, T>(shape, run.workers()).total;
  status = detail::workspace_status(workspace, workspace_bytes, needed);
  if (status != attention_status::ok) return status;
  detail::attention_forward_heads<Isa, T>(out, q, k, v, shape, mask, mechanism, detail::aligned_start(workspace), run);
  return attention_status::ok;
}

/// Adds the gradients of <dout, out> of multi_head_attention_forward with the same arguments to dq, dk, dv (shapes of
/// q, k, v) and dscalars, (H) each; null members of dscalars are left out, and dot_product_attention has none.
/// Everything is recomputed from q, k, v. Of grouped heads, dk and dv are summed over the group in its order. Workspace
/// and errors as in the forward pass, sizes with attention_pass::backward.
template <class T, class Mechanism, class Isa = best_isa>
attention_status multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv,
                                               inhibitor_scalars<T> dscalars, detail::input_heads<T> dout,
                                               detail::input_heads<T> q, detail::input_heads<T> k,
                                               detail::input_heads<T> v, const attention_shape& shape,
                                               const attention_mask& mask, const Mechanism& mechanism, void* workspace,
                                               index_t workspace_bytes, const executor& run) noexcept {
  attention_status status = detail::backward_status<T>(dq, dk, dv, dout, q, k, v, shape, mechanism);
  if (status != attention_status::ok) return status;
  const detail::call_layout layout = detail::backward_layout<Isa, T>(shape, run.workers());
  status = detail::workspace_status(workspace, workspace_bytes, layout.total);
  if (status != attention_status::ok) return status;
  unsigned char* memory = detail::aligned_start(workspace);
  detail::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, memory, run);
  if constexpr (std::is_same_v<Mechanism, inhibitor_attention<T>>) {
    detail::add_scalar_gradients(dscalars, layout.partials(memory), shape);
  }
  return attention_status::ok;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
