// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/dispatch/boundary.hpp"

// From shapes and masks to what kernels are told (kernels/dispatch/boundary.hpp). Neither allocates nor throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// First element of head h of sequence b, or null for an array without elements.
template <class T>
T* sequence_head(const heads_view<T>& view, const sequence_starts& starts, index_t b, index_t h) {
  if (view.data == nullptr) return nullptr;
  return view.data + h * view.head_stride + (starts ? starts[b] * view.row_stride : b * view.batch_stride);
}

inline index_t sequence_length(const sequence_starts& starts, index_t b, index_t length) {
  return starts ? starts[b + 1] - starts[b] : length;
}

/// The keys of one sequence renumbered and the queries to compute, in worker memory. Keys that the key mask hides, or
/// that the boolean mask hides from every query, go last.
struct key_selection {
  index_t* order;   ///< (S)
  index_t* limits;  ///< (count)
  index_t scored = 0, attended = 0;
  bool identity = true;
  index_t first = 0, count = 0;          ///< queries [first, first + count) of the sequence
  const std::uint8_t* attend = nullptr;  ///< (count, S) by stride, or null
  index_t attend_stride = 0;

  static index_t bytes(const attention_shape& s) {
    const index_t numbers = (s.keys + s.queries) * static_cast<index_t>(sizeof(index_t));
    return round_up(numbers + s.keys, 64);
  }
  key_selection(unsigned char* memory, const attention_shape& s, const attention_mask& mask, index_t b, bool all_keys)
      : order(reinterpret_cast<index_t*>(memory)), limits(order + s.keys) {
    const index_t queries = sequence_length(s.query_starts, b, s.queries);
    const index_t keys = sequence_length(s.key_starts, b, s.keys);
    take_range(s.rows, queries);
    const std::uint8_t* key_mask = mask.key_mask;
    if (key_mask != nullptr) key_mask += s.key_starts ? s.key_starts[b] : b * s.keys;
    std::uint8_t* seen = nullptr;
    if (mask.attend.data != nullptr) {
      attend_stride = mask.attend.row_stride;
      attend = mask.attend.data + b * mask.attend.batch_stride + first * attend_stride;
      seen = memory + (s.keys + s.queries) * static_cast<index_t>(sizeof(index_t));
      join_rows(seen, attend, attend_stride, count, keys);
    }
    const auto visible = [&](index_t j) {
      return (key_mask == nullptr || key_mask[j] != 0) && (seen == nullptr || seen[j] != 0);
    };
    for (index_t j = 0; j < keys; ++j) {
      if (visible(j)) order[attended++] = j;
    }
    scored = attended;
    for (index_t j = 0; j < keys && all_keys && attended < keys; ++j) {
      if (!visible(j)) order[scored++] = j;
    }
    identity = attended == keys;
    index_t limit = mask.causal ? 0 : attended;
    for (index_t i = 0; i < count; ++i) {
      while (mask.causal && limit < attended && order[limit] <= first + i + keys - queries) ++limit;
      limits[i] = limit;
    }
  }
  /// Of packed keys, all of them visible but for a causal mask; `order` is left unset, which saves a pass over it.
  key_selection(unsigned char* memory, const attention_shape& s, bool causal, index_t b)
      : order(nullptr), limits(reinterpret_cast<index_t*>(memory)), scored(s.keys), attended(s.keys) {
    const index_t queries = sequence_length(s.query_starts, b, s.queries);
    take_range(s.rows, queries);
    for (index_t i = 0; i < count; ++i) {
      const index_t limit = causal ? first + i + 1 + s.keys - queries : s.keys;
      limits[i] = limit < 0 ? 0 : limit < s.keys ? limit : s.keys;
    }
  }

 private:
  /// seen (n) = what any of the rows (count, n) has.
  static void join_rows(std::uint8_t* INHIBITOR_RESTRICT seen, const std::uint8_t* INHIBITOR_RESTRICT rows,
                        index_t stride, index_t count, index_t n) {
    for (index_t j = 0; j < n; ++j) seen[j] = 0;
    for (index_t i = 0; i < count; ++i) {
      const std::uint8_t* row = rows + i * stride;
      for (index_t j = 0; j < n; ++j) seen[j] = static_cast<std::uint8_t>(seen[j] | row[j]);
    }
  }
  void take_range(const row_range& rows, index_t queries) {
    first = rows.first < 0 ? 0 : rows.first < queries ? rows.first : queries;
    const index_t last = rows.last < queries ? rows.last : queries;
    count = last > first ? last - first : 0;
  }
};

/// The kernels' inputs of query head h. q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv, Dv).
template <class T>
kernels::head_inputs<T> head_of(const heads_view<const T>& q, const heads_view<const T>& k,
                                const heads_view<const T>& v, const attention_shape& s, const key_selection& keys,
                                index_t b, index_t h) {
  const index_t kv_head = h / (s.heads / s.key_heads());
  kernels::head_inputs<T> in{};
  in.q = sequence_head(q, s.query_starts, b, h);
  if (in.q != nullptr) in.q += keys.first * q.row_stride;
  in.q_stride = q.row_stride;
  in.k = sequence_head(k, s.key_starts, b, kv_head);
  in.k_stride = k.row_stride;
  in.v = sequence_head(v, s.key_starts, b, kv_head);
  in.v_stride = v.row_stride;
  in.queries = keys.count;
  in.head_size = s.head_size;
  in.value_size = s.value_size;
  in.order = keys.identity ? nullptr : keys.order;
  in.scored = keys.scored;
  in.attended = keys.attended;
  in.limits = keys.limits;
  in.attend = keys.attend;
  in.attend_stride = keys.attend_stride;
  return in;
}

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
