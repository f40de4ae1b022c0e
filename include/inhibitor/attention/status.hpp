// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "inhibitor/attention/params.hpp"

// What can be wrong with the arguments of an attention call, found before anything is computed.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

enum class [[nodiscard]] attention_status{
    ok,
    bad_extent,           ///< negative, D = 0, or so large that memory sizes would overflow
    bad_kv_heads,         ///< the number of key/value heads does not divide the number of heads
    bad_starts,           ///< starts of packed sequences decrease, or a sequence is longer than L or S
    null_pointer,         ///< a null pointer where the shape is not empty
    missing_scalars,      ///< score scale, shift or output scale is null
    workspace_too_small,  ///< fewer bytes than the size function says
    too_large_for_u8,     ///< beyond the limits of the u8 path
    not_finite,           ///< u8: a scalar, query, attended key or value is NaN or infinite
    cache_full,           ///< a cache in the caller's memory has no room for the rows
    unsupported_mask,     ///< a mask that the call does not take
    bad_option            ///< a cache was filled for the other sign option
};

/// One line of text for a status.
inline const char* describe(attention_status status) noexcept {
  switch (status) {
    case attention_status::ok:
      return "no error";
    case attention_status::bad_extent:
      return "extents must not be negative and the head size at least 1, none above 2^31";
    case attention_status::bad_kv_heads:
      return "the number of key/value heads must divide the number of heads";
    case attention_status::bad_starts:
      return "starts of packed sequences must not decrease, and no sequence may be longer than L or S";
    case attention_status::null_pointer:
      return "a null pointer where the shape is not empty";
    case attention_status::missing_scalars:
      return "the inhibitor needs its score scale, shift and output scale of every head";
    case attention_status::workspace_too_small:
      return "the workspace is smaller than the size function says";
    case attention_status::too_large_for_u8:
      return "u8 takes D up to 257, Dv up to 1024 and S up to 8000000";
    case attention_status::not_finite:
      return "a scalar, query, attended key or value is not finite";
    case attention_status::cache_full:
      return "the cache has no room for the rows";
    case attention_status::unsupported_mask:
      return "this call does not take that mask";
    case attention_status::bad_option:
      return "the cache was filled for the other sign option";
  }
  return "unknown status";
}

namespace driver {

/// Whether the starts of `batch` packed sequences (if given) fit sequences of at most `longest` rows.
inline bool starts_fit(const sequence_starts& starts, index_t batch, index_t longest) {
  if (!starts) return true;
  if (batch > 0 && starts[0] < 0) return false;
  for (index_t b = 0; b < batch; ++b) {
    if (starts[b] > starts[b + 1] || starts[b + 1] - starts[b] > longest) return false;
  }
  return true;
}

/// Extents up to 2^31 and B H, S (D + Dv), L (D + Dv) up to 2^48 numbers keep every size computed from them within 63 bits.
inline attention_status shape_status(const attention_shape& s) {
  constexpr index_t largest = index_t{1} << 31;
  for (const index_t extent : {s.batch, s.heads, s.queries, s.keys, s.value_size, s.head_size, s.kv_heads}) {
    if (extent < 0 || extent > largest) return attention_status::bad_extent;
  }
  const index_t width = s.head_size + s.value_size;
  constexpr index_t most_numbers = index_t{1} << 48;
  if (s.head_size == 0 || s.keys > most_numbers / width || s.queries > most_numbers / width) {
    return attention_status::bad_extent;
  }
  if (s.batch > 0 && s.heads > most_numbers / s.batch) return attention_status::bad_extent;
  if (s.kv_heads != 0 && s.heads % s.kv_heads != 0) return attention_status::bad_kv_heads;
  const bool fit = starts_fit(s.query_starts, s.batch, s.queries) && starts_fit(s.key_starts, s.batch, s.keys);
  return fit ? attention_status::ok : attention_status::bad_starts;
}

/// Whether a shape has elements of q, of k, of v and of out.
inline bool has_queries(const attention_shape& s) { return s.batch > 0 && s.heads > 0 && s.queries > 0; }
inline bool has_keys(const attention_shape& s) { return s.batch > 0 && s.heads > 0 && s.keys > 0; }
inline bool has_values(const attention_shape& s) { return has_keys(s) && s.value_size > 0; }
inline bool has_outputs(const attention_shape& s) { return has_queries(s) && s.value_size > 0; }

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
