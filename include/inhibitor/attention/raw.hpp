// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/driver.hpp"

// Multi-head attention for engines: pointers, strides, the caller's memory, a status instead of exceptions.
//
//   const index_t bytes = attention_workspace_size<float>(shape, workers.workers());
//   attention_status s = try_multi_head_attention_forward<float>(out, q, k, v, shape, mask, mechanism, memory, bytes,
//   workers);
//
// Nothing is allocated and nothing is thrown; this header compiles with -fno-exceptions -fno-rtti. The same calls
// without the prefix, in attention/multi_head.hpp, have a growing workspace and exceptions.
//
// Definition: reference/attention.hpp. Masked keys contribute exactly 0; a query without keys gives zeros and receives
// zero gradients; NaN and infinities reach the rows that use them, and under a boolean mask every query of the head.
// Results do not depend on the executor.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

enum class attention_pass { forward, backward };

/// Bytes of workspace that a call of this shape needs, whatever its masks, mechanism and row range. 0 for a shape that
/// the call would refuse.
template <class T, class Isa = default_isa>
index_t attention_workspace_size(const attention_shape& shape, index_t workers,
                                 attention_pass pass = attention_pass::forward) noexcept {
  if (driver::shape_status(shape) != attention_status::ok || workers < 1) return 0;
  const bool forward = pass == attention_pass::forward;
  return (forward ? driver::forward_layout<Isa, T>(shape, workers) : driver::backward_layout<Isa, T>(shape, workers))
             .total +
         driver::workspace_slack;
}

/// Attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv, Dv),
/// out (B, L, H, Dv); out may not overlap the inputs. `workspace` has `workspace_bytes` bytes at any address, at least
/// attention_workspace_size(shape, run.workers()). Returns what is wrong with the arguments, in which case out is
/// untouched, or ok. Neither allocates nor throws; an executor that throws ends the program.
template <class T, class Mechanism, class Isa = default_isa>
attention_status try_multi_head_attention_forward(heads_view<T> out, input_heads<T> q, input_heads<T> k,
                                                  input_heads<T> v, const attention_shape& shape,
                                                  const attention_mask& mask, const Mechanism& mechanism,
                                                  void* workspace, index_t workspace_bytes,
                                                  const executor& run) noexcept {
  attention_status status = driver::forward_status<T>(out, q, k, v, shape, mechanism);
  if (status != attention_status::ok) return status;
  const index_t needed = driver::forward_layout<Isa, T>(shape, run.workers()).total;
  status = driver::workspace_status(workspace, workspace_bytes, needed);
  if (status != attention_status::ok) return status;
  driver::attention_forward_heads<Isa, T>(out, q, k, v, shape, mask, mechanism, driver::aligned_start(workspace), run);
  return attention_status::ok;
}

/// Adds the gradients of <dout, out> of try_multi_head_attention_forward with the same arguments to dq, dk, dv (shapes
/// of q, k, v) and dscalars, (H) each; null members of dscalars are left out, and dot_product_attention has none.
/// Everything is recomputed from q, k, v. Of grouped heads, dk and dv are summed over the group in its order. Workspace
/// and errors as in the forward pass, sizes with attention_pass::backward.
template <class T, class Mechanism, class Isa = default_isa>
attention_status try_multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv,
                                                   inhibitor_scalars<T> dscalars, input_heads<T> dout, input_heads<T> q,
                                                   input_heads<T> k, input_heads<T> v, const attention_shape& shape,
                                                   const attention_mask& mask, const Mechanism& mechanism,
                                                   void* workspace, index_t workspace_bytes,
                                                   const executor& run) noexcept {
  attention_status status = driver::backward_status<T>(dq, dk, dv, dout, q, k, v, shape, mechanism);
  if (status != attention_status::ok) return status;
  const driver::call_layout layout = driver::backward_layout<Isa, T>(shape, run.workers());
  status = driver::workspace_status(workspace, workspace_bytes, layout.total);
  if (status != attention_status::ok) return status;
  unsigned char* memory = driver::aligned_start(workspace);
  driver::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, memory, run);
  if constexpr (std::is_same_v<Mechanism, inhibitor_attention<T>>) {
    driver::add_scalar_gradients(dscalars, layout.partials(memory), shape);
  }
  return attention_status::ok;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
