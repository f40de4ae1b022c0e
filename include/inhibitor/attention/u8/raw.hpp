// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/u8/head.hpp"

// Inhibitor attention in bytes (inference). Q and K of a head are rounded to bytes with one common step, V to a
// magnitude byte and a sign with another; distances, thresholds and sums are integers, so the same input gives the same
// bits on every instruction set and for any number of threads. Definition, masks, grouped heads and packed batches as
// in attention/raw.hpp; the output differs from the float one by the rounding of the inputs (about 1.5 to 3 % on
// Gaussian data).
//
// Every value that takes part must be finite. Magnitudes below 1e-30 count as 0.
// Limits: D <= 257 (a distance has 16 bits), Dv <= 1024, S <= 8,000,000 (sums have 32 bits).
// inhibitor_options::skip_inhibited leaves out quads of keys that are fully inhibited, at no change of the result.
//
// Calls in the caller's memory that return a status; nothing is allocated or thrown, and the header compiles with
// -fno-exceptions -fno-rtti. With a growing workspace and exceptions: attention/u8/attention.hpp.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

inline index_t u8_packed_bytes(const attention_shape& s) {
  return round_up(u8_head_memory::bytes(s.keys, s.head_size, s.value_size), 64);
}

/// A block of memory per worker: selection, packed keys and values, scratch of the kernel.
inline call_layout u8_layout(const attention_shape& s, index_t workers) {
  return {s, workers, u8_packed_bytes(s) + kernels::u8_scratch_bytes(s.keys, s.head_size, s.value_size), 0};
}

inline attention_status u8_forward_status(const u8_output& out, const heads_view<const float>& q,
                                          const heads_view<const float>& k, const heads_view<const float>& v,
                                          const attention_shape& s, const inhibitor_attention<float>& mechanism) {
  const attention_status status = u8_status(s, mechanism);
  if (status != attention_status::ok) return status;
  const bool complete = (q.data != nullptr || !has_queries(s)) && (k.data != nullptr || !has_keys(s)) &&
                        (v.data != nullptr || !has_values(s)) && (out.complete() || !has_outputs(s));
  return complete ? attention_status::ok : attention_status::null_pointer;
}

/// All heads of checked arguments in memory laid out by u8_layout. Returns the first work item (b, h) with a value that
/// is not finite, or first_failure::none.
inline index_t u8_attention_heads(const u8_output& out, const heads_view<const float>& q,
                                  const heads_view<const float>& k, const heads_view<const float>& v,
                                  const attention_shape& shape, const attention_mask& mask,
                                  const inhibitor_attention<float>& mechanism, unsigned char* memory,
                                  const executor& run, const kernels::u8_table& table) {
  first_failure failure;
  if (!has_outputs(shape)) return failure.item();
  const call_layout layout = u8_layout(shape, run.workers());
  const index_t items = shape.batch * shape.heads;
  const bool all_keys = mechanism.options.center == centering::all_keys;
  // Up to 4 MiB of input the arrays are still in the second cache when their turn comes; fetching them costs a
  // twentieth.
  const index_t floats = (shape.queries + shape.keys) * (shape.head_size + shape.value_size);
  const bool exceeds_cache = items * floats > index_t{1} << 20;
  run.for_each(items, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    unsigned char* block = memory + worker * layout.block;
    const key_selection keys(block, shape, mask, b, all_keys);
    kernels::head_inputs<float> in = head_of<float>(q, k, v, shape, keys, b, h);
    const u8_head_memory packed(block + layout.selection, in.scored, shape.head_size, shape.value_size);
    const float range = u8_largest(u8_sequence_queries(q, shape, b, h), shape.head_size, table);
    unsigned char* scratch = block + layout.selection + u8_packed_bytes(shape);
    // The order of keys is free where every query sees the same ones. Below a few tiles it is not worth its time.
    const bool reorder = mechanism.options.skip_inhibited && !mask.causal && in.attend == nullptr && in.queries >= 64 &&
                         in.attended >= 64;
    for (index_t j = 0; j < in.attended && reorder && keys.identity; ++j) keys.order[j] = j;
    u8_steps steps;
    if (!u8_pack_head(packed, steps, in, range, mechanism.options.is_signed, table, reorder ? keys.order : nullptr,
                      scratch)) {
      failure.note(item);
      return;
    }
    kernels::u8_head_call call = u8_call_of(out, in, steps, packed, shape, keys, mechanism, b, h, scratch);
    call.queries_in_range = true;
    const index_t next = item + run.workers();
    if (exceeds_cache && next < items) {
      const index_t next_b = next / shape.heads, next_h = next % shape.heads;
      const index_t next_kv_head = next_h / (shape.heads / shape.key_heads());
      const index_t next_keys = sequence_length(shape.key_starts, next_b, shape.keys);
      call.next[0] = u8_sequence_queries(q, shape, next_b, next_h);
      call.next[1] = u8_rows(sequence_head(k, shape.key_starts, next_b, next_kv_head), k.row_stride, next_keys);
      call.next[2] = u8_rows(sequence_head(v, shape.key_starts, next_b, next_kv_head), v.row_stride, next_keys);
    }
    table.attention_head(call);
  });
  return failure.item();
}

inline u8_output u8_floats(const heads_view<float>& out) {
  u8_output output;
  output.floats = out;
  return output;
}
inline u8_output u8_integers(const heads_view<std::int32_t>& out, float* scales) {
  u8_output output;
  output.integers = out;
  output.scales = scales;
  return output;
}

inline attention_status u8_attention_status(const u8_output& out, const heads_view<const float>& q,
                                            const heads_view<const float>& k, const heads_view<const float>& v,
                                            const attention_shape& shape, const attention_mask& mask,
                                            const inhibitor_attention<float>& mechanism, void* workspace,
                                            index_t workspace_bytes, const executor& run,
                                            const kernels::u8_table& table) {
  attention_status status = u8_forward_status(out, q, k, v, shape, mechanism);
  if (status != attention_status::ok) return status;
  status = workspace_status(workspace, workspace_bytes, u8_layout(shape, run.workers()).total);
  if (status != attention_status::ok) return status;
  const index_t failed = u8_attention_heads(out, q, k, v, shape, mask, mechanism, aligned_start(workspace), run, table);
  return failed == first_failure::none ? attention_status::ok : attention_status::not_finite;
}

}  // namespace driver

namespace u8 {

/// Bytes of workspace that the calls below need, whatever its masks, options and row range. 0 for a shape that
/// the call would refuse.
inline index_t attention_workspace_size(const attention_shape& shape, index_t workers) noexcept {
  if (driver::shape_status(shape) != attention_status::ok || workers < 1) return 0;
  return driver::u8_layout(shape, workers).total + driver::workspace_slack;
}

/// u8 attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv,
/// Dv), out (B, L, H, Dv); out may not overlap the inputs. `workspace` has `workspace_bytes` bytes at any address, at
/// least attention_workspace_size(shape, run.workers()). Returns what is wrong with the arguments, or ok; after
/// not_finite, which may be found late, out is unspecified. Neither allocates nor throws.
template <class Isa = default_isa>
attention_status try_multi_head_attention_forward(heads_view<float> out, heads_view<const float> q,
                                                  heads_view<const float> k, heads_view<const float> v,
                                                  const attention_shape& shape, const attention_mask& mask,
                                                  const inhibitor_attention<float>& mechanism, void* workspace,
                                                  index_t workspace_bytes, const executor& run) noexcept {
  return driver::u8_attention_status(driver::u8_floats(out), q, k, v, shape, mask, mechanism, workspace,
                                     workspace_bytes, run, kernels::u8_kernels<Isa>());
}

/// The same with integer output: the attention is out * scales[b * H + h], scales (B, H). Length normalization is left
/// to the caller.
template <class Isa = default_isa>
attention_status try_multi_head_attention_forward_integers(heads_view<std::int32_t> out, float* scales,
                                                           heads_view<const float> q, heads_view<const float> k,
                                                           heads_view<const float> v, const attention_shape& shape,
                                                           const attention_mask& mask,
                                                           const inhibitor_attention<float>& mechanism, void* workspace,
                                                           index_t workspace_bytes, const executor& run) noexcept {
  return driver::u8_attention_status(driver::u8_integers(out, scales), q, k, v, shape, mask, mechanism, workspace,
                                     workspace_bytes, run, kernels::u8_kernels<Isa>());
}

}  // namespace u8
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
