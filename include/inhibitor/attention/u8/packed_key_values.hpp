// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/u8/attention.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace u8 {

/// Keys and values of every key/value head, rounded to bytes once and kept for many calls: a quarter of the key bytes
/// and half of the value bytes of the float arrays. The bytes do not depend on the instruction set.
class packed_key_values {
 public:
  /// Packs k (B, S, Hkv, D) and v (B, S, Hkv, Dv). Queries and row range of the shape are not used, nor is a causal
  /// mask; a boolean mask is refused. Masked keys are left out (with centering over all keys their distances still
  /// count), so calls must come with the same key mask and centering. `query_range` (Hkv), or null, is the largest |q|
  /// to expect per head: it shares the byte range with the keys, and queries beyond the larger of the two are limited
  /// to it. Throws std::invalid_argument as multi_head_attention_forward does; allocates while it grows.
  template <class Isa = default_isa>
  void pack(heads_view<const float> k, heads_view<const float> v, const attention_shape& shape,
            const attention_mask& mask, const inhibitor_options& options, const float* query_range,
            const executor& run) {
    pack_with(k, v, shape, mask, options, query_range, run, kernels::u8_kernels<Isa>());
  }

  /// Extents of what is packed; queries is 0.
  const attention_shape& shape() const { return shape_; }
  bool is_signed() const { return is_signed_; }
  /// Keys of sequence b that are in a mean over all keys, and keys that have values.
  index_t scored(index_t b) const { return counts_[2 * b]; }
  index_t attended(index_t b) const { return counts_[2 * b + 1]; }
  const driver::u8_steps& steps(index_t b, index_t kv_head) const { return steps_[b * shape_.key_heads() + kv_head]; }
  driver::u8_head_memory memory(index_t b, index_t kv_head) const {
    return driver::u8_head_memory(bytes_.data() + (b * shape_.key_heads() + kv_head) * driver::u8_packed_bytes(shape_),
                                  scored(b), shape_.head_size, shape_.value_size);
  }
  /// Throws for a mask that packed keys do not take.
  void check_mask(const attention_mask& mask) const {
    check(mask.attend.data == nullptr, [] {
      return format_message("u8 attention: %s (boolean, packed keys)", describe(attention_status::unsupported_mask));
    });
  }
  /// Bytes held for packed keys and values.
  index_t size() const { return bytes_.size(); }

 private:
  void pack_with(const heads_view<const float>& k, const heads_view<const float>& v, attention_shape shape,
                 const attention_mask& mask, const inhibitor_options& options, const float* query_range,
                 const executor& run, const kernels::u8_table& table) {
    shape.queries = 0;
    shape.query_starts = {};
    shape.rows = {};
    const float scalar = 0;  // scalars belong to calls
    const inhibitor_attention<float> mechanism{options, {&scalar, &scalar, &scalar}};
    attention_shape one_head = shape;
    one_head.heads = one_head.kv_heads = shape.heads == 0 ? 0 : 1;
    driver::check_status("u8 attention", driver::shape_status(shape), shape);
    driver::check_status("u8 attention", driver::u8_forward_status({}, {}, k, v, one_head, mechanism), shape);
    check_mask(mask);
    const index_t heads = shape.key_heads();
    for (index_t h = 0; h < heads && query_range != nullptr; ++h) {
      check(is_finite(query_range[h]) && query_range[h] >= 0, "u8 attention: a query range is negative or not finite");
    }
    shape_ = shape;
    is_signed_ = options.is_signed;
    bytes_.resize(shape.batch * heads * driver::u8_packed_bytes(shape));
    steps_.resize(shape.batch * heads);
    counts_.resize(2 * shape.batch);
    const index_t block = driver::key_selection::bytes(shape);
    unsigned char* memory_of_workers = workspace_.reserve(run.workers() * block);
    const attention_mask key_mask{mask.key_mask, false, {}};
    const bool all_keys = options.center == centering::all_keys;
    for (index_t b = 0; b < shape.batch; ++b) {
      const driver::key_selection keys(memory_of_workers, shape, key_mask, b, all_keys);
      counts_[2 * b] = keys.scored;
      counts_[2 * b + 1] = keys.attended;
    }
    const auto inputs = [&](const driver::key_selection& keys, index_t b, index_t kv_head) {
      return driver::head_of<float>({}, k, v, shape, keys, b, kv_head * (shape.heads / heads));
    };
    driver::first_failure failure;
    run.for_each(shape.batch * heads, [&](index_t item, index_t worker) {
      const index_t b = item / heads, h = item % heads;
      const driver::key_selection keys(memory_of_workers + worker * block, shape, key_mask, b, all_keys);
      const float range = query_range == nullptr ? 0.0F : query_range[h];
      kernels::head_inputs<float> in = inputs(keys, b, h);
      if (!driver::u8_pack_head(memory(b, h), steps_[item], in, range, is_signed_, table)) {
        failure.note(item);
      }
    });
    if (failure.item() == driver::first_failure::none) return;
    const index_t b = failure.item() / heads, h = failure.item() % heads;
    const driver::key_selection keys(memory_of_workers, shape, key_mask, b, all_keys);
    const kernels::head_inputs<float> in = inputs(keys, b, h);
    driver::report_not_finite("k", driver::u8_rows(in.k, in.k_stride, in.scored, in.order), shape.head_size, b, h);
    driver::report_not_finite("v", driver::u8_rows(in.v, in.v_stride, in.attended, in.order), shape.value_size, b, h);
  }

  attention_shape shape_;
  bool is_signed_ = true;
  // Kernels take the packed bytes of a head by plain pointers, for reading and for packing alike.
  mutable aligned_buffer<std::uint8_t> bytes_;
  aligned_buffer<driver::u8_steps> steps_;  // (B, Hkv)
  aligned_buffer<index_t> counts_;          // (B, 2) scored, attended
  attention_workspace workspace_;
};

}  // namespace u8

namespace driver {

inline void u8_attention_checked(const u8_output& out, const heads_view<const float>& q,
                                 const u8::packed_key_values& memory, const attention_shape& shape,
                                 const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                                 attention_workspace& workspace, const executor& run, const kernels::u8_table& table) {
  const attention_shape& packed = memory.shape();
  attention_status status = u8_status(shape, mechanism);
  if (status == attention_status::ok && has_outputs(shape) && (q.data == nullptr || !out.complete())) {
    status = attention_status::null_pointer;
  }
  check_status("u8 attention", status, shape);
  check(shape.batch == packed.batch && shape.heads == packed.heads && shape.key_heads() == packed.key_heads() &&
            shape.keys == packed.keys && shape.head_size == packed.head_size && shape.value_size == packed.value_size &&
            mechanism.options.is_signed == memory.is_signed(),
        "u8 attention: the packed keys and values have other extents or another sign option than the call");
  memory.check_mask(mask);
  if (!has_outputs(shape)) return;

  const bool all_keys = mechanism.options.center == centering::all_keys;
  const call_layout layout(shape, run.workers(),
                           kernels::u8_scratch_bytes(shape.keys, shape.head_size, shape.value_size), 0);
  unsigned char* blocks = workspace.reserve(layout.total);
  for (index_t b = 0; b < shape.batch; ++b) {
    const key_selection keys(blocks, shape, mask, b, all_keys);
    check(keys.scored == memory.scored(b) && keys.attended == memory.attended(b),
          "u8 attention: the keys were packed with another mask or centering");
  }
  first_failure failure;
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads, kv_head = h / (shape.heads / shape.key_heads());
    unsigned char* block = blocks + worker * layout.block;
    const key_selection keys(block, shape, mask, b, all_keys);
    const kernels::head_inputs<float> in = head_of<float>(q, {}, {}, shape, keys, b, h);
    if (!is_finite(u8_largest(u8_rows(in.q, in.q_stride, in.queries), shape.head_size, table))) {
      failure.note(item);
      return;
    }
    table.attention_head(u8_call_of(out, in, memory.steps(b, kv_head), memory.memory(b, kv_head), shape, keys,
                                    mechanism, b, h, block + layout.selection));
  });
  if (failure.item() == first_failure::none) return;
  const index_t b = failure.item() / shape.heads, h = failure.item() % shape.heads;
  report_not_finite("q", u8_sequence_queries(q, shape, b, h), shape.head_size, b, h);
}

}  // namespace driver

namespace u8 {

/// u8 attention against packed keys and values; otherwise as multi_head_attention_forward. Extents, key mask, sign
/// option and centering must be those of the packing.
template <class Isa = default_isa>
void packed_attention_forward(heads_view<float> out, heads_view<const float> q, const packed_key_values& memory,
                              const attention_shape& shape, const attention_mask& mask,
                              const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                              const executor& run) {
  driver::u8_attention_checked(driver::u8_floats(out), q, memory, shape, mask, mechanism, workspace, run,
                               kernels::u8_kernels<Isa>());
}

/// The same with integer output and its scales (B, H).
template <class Isa = default_isa>
void packed_attention_forward_integers(heads_view<std::int32_t> out, float* scales, heads_view<const float> q,
                                       const packed_key_values& memory, const attention_shape& shape,
                                       const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                                       attention_workspace& workspace, const executor& run) {
  driver::u8_attention_checked(driver::u8_integers(out, scales), q, memory, shape, mask, mechanism, workspace, run,
                               kernels::u8_kernels<Isa>());
}

}  // namespace u8
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
