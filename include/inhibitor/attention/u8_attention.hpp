// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/u8_head.hpp"

// Inhibitor attention in bytes (inference). Q and K of a head are rounded to bytes with one common step, V to a
// magnitude byte and a sign with another; distances, thresholds and sums are integers, so the same input gives the same
// bits on every instruction set and for any number of threads. Definition and masks as in multi_head.hpp; the output
// differs from the float one by the rounding of the inputs (about 1.5 to 3 % on Gaussian data).
//
// Every value must be finite; a value that is not is reported with its position. Magnitudes below 1e-30 count as 0.
// Limits: D <= 257 (a distance has 16 bits), Dv <= 1024, S <= 8,000,000 (sums have 32 bits).

namespace inhibitor {

namespace detail {

/// All heads from floats.
inline void u8_attention_heads(const u8_output& out, const heads_view<const float>& q, const heads_view<const float>& k,
                               const heads_view<const float>& v, const attention_shape& shape,
                               const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                               const u8_options& options, attention_workspace& workspace, const executor& run,
                               const kernels::u8_table& table) {
  const bool no_queries = shape.batch * shape.heads * shape.queries == 0;
  const bool no_keys = shape.batch * shape.heads * shape.keys == 0;
  check_u8(shape, (no_queries || (q.data && (has_u8_output(out) || shape.value_size == 0))) &&
                      (no_keys || (k.data && (v.data || shape.value_size == 0))));
  check_u8_scalars(mechanism, shape.heads);
  if (no_queries || shape.value_size == 0) return;

  const index_t selection = key_selection::bytes(shape);
  const index_t packed = u8_head_memory::bytes(shape.keys, shape.head_size, shape.value_size);
  const index_t scratch = kernels::u8_scratch_bytes(shape.keys, shape.head_size, shape.value_size);
  workspace.reserve(run.workers(), selection + packed + scratch, 0);
  const bool all_keys = mechanism.options.center == centring::all_keys;
  first_failure failure;
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    unsigned char* block = workspace.block(worker);
    const key_selection keys(block, shape, mask, b, all_keys);
    const u8_head_memory memory(block + selection, keys.scored, shape.head_size, shape.value_size);
    const kernels::float_rows key_rows = selected_rows(k, keys, b, h, keys.scored);
    const kernels::float_rows value_rows = selected_rows(v, keys, b, h, keys.attended);
    const std::uint32_t largest_query = table.largest_magnitude(head_rows(q, b, h, shape.queries), shape.head_size);
    const std::uint32_t largest_key = table.largest_magnitude(key_rows, shape.head_size);
    const float largest = float_of_bits(largest_query > largest_key ? largest_query : largest_key);
    const float largest_value = float_of_bits(table.largest_magnitude(value_rows, shape.value_size));
    if (!std::isfinite(largest) || !std::isfinite(largest_value)) {
      failure.note(item);
      return;
    }
    const u8_steps steps(largest, largest_value);
    pack_u8_head(memory, key_rows, value_rows, steps, shape, mechanism.options.is_signed, table);
    table.attention_head(
        u8_call_of(out, q, steps, memory, shape, keys, mechanism, options, b, h, true, block + selection + packed));
  });
  if (failure.any()) {
    const index_t b = failure.item() / shape.heads, h = failure.item() % shape.heads;
    const key_selection keys(workspace.block(0), shape, mask, b, all_keys);
    report_not_finite("q", head_rows(q, b, h, shape.queries), shape.head_size, b, h);
    report_not_finite("k", selected_rows(k, keys, b, h, keys.scored), shape.head_size, b, h);
    report_not_finite("v", selected_rows(v, keys, b, h, keys.attended), shape.value_size, b, h);
  }
}

}  // namespace detail

/// u8 attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, H, D), v (B, S, H, Dv),
/// out (B, L, H, Dv); out may not overlap the inputs. Throws std::invalid_argument for extents beyond the limits above,
/// null pointers with extent, missing scalars, and for a query, an attended key or a value that is not finite (out is
/// then unspecified); allocates only while `workspace` grows. The instruction set is that of the compiler flags unless
/// `Isa` says otherwise.
template <class Isa = best_isa>
void u8_attention_forward(heads_view<float> out, heads_view<const float> q, heads_view<const float> k,
                          heads_view<const float> v, const attention_shape& shape, const attention_mask& mask,
                          const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                          const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.floats = out;
  detail::u8_attention_heads(output, q, k, v, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

/// The same with integer output: the attention is out * scales[b * H + h], scales (B, H). Length normalisation is left
/// to the caller.
template <class Isa = best_isa>
void u8_attention_forward(heads_view<std::int32_t> out, float* scales, heads_view<const float> q,
                          heads_view<const float> k, heads_view<const float> v, const attention_shape& shape,
                          const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                          attention_workspace& workspace, const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.integers = out;
  output.scales = scales;
  detail::u8_attention_heads(output, q, k, v, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

}  // namespace inhibitor
