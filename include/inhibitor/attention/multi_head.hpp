// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/raw.hpp"
#include "inhibitor/attention/workspace.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/message.hpp"

// Multi-head attention on raw pointers and strides, for every mechanism: inhibitor (the product) and dot product (the
// baseline). The calls of attention/raw.hpp, where masks, threads and non-finite values are described, with scratch
// memory that grows on demand and std::invalid_argument for arguments that do not fit.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// Throws std::invalid_argument, with the extents, unless `status` is ok.
inline void check_status(const char* function, attention_status status, const attention_shape& s) {
  check(status == attention_status::ok, [&] {
    char kv_heads[48] = "";
    if (s.kv_heads != 0) std::snprintf(kv_heads, sizeof(kv_heads), ", key/value heads %td", s.kv_heads);
    return format_message("%s: %s; got B %td, H %td, L %td, S %td, D %td, Dv %td%s", function, describe(status),
                          s.batch, s.heads, s.queries, s.keys, s.head_size, s.value_size, kv_heads);
  });
}

}  // namespace driver

/// Attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv, Dv),
/// out (B, L, H, Dv); out may not overlap the inputs. Throws std::invalid_argument for extents that mean nothing, null
/// pointers with extent and missing scalars; allocates only while `workspace` grows. The instruction set is that of
/// the compiler flags, or chosen at run time where variants were compiled (active_isa), unless `Isa` says otherwise.
template <class T, class Mechanism, class Isa = default_isa>
void multi_head_attention_forward(heads_view<T> out, input_heads<T> q, input_heads<T> k, input_heads<T> v,
                                  const attention_shape& shape, const attention_mask& mask, const Mechanism& mechanism,
                                  attention_workspace& workspace, const executor& run) {
  driver::check_status("attention", driver::forward_status<T>(out, q, k, v, shape, mechanism), shape);
  unsigned char* memory = workspace.reserve(driver::forward_layout<Isa, T>(shape, run.workers()).total);
  driver::attention_forward_heads<Isa, T>(out, q, k, v, shape, mask, mechanism, memory, run);
}

/// Adds the gradients of <dout, out> of multi_head_attention_forward with the same arguments to dq, dk, dv (shapes of
/// q, k, v) and dscalars, (H) each; null members of dscalars are left out. Everything is recomputed from q, k, v. Of
/// grouped heads, dk and dv are summed over the group in its order. Errors and allocation as in the forward pass.
template <class T, class Isa = default_isa>
void multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv, inhibitor_scalars<T> dscalars,
                                   input_heads<T> dout, input_heads<T> q, input_heads<T> k, input_heads<T> v,
                                   const attention_shape& shape, const attention_mask& mask,
                                   const inhibitor_attention<T>& mechanism, attention_workspace& workspace,
                                   const executor& run) {
  const auto status = driver::backward_status<T>(dq, dk, dv, dout, q, k, v, shape, mechanism);
  driver::check_status("attention", status, shape);
  const driver::call_layout layout = driver::backward_layout<Isa, T>(shape, run.workers());
  unsigned char* memory = workspace.reserve(layout.total);
  driver::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, memory, run);
  driver::add_scalar_gradients(dscalars, layout.partials(memory), shape);
}

/// The same for the dot-product baseline.
template <class T, class Isa = default_isa>
void multi_head_attention_backward(heads_view<T> dq, heads_view<T> dk, heads_view<T> dv, input_heads<T> dout,
                                   input_heads<T> q, input_heads<T> k, input_heads<T> v, const attention_shape& shape,
                                   const attention_mask& mask, const dot_product_attention<T>& mechanism,
                                   attention_workspace& workspace, const executor& run) {
  const auto status = driver::backward_status<T>(dq, dk, dv, dout, q, k, v, shape, mechanism);
  driver::check_status("attention", status, shape);
  unsigned char* memory = workspace.reserve(driver::backward_layout<Isa, T>(shape, run.workers()).total);
  driver::attention_backward_heads<Isa, T>(dq, dk, dv, dout, q, k, v, shape, mask, mechanism, memory, run);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
