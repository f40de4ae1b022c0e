// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/u8_head.hpp"

namespace inhibitor {

/// Keys and values of every head, rounded to bytes once and kept for many calls: a quarter of the key bytes and half of
/// the value bytes of the float arrays. The bytes do not depend on the instruction set.
class u8_key_values {
 public:
  /// Packs k (B, S, H, D) and v (B, S, H, Dv); shape.queries is not used. Masked keys are left out (with centring over
  /// all keys their distances still count), so calls must come with the same mask and centring. `query_range` (H), or
  /// null, is the largest |q| to expect per head: it shares the byte range with the keys, and queries beyond the larger
  /// of the two are limited to it. Throws std::invalid_argument as u8_attention_forward does; allocates while it grows.
  template <class Isa = best_isa>
  void pack(heads_view<const float> k, heads_view<const float> v, const attention_shape& shape,
            const attention_mask& mask, const inhibitor_options& options, const float* query_range,
            const executor& run) {
    pack_with(k, v, shape, mask, options, query_range, run, kernels::u8_tables<Isa>::get());
  }

  /// Extents of what is packed; queries is 0.
  const attention_shape& shape() const { return shape_; }
  bool is_signed() const { return is_signed_; }
  /// Keys of batch item b that are in a mean over all scored ones, and keys that have values.
  index_t scored(index_t b) const { return counts_[2 * b]; }
  index_t attended(index_t b) const { return counts_[2 * b + 1]; }
  const detail::u8_steps& steps(index_t b, index_t h) const { return steps_[b * shape_.heads + h]; }
  detail::u8_head_memory memory(index_t b, index_t h) const {
    return detail::u8_head_memory(bytes_.data() + (b * shape_.heads + h) * item_bytes_, scored(b), shape_.head_size,
                                  shape_.value_size);
  }
  /// Bytes held for packed keys and values.
  index_t size() const { return bytes_.size(); }

 private:
  void pack_with(const heads_view<const float>& k, const heads_view<const float>& v, attention_shape shape,
                 const attention_mask& mask, const inhibitor_options& options, const float* query_range,
                 const executor& run, const kernels::u8_table& table) {
    shape.queries = 0;
    const bool no_keys = shape.batch * shape.heads * shape.keys == 0;
    detail::check_u8(shape, no_keys || (k.data && (v.data || shape.value_size == 0)));
    for (index_t h = 0; h < shape.heads && query_range != nullptr; ++h) {
      check(std::isfinite(query_range[h]) && query_range[h] >= 0,
            "u8 attention: a query range is negative or not finite");
    }
    shape_ = shape;
    is_signed_ = options.is_signed;
    item_bytes_ = kernels::round_up(detail::u8_head_memory::bytes(shape.keys, shape.head_size, shape.value_size), 64);
    bytes_.resize(shape.batch * shape.heads * item_bytes_);
    steps_.resize(shape.batch * shape.heads);
    counts_.resize(2 * shape.batch);
    workspace_.reserve(run.workers(), detail::key_selection::bytes(shape), 0);
    const bool all_keys = options.center == centring::all_keys;
    for (index_t b = 0; b < shape.batch; ++b) {
      const detail::key_selection keys(workspace_.block(0), shape, mask, b, all_keys);
      counts_[2 * b] = keys.scored;
      counts_[2 * b + 1] = keys.attended;
    }
    detail::first_failure failure;
    run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
      const index_t b = item / shape.heads, h = item % shape.heads;
      const detail::key_selection keys(workspace_.block(worker), shape, mask, b, all_keys);
      const auto key_rows = detail::selected_rows(k, keys, b, h, keys.scored);
      const auto value_rows = detail::selected_rows(v, keys, b, h, keys.attended);
      float largest = detail::float_of_bits(table.largest_magnitude(key_rows, shape.head_size));
      const float largest_value = detail::float_of_bits(table.largest_magnitude(value_rows, shape.value_size));
      if (!std::isfinite(largest) || !std::isfinite(largest_value)) {
        failure.note(item);
        return;
      }
      if (query_range != nullptr && query_range[h] > largest) largest = query_range[h];
      steps_[item] = detail::u8_steps(largest, largest_value);
      detail::pack_u8_head(memory(b, h), key_rows, value_rows, steps_[item], shape, is_signed_, table);
    });
    if (failure.any()) {
      const index_t b = failure.item() / shape.heads, h = failure.item() % shape.heads;
      const detail::key_selection keys(workspace_.block(0), shape, mask, b, all_keys);
      detail::report_not_finite("k", detail::selected_rows(k, keys, b, h, keys.scored), shape.head_size, b, h);
      detail::report_not_finite("v", detail::selected_rows(v, keys, b, h, keys.attended), shape.value_size, b, h);
    }
  }

  attention_shape shape_;
  bool is_signed_ = true;
  index_t item_bytes_ = 0;
  // Kernels take the packed bytes of a head by plain pointers, for reading and for packing alike.
  mutable aligned_buffer<std::uint8_t> bytes_;
  aligned_buffer<detail::u8_steps> steps_;  // (B, H)
  aligned_buffer<index_t> counts_;          // (B, 2) scored, attended
  attention_workspace workspace_;
};

namespace detail {

inline void u8_attention_heads(const u8_output& out, const heads_view<const float>& q, const u8_key_values& memory,
                               const attention_shape& shape, const attention_mask& mask,
                               const inhibitor_attention<float>& mechanism, const u8_options& options,
                               attention_workspace& workspace, const executor& run, const kernels::u8_table& table) {
  const attention_shape& packed = memory.shape();
  const bool no_queries = shape.batch * shape.heads * shape.queries == 0;
  check_u8(shape, no_queries || shape.value_size == 0 || (q.data && has_u8_output(out)));
  check(shape.batch == packed.batch && shape.heads == packed.heads && shape.keys == packed.keys &&
            shape.head_size == packed.head_size && shape.value_size == packed.value_size &&
            mechanism.options.is_signed == memory.is_signed(),
        "u8 attention: the packed keys and values have other extents or another sign option than the call");
  check_u8_scalars(mechanism, shape.heads);
  if (no_queries || shape.value_size == 0) return;

  const bool all_keys = mechanism.options.center == centring::all_keys;
  const index_t selection = key_selection::bytes(shape);
  workspace.reserve(run.workers(), selection + kernels::u8_scratch_bytes(shape.keys, shape.head_size, shape.value_size),
                    0);
  for (index_t b = 0; b < shape.batch; ++b) {
    const key_selection keys(workspace.block(0), shape, mask, b, all_keys);
    check(keys.scored == memory.scored(b) && keys.attended == memory.attended(b),
          "u8 attention: the keys were packed with another mask or centring");
  }
  first_failure failure;
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    unsigned char* block = workspace.block(worker);
    const key_selection keys(block, shape, mask, b, all_keys);
    const float largest = float_of_bits(table.largest_magnitude(head_rows(q, b, h, shape.queries), shape.head_size));
    if (!std::isfinite(largest)) {
      failure.note(item);
      return;
    }
    const u8_steps& steps = memory.steps(b, h);
    table.attention_head(u8_call_of(out, q, steps, memory.memory(b, h), shape, keys, mechanism, options, b, h, false,
                                    block + selection));
  });
  if (failure.any()) {
    const index_t b = failure.item() / shape.heads, h = failure.item() % shape.heads;
    report_not_finite("q", head_rows(q, b, h, shape.queries), shape.head_size, b, h);
  }
}

}  // namespace detail

/// u8 attention against packed keys and values; otherwise as u8_attention_forward from floats. shape, mask, sign option
/// and centring must be those of the packing.
template <class Isa = best_isa>
void u8_attention_forward(heads_view<float> out, heads_view<const float> q, const u8_key_values& memory,
                          const attention_shape& shape, const attention_mask& mask,
                          const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                          const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.floats = out;
  detail::u8_attention_heads(output, q, memory, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

/// The same with integer output and its scales (B, H).
template <class Isa = best_isa>
void u8_attention_forward(heads_view<std::int32_t> out, float* scales, heads_view<const float> q,
                          const u8_key_values& memory, const attention_shape& shape, const attention_mask& mask,
                          const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                          const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.integers = out;
  output.scales = scales;
  detail::u8_attention_heads(output, q, memory, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

}  // namespace inhibitor
