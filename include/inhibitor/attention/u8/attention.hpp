// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8/raw.hpp"

// Inhibitor attention in bytes (inference): the calls of attention/u8/raw.hpp, which describes them, with scratch
// memory that grows on demand and std::invalid_argument for arguments that do not fit.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// Throws for the first value among the rows of a head that is not finite, if there is one.
inline void report_not_finite(const char* name, const kernels::float_rows& rows, index_t size, index_t b, index_t h) {
  for (index_t r = 0; r < rows.count; ++r) {
    for (index_t k = 0; k < size; ++k) {
      check(is_finite(kernels::row_of(rows, r)[k]), [&] {
        const index_t place = rows.order == nullptr ? r : rows.order[r];
        return format_message("u8 attention: %s is not finite at batch %td, row %td, head %td, feature %td", name, b,
                              place, h, k);
      });
    }
  }
}

/// u8_attention_heads with exceptions: memory from the workspace, and the position of a value that is not finite.
inline void u8_attention_checked(const u8_output& out, const heads_view<const float>& q,
                                 const heads_view<const float>& k, const heads_view<const float>& v,
                                 const attention_shape& shape, const attention_mask& mask,
                                 const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                                 const executor& run, const kernels::u8_table& table) {
  check_status("u8 attention", u8_forward_status(out, q, k, v, shape, mechanism), shape);
  unsigned char* memory = workspace.reserve(u8_layout(shape, run.workers()).total);
  const index_t item = u8_attention_heads(out, q, k, v, shape, mask, mechanism, memory, run, table);
  if (item == first_failure::none) return;
  const index_t b = item / shape.heads, h = item % shape.heads, kv_head = h / (shape.heads / shape.key_heads());
  const key_selection keys(memory, shape, mask, b, mechanism.options.center == centering::all_keys);
  const kernels::head_inputs<float> in = head_of<float>(q, k, v, shape, keys, b, h);
  report_not_finite("q", u8_sequence_queries(q, shape, b, h), shape.head_size, b, h);
  report_not_finite("k", u8_rows(in.k, in.k_stride, in.scored, in.order), shape.head_size, b, kv_head);
  report_not_finite("v", u8_rows(in.v, in.v_stride, in.attended, in.order), shape.value_size, b, kv_head);
}

}  // namespace driver

namespace u8 {

/// u8 attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv,
/// Dv), out (B, L, H, Dv); out may not overlap the inputs. Throws std::invalid_argument for extents that mean nothing
/// or exceed the limits of attention/u8/raw.hpp, null pointers with extent, missing scalars, and, with its position,
/// for a query, an attended key or a value that is not finite (out is then unspecified); allocates only while
/// `workspace` grows. The instruction set is that of the compiler flags unless `Isa` says otherwise.
template <class Isa = default_isa>
void multi_head_attention_forward(heads_view<float> out, heads_view<const float> q, heads_view<const float> k,
                                  heads_view<const float> v, const attention_shape& shape, const attention_mask& mask,
                                  const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                                  const executor& run) {
  driver::u8_attention_checked(driver::u8_floats(out), q, k, v, shape, mask, mechanism, workspace, run,
                               kernels::u8_kernels<Isa>());
}

/// The same with integer output: the attention is out * scales[b * H + h], scales (B, H). Length normalization is left
/// to the caller.
template <class Isa = default_isa>
void multi_head_attention_forward_integers(heads_view<std::int32_t> out, float* scales, heads_view<const float> q,
                                           heads_view<const float> k, heads_view<const float> v,
                                           const attention_shape& shape, const attention_mask& mask,
                                           const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                                           const executor& run) {
  driver::u8_attention_checked(driver::u8_integers(out, scales), q, k, v, shape, mask, mechanism, workspace, run,
                               kernels::u8_kernels<Isa>());
}

}  // namespace u8
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
