// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/kv_cache.hpp"
#include "inhibitor/attention/u8/head.hpp"
#include "inhibitor/kernels/attention_u8/append.hpp"

// Keys and values of a sequence kept as bytes, for decoding a token (or a few) at a time: three bytes per feature pair
// where floats take eight, read once per call and never packed again. As in attention/kv_cache.hpp, nothing is
// allocated or thrown.
//
// A byte's worth must be known before the first token, so the caller states per head the largest |q|, |k| and the
// largest |v| to expect (from calibration, or from the prompt with room to spare). Larger ones are limited to the
// range: of keys and values the cache counts how many features that befell; queries are limited without a count.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace u8 {

/// Packed keys and values of one sequence in memory that the caller owns. The bytes do not depend on the instruction
/// set. Appending while a call reads is not allowed.
class kv_cache {
 public:
  kv_cache() = default;
  /// `memory` has bytes(extents, capacity) bytes, at any address, and outlives the cache. key_range, value_range (Hkv):
  /// the largest magnitude of queries and keys, and of values, finite and not negative. is_signed: see
  /// inhibitor_options; calls must have the same.
  kv_cache(const cache_extents& extents, void* memory, index_t capacity, const float* key_range,
           const float* value_range, bool is_signed)
      : kv_cache(extents, memory, capacity) {
    is_signed_ = is_signed;
    for (index_t h = 0; h < extents.kv_heads; ++h) steps_of(h) = driver::u8_steps(key_range[h], value_range[h]);
  }
  /// With the ranges and sign option of another cache, to take over its rows.
  kv_cache(const kv_cache& like, void* memory, index_t capacity) : kv_cache(like.extents_, memory, capacity) {
    is_signed_ = like.is_signed_;
    for (index_t h = 0; h < extents_.kv_heads; ++h) steps_of(h) = like.steps(h);
  }

  /// Bytes for `capacity` keys (rounded up to a whole group).
  static index_t bytes(const cache_extents& e, index_t capacity) noexcept {
    return steps_bytes(e) + e.kv_heads * head_bytes(e, kernels::u8_padded_keys(capacity)) + driver::workspace_slack;
  }

  const cache_extents& extents() const { return extents_; }
  index_t length() const { return length_; }
  index_t capacity() const { return capacity_; }
  bool is_signed() const { return is_signed_; }
  /// Features of appended keys and values that lay beyond their range.
  index_t limited() const { return limited_; }
  /// Forgets all rows and the count.
  void clear() { length_ = limited_ = 0; }

  /// Adds `rows` keys and values behind the others: k (rows, Hkv, D), v (rows, Hkv, Dv), batch strides unused. Costs
  /// their own numbers, whatever the length. Returns cache_full, null_pointer, bad_extent or not_finite with nothing
  /// changed.
  attention_status append(heads_view<const float> k, heads_view<const float> v, index_t rows) noexcept {
    const auto status = driver::append_status(extents_, k.data != nullptr, v.data != nullptr, rows, length_, capacity_);
    if (status != attention_status::ok) return status;
    for (index_t h = 0; h < extents_.kv_heads; ++h) {
      for (index_t r = 0; r < rows; ++r) {
        if (!finite(k, h, r, extents_.head_size) || !finite(v, h, r, extents_.value_size)) {
          return attention_status::not_finite;
        }
      }
    }
    for (index_t h = 0; h < extents_.kv_heads; ++h) {
      const driver::u8_head_memory to = head(h);
      const driver::u8_steps& s = steps(h);
      for (index_t r = 0; r < rows; ++r) {
        limited_ += kernels::u8_append_key(to.keys, length_ + r, k.head(0, h) + r * k.row_stride, extents_.head_size,
                                           s.inverse_key);
        if (extents_.value_size == 0) continue;
        limited_ += kernels::u8_append_value(to.values, to.bound, length_ + r, v.head(0, h) + r * v.row_stride,
                                             extents_.value_size, s.inverse_value, is_signed_);
      }
    }
    length_ += rows;
    return attention_status::ok;
  }

  /// Takes over the rows and the count of another cache of the same extents, ranges and sign option; its length must
  /// fit.
  void copy_from(const kv_cache& other) noexcept {
    const auto copy = [](std::uint8_t* to, const std::uint8_t* from, index_t n) {
      if (n > 0) std::memcpy(to, from, static_cast<std::size_t>(n));
    };
    length_ = other.length_;
    limited_ = other.limited_;
    for (index_t h = 0; h < extents_.kv_heads; ++h) {
      const driver::u8_head_memory to = head(h), from = other.head(h);
      copy(to.keys, from.keys, kernels::u8_key_bytes(length_, extents_.head_size));
      copy(to.values, from.values, kernels::u8_value_bytes(length_, extents_.value_size));
      copy(to.bound, from.bound, kernels::u8_padded_keys(length_));
    }
  }

  const driver::u8_steps& steps(index_t h) const { return reinterpret_cast<const driver::u8_steps*>(memory_)[h]; }
  driver::u8_head_memory head(index_t h) const {
    return {memory_ + steps_bytes(extents_) + h * head_bytes(extents_, capacity_), capacity_, extents_.head_size,
            extents_.value_size};
  }

 private:
  kv_cache(const cache_extents& extents, void* memory, index_t capacity)
      : extents_(extents), memory_(driver::aligned_start(memory)), capacity_(kernels::u8_padded_keys(capacity)) {}

  static index_t steps_bytes(const cache_extents& e) {
    return round_up(e.kv_heads * static_cast<index_t>(sizeof(driver::u8_steps)), 64);
  }
  static index_t head_bytes(const cache_extents& e, index_t capacity) {
    return round_up(driver::u8_head_memory::bytes(capacity, e.head_size, e.value_size), 64);
  }
  static bool finite(const heads_view<const float>& x, index_t h, index_t r, index_t size) {
    for (index_t i = 0; i < size; ++i) {
      if (!is_finite(x.head(0, h)[r * x.row_stride + i])) return false;
    }
    return true;
  }
  driver::u8_steps& steps_of(index_t h) { return reinterpret_cast<driver::u8_steps*>(memory_)[h]; }

  cache_extents extents_;
  std::uint8_t* memory_ = nullptr;
  index_t capacity_ = 0, length_ = 0, limited_ = 0;
  bool is_signed_ = true;
};

}  // namespace u8

namespace driver {

inline call_layout u8_cache_layout(const attention_shape& s, index_t workers) {
  return {s, workers, kernels::u8_scratch_bytes(s.keys, s.head_size, s.value_size), 0};
}

inline attention_status u8_cache_status(const u8_output& out, const heads_view<const float>& q,
                                        const u8::kv_cache* caches, const attention_shape& s,
                                        const attention_mask& mask, const inhibitor_attention<float>& mechanism) {
  const attention_status status = u8_status(s, mechanism);
  if (status != attention_status::ok) return status;
  if (has_outputs(s) && (q.data == nullptr || !out.complete())) return attention_status::null_pointer;
  for (index_t b = 0; b < s.batch && caches != nullptr; ++b) {
    if (caches[b].is_signed() != mechanism.options.is_signed) return attention_status::bad_option;
  }
  return cache_status(caches, s, mask);
}

/// Forward of checked arguments against caches (B), in memory laid out by u8_cache_layout. Returns the first work item
/// (b * H + h) with a query that is not finite, or first_failure::none.
inline index_t u8_cached_heads(const u8_output& out, const heads_view<const float>& q, const u8::kv_cache* caches,
                               const attention_shape& shape, const attention_mask& mask,
                               const inhibitor_attention<float>& mechanism, unsigned char* memory, const executor& run,
                               const kernels::u8_table& table) {
  if (!has_outputs(shape)) return first_failure::none;
  const call_layout layout = u8_cache_layout(shape, run.workers());
  first_failure failure;
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads, kv_head = h / (shape.heads / shape.key_heads());
    unsigned char* block = memory + worker * layout.block;
    attention_shape sequence = shape;
    sequence.keys = caches[b].length();
    const key_selection keys(block, sequence, mask.causal, b);
    const kernels::head_inputs<float> in = head_of<float>(q, {}, {}, sequence, keys, b, h);
    if (!is_finite(u8_largest(u8_rows(in.q, in.q_stride, in.queries), shape.head_size, table))) {
      failure.note(item);
      return;
    }
    table.attention_head(u8_call_of(out, in, caches[b].steps(kv_head), caches[b].head(kv_head), sequence, keys,
                                    mechanism, b, h, block + layout.selection));
  });
  return failure.item();
}

}  // namespace driver

namespace u8 {

/// Bytes of workspace that a u8 call against caches needs; shape.keys is the largest length to come. 0 for a shape that
/// the call would refuse.
inline index_t cached_attention_workspace_size(const attention_shape& shape, index_t workers) noexcept {
  if (driver::shape_status(shape) != attention_status::ok || workers < 1) return 0;
  return driver::u8_cache_layout(shape, workers).total + driver::workspace_slack;
}

/// u8 attention against caches (B), one per sequence: q (B, L, H, D), out (B, L, H, Dv) overwritten. Masks as in the
/// float call of attention/kv_cache.hpp. Neither allocates nor throws; the size of the workspace is
/// cached_attention_workspace_size. Returns what is wrong with the arguments, or ok; after not_finite out is
/// unspecified. The same bits on every instruction set.
template <class Isa = default_isa>
attention_status try_cached_attention_forward(heads_view<float> out, heads_view<const float> q, const kv_cache* caches,
                                              const attention_shape& shape, const attention_mask& mask,
                                              const inhibitor_attention<float>& mechanism, void* workspace,
                                              index_t workspace_bytes, const executor& run) noexcept {
  driver::u8_output output;
  output.floats = out;
  attention_status status = driver::u8_cache_status(output, q, caches, shape, mask, mechanism);
  if (status != attention_status::ok) return status;
  status = driver::workspace_status(workspace, workspace_bytes, driver::u8_cache_layout(shape, run.workers()).total);
  if (status != attention_status::ok) return status;
  const index_t failed = driver::u8_cached_heads(output, q, caches, shape, mask, mechanism,
                                                 driver::aligned_start(workspace), run, kernels::u8_kernels<Isa>());
  return failed == driver::first_failure::none ? attention_status::ok : attention_status::not_finite;
}

}  // namespace u8
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
