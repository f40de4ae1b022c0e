// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/raw.hpp"

// Keys and values of a sequence kept packed, for decoding a token (or a few) at a time:
//
//   kv_cache<float> cache({kv_heads, D, Dv}, memory, capacity);     // memory: kv_cache<float>::bytes(...)
//   cache.append(k, v, 1);                                             // the new token's keys and values
//   try_cached_attention_forward<float>(out, q, &cache, shape, mask, mechanism, workspace, bytes, workers);
//
// A call reads the packed numbers once and packs nothing but its queries. Nothing is allocated or thrown here; caches
// that grow by themselves: attention/growing_kv_cache.hpp. In bytes: attention/u8/kv_cache.hpp.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Extents of one cached sequence.
struct cache_extents {
  index_t kv_heads = 0;    ///< Hkv
  index_t head_size = 0;   ///< D
  index_t value_size = 0;  ///< Dv
};

namespace driver {

/// Whether rows of k and v can be appended where `length` of `capacity` are taken.
inline attention_status append_status(const cache_extents& e, bool has_k, bool has_v, index_t rows, index_t length,
                                      index_t capacity) {
  if (rows < 0) return attention_status::bad_extent;
  if (rows > capacity - length) return attention_status::cache_full;
  const bool any = rows > 0 && e.kv_heads > 0;
  const bool complete = !any || (has_k && (has_v || e.value_size == 0));
  return complete ? attention_status::ok : attention_status::null_pointer;
}

/// Whether `caches` (B) suit a call of this shape, in which S is an upper bound of their lengths.
template <class Cache>
attention_status cache_status(const Cache* caches, const attention_shape& s, const attention_mask& mask) {
  if (caches == nullptr && s.batch > 0) return attention_status::null_pointer;
  for (index_t b = 0; b < s.batch; ++b) {
    const cache_extents& e = caches[b].extents();
    if (e.head_size != s.head_size || e.value_size != s.value_size) return attention_status::bad_extent;
    if (e.kv_heads != s.key_heads()) return attention_status::bad_kv_heads;
    if (caches[b].length() > s.keys) return attention_status::bad_extent;
  }
  if (mask.key_mask != nullptr || mask.attend.data != nullptr) return attention_status::unsupported_mask;
  return s.key_starts ? attention_status::bad_starts : attention_status::ok;
}

}  // namespace driver

/// Packed keys and values of one sequence in memory that the caller owns. The layout belongs to `Isa`. Appending while
/// a call reads is not allowed.
template <class T, class Isa = default_isa>
class kv_cache {
 public:
  kv_cache() = default;
  /// `memory` has bytes(extents, capacity) bytes, at any address, and outlives the cache. Nothing is written yet.
  kv_cache(const cache_extents& extents, void* memory, index_t capacity)
      : extents_(extents),
        memory_(driver::aligned_start(memory)),
        capacity_(round_up(capacity, layout().append_block)) {}
  /// An empty one with the extents of another, to take over its rows.
  kv_cache(const kv_cache& like, void* memory, index_t capacity) : kv_cache(like.extents_, memory, capacity) {}

  /// Bytes for `capacity` keys (rounded up to a whole block).
  static index_t bytes(const cache_extents& extents, index_t capacity) noexcept {
    const index_t padded = round_up(capacity, layout().append_block);
    const index_t numbers = layout().appendable_size(padded, extents.head_size, extents.value_size);
    return extents.kv_heads * numbers * static_cast<index_t>(sizeof(T)) + driver::workspace_slack;
  }

  const cache_extents& extents() const { return extents_; }
  index_t length() const { return length_; }
  index_t capacity() const { return capacity_; }
  /// Forgets all rows.
  void clear() { length_ = 0; }

  /// Adds `rows` keys and values behind the others: k (rows, Hkv, D), v (rows, Hkv, Dv), batch strides unused. Costs
  /// their own numbers, whatever the length. Returns cache_full, null_pointer or bad_extent with nothing changed.
  attention_status append(heads_view<const T> k, heads_view<const T> v, index_t rows) noexcept {
    const auto status = driver::append_status(extents_, k.data != nullptr, v.data != nullptr, rows, length_, capacity_);
    if (status != attention_status::ok) return status;
    for (index_t h = 0; h < extents_.kv_heads; ++h) {
      const T* values = extents_.value_size > 0 ? v.head(0, h) : nullptr;
      for (index_t r = 0; r < rows; ++r) {
        layout().append_row(head(h), capacity_, length_ + r, k.head(0, h) + r * k.row_stride, extents_.head_size,
                            values != nullptr ? values + r * v.row_stride : nullptr, extents_.value_size);
      }
    }
    length_ += rows;
    return attention_status::ok;
  }

  /// Takes over the rows of another cache of the same extents; its length must fit.
  void copy_from(const kv_cache& other) noexcept {
    for (index_t h = 0; h < extents_.kv_heads; ++h) {
      layout().copy_rows(head(h), capacity_, other.head(h), other.capacity_, other.length_, extents_.head_size,
                         extents_.value_size);
    }
    length_ = other.length_;
  }

  /// Packed numbers of key/value head h, for kernels.
  T* head(index_t h) const {
    const index_t numbers = layout().appendable_size(capacity_, extents_.head_size, extents_.value_size);
    return reinterpret_cast<T*>(memory_) + h * numbers;
  }

 private:
  static const boundary::head_layout<T>& layout() { return kernels::layout_kernels<Isa, T>(); }

  cache_extents extents_;
  unsigned char* memory_ = nullptr;
  index_t capacity_ = 0, length_ = 0;
};

namespace driver {

template <class Isa, class T>
call_layout cache_layout(attention_shape s, index_t workers) {
  const index_t numbers = kernels::layout_kernels<Isa, T>().cached_size(s.queries, s.keys, s.head_size, s.value_size);
  return {s, workers, numbers * static_cast<index_t>(sizeof(T)), 0};
}

template <class T, class Mechanism, class Cache>
attention_status cache_forward_status(const heads_view<T>& out, const heads_view<const T>& q, const Cache* caches,
                                      const attention_shape& s, const attention_mask& mask,
                                      const Mechanism& mechanism) {
  attention_shape without_keys = s;  // k and v are in the caches
  without_keys.keys = 0;
  const attention_status extents = shape_status(s);
  if (extents != attention_status::ok) return extents;
  const attention_status status = forward_status<T>(out, q, {}, {}, without_keys, mechanism);
  return status != attention_status::ok ? status : cache_status(caches, s, mask);
}

/// Forward of checked arguments against caches (B), in memory laid out by cache_layout.
template <class Isa, class T, class Mechanism>
void cached_forward_heads(const heads_view<T>& out, const heads_view<const T>& q, const kv_cache<T, Isa>* caches,
                          const attention_shape& shape, const attention_mask& mask, const Mechanism& mechanism,
                          unsigned char* memory, const executor& run) {
  using policy = mechanism_policy<Mechanism>;
  const call_layout layout = cache_layout<Isa, T>(shape, run.workers());
  boundary::cached_kernel<T> kernel = nullptr;
  policy::run_forward(mechanism, [&](auto score, auto aggregate) {
    kernel = kernels::cached_kernel<Isa, T, decltype(score), decltype(aggregate)>();
  });
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    const kv_cache<T, Isa>& cache = caches[b];
    unsigned char* block = memory + worker * layout.block;
    attention_shape sequence = shape;
    sequence.keys = cache.length();
    const key_selection keys(block, sequence, mask.causal, b);
    T* rows = sequence_head(out, shape.query_starts, b, h);
    if (rows != nullptr) rows += keys.first * out.row_stride;
    kernel(rows, out.row_stride, head_of<T>(q, {}, {}, sequence, keys, b, h),
           cache.head(h / (shape.heads / shape.key_heads())), cache.capacity(),
           policy::options(mechanism, h, shape.head_size), reinterpret_cast<T*>(block + layout.selection));
  });
}

}  // namespace driver

/// Bytes of workspace that a call against caches needs; shape.keys is the largest length to come. 0 for a shape that
/// the call would refuse.
template <class T, class Isa = default_isa>
index_t cached_attention_workspace_size(const attention_shape& shape, index_t workers) noexcept {
  if (driver::shape_status(shape) != attention_status::ok || workers < 1) return 0;
  return driver::cache_layout<Isa, T>(shape, workers).total + driver::workspace_slack;
}

/// Attention against caches (B), one per sequence. q (B, L, H, D) are the last L tokens of their
/// sequences where the mask is causal; shape.keys is an upper bound of the lengths. Of the masks only causal is taken:
/// what is cached is meant to be attended to. Status, workspace and the rest as in attention/raw.hpp, the size being
/// cached_attention_workspace_size. Rows have the bits of an uncached call without padding whose queries are the same.
template <class T, class Mechanism, class Isa = default_isa>
attention_status try_cached_attention_forward(heads_view<T> out, input_heads<T> q, const kv_cache<T, Isa>* caches,
                                              const attention_shape& shape, const attention_mask& mask,
                                              const Mechanism& mechanism, void* workspace, index_t workspace_bytes,
                                              const executor& run) noexcept {
  attention_status status = driver::cache_forward_status<T>(out, q, caches, shape, mask, mechanism);
  if (status != attention_status::ok) return status;
  const index_t needed = driver::cache_layout<Isa, T>(shape, run.workers()).total;
  status = driver::workspace_status(workspace, workspace_bytes, needed);
  if (status != attention_status::ok) return status;
  driver::cached_forward_heads<Isa, T>(out, q, caches, shape, mask, mechanism, driver::aligned_start(workspace), run);
  return attention_status::ok;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
