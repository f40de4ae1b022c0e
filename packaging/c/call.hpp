// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor.h"
#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/kv_cache.hpp"
#include "inhibitor/attention/u8/kv_cache.hpp"
#include "inhibitor/attention/u8/raw.hpp"

// A call of inhibitor.h in the library's terms: its structures checked for null and for options that do not exist, and
// the size of its workspace, which must not overflow whatever the caller states.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace c_interface {

// The statuses of the library keep their numbers; those of this interface follow.
inline inhibitor_status status_of(attention_status status) { return static_cast<inhibitor_status>(status); }
static_assert(static_cast<int>(attention_status::bad_extent) == INHIBITOR_BAD_EXTENT);
static_assert(static_cast<int>(attention_status::bad_kv_heads) == INHIBITOR_BAD_KV_HEADS);
static_assert(static_cast<int>(attention_status::bad_starts) == INHIBITOR_BAD_STARTS);
static_assert(static_cast<int>(attention_status::null_pointer) == INHIBITOR_NULL_POINTER);
static_assert(static_cast<int>(attention_status::missing_scalars) == INHIBITOR_MISSING_SCALARS);
static_assert(static_cast<int>(attention_status::workspace_too_small) == INHIBITOR_WORKSPACE_TOO_SMALL);
static_assert(static_cast<int>(attention_status::too_large_for_u8) == INHIBITOR_TOO_LARGE_FOR_U8);
static_assert(static_cast<int>(attention_status::not_finite) == INHIBITOR_NOT_FINITE);
static_assert(static_cast<int>(attention_status::cache_full) == INHIBITOR_CACHE_FULL);
static_assert(static_cast<int>(attention_status::unsupported_mask) == INHIBITOR_UNSUPPORTED_MASK);
static_assert(static_cast<int>(attention_status::bad_option) == INHIBITOR_BAD_OPTION);

template <class View, class Tensor>
View view_of(const Tensor& t) {
  return {t.data, t.batch_stride, t.row_stride, t.head_stride};
}

inline attention_shape shape_of(const inhibitor_shape& s) {
  attention_shape shape{s.batch, s.heads, s.queries, s.keys, s.head_size, s.value_size};
  shape.kv_heads = s.kv_heads;
  shape.query_starts = s.query_starts;
  shape.key_starts = s.key_starts;
  if (s.rows != nullptr) shape.rows = {s.rows->first, s.rows->last};
  return shape;
}

inline attention_mask mask_of(const inhibitor_mask* m) {
  if (m == nullptr) return {};
  return {m->key_mask, m->causal != 0, {m->attend, m->attend_batch_stride, m->attend_row_stride}};
}

/// Memory of cached calls that holds the caches' views side by side, as the library reads them.
template <class Cache>
index_t bytes_of_views(const inhibitor_shape& s) {
  return round_up(s.batch * static_cast<index_t>(sizeof(Cache)), 64) + driver::workspace_slack;
}

/// The size of the workspace, or what is wrong with call, shape or workers.
inline inhibitor_status workspace_size(index_t& bytes, int32_t call, const inhibitor_shape& s, index_t workers) {
  const attention_shape shape = shape_of(s);
  const inhibitor_status status = status_of(driver::shape_status(shape));
  if (status != INHIBITOR_OK) return status;
  if (workers < 1) return INHIBITOR_BAD_ARGUMENT;
  const auto size = [&](index_t w) -> index_t {
    switch (call) {
      case INHIBITOR_CALL_FORWARD:
        return attention_workspace_size<float>(shape, w);
      case INHIBITOR_CALL_BACKWARD:
        return attention_workspace_size<float>(shape, w, attention_pass::backward);
      case INHIBITOR_CALL_CACHED_FORWARD:
        return bytes_of_views<kv_cache<float>>(s) + cached_attention_workspace_size<float>(shape, w);
      case INHIBITOR_CALL_U8_FORWARD:
        return u8::attention_workspace_size(shape, w);
      case INHIBITOR_CALL_U8_CACHED_FORWARD:
        return bytes_of_views<u8::kv_cache>(s) + u8::cached_attention_workspace_size(shape, w);
      default:
        return 0;
    }
  };
  const index_t alone = size(1);
  if (alone == 0) return INHIBITOR_BAD_ARGUMENT;
  if (workers > PTRDIFF_MAX / alone) return INHIBITOR_BAD_EXTENT;
  bytes = size(workers);
  return INHIBITOR_OK;
}

/// What every call is told besides its tensors.
struct call_arguments {
  attention_shape shape;
  attention_mask mask;
  inhibitor_mechanism mechanism{};
  executor run;
  void* workspace = nullptr;
  index_t workspace_bytes = 0;

  /// Fills the others from what the caller passed, and says what is wrong with it.
  inhibitor_status take(int32_t call, const inhibitor_shape* s, const inhibitor_mask* m, const inhibitor_mechanism* how,
                        void* memory, size_t bytes, const inhibitor_executor* threads) {
    if (s == nullptr || how == nullptr) return INHIBITOR_NULL_POINTER;
    if (how->kind < INHIBITOR_KIND_INHIBITOR || how->kind > INHIBITOR_KIND_DOT_PRODUCT) return INHIBITOR_BAD_ARGUMENT;
    if (how->center < INHIBITOR_CENTER_ATTENDED_KEYS || how->center > INHIBITOR_CENTER_NONE) {
      return INHIBITOR_BAD_ARGUMENT;
    }
    if (threads != nullptr && threads->run != nullptr) run = executor(threads->workers, threads->run, threads->pool);
    index_t needed = 0;
    const inhibitor_status status = workspace_size(needed, call, *s, run.workers());
    if (status != INHIBITOR_OK) return status;
    if (bytes < static_cast<size_t>(needed)) return INHIBITOR_WORKSPACE_TOO_SMALL;
    if (memory == nullptr) return INHIBITOR_NULL_POINTER;
    shape = shape_of(*s);
    mask = mask_of(m);
    mechanism = *how;
    workspace = memory;
    workspace_bytes = needed;
    return INHIBITOR_OK;
  }

  centering center() const {
    if (mechanism.center == INHIBITOR_CENTER_NONE) return centering::none;
    return mechanism.center == INHIBITOR_CENTER_ALL_KEYS ? centering::all_keys : centering::attended_keys;
  }
  inhibitor_attention<float> inhibitor() const {
    return {{center(), mechanism.is_unsigned == 0, mechanism.normalize_by_length != 0, mechanism.skip_inhibited != 0},
            {mechanism.score_scale, mechanism.shift, mechanism.output_scale}};
  }

  /// body(mechanism) for the kind that was named. The add-only form has no division by the number of keys.
  template <class Body>
  inhibitor_status with_mechanism(Body&& body) const {
    switch (mechanism.kind) {
      case INHIBITOR_KIND_ADD_ONLY:
        if (mechanism.normalize_by_length != 0) return INHIBITOR_BAD_ARGUMENT;
        return body(add_only_inhibitor_attention<float>{center(), mechanism.is_unsigned == 0,
                                                        mechanism.skip_inhibited != 0, mechanism.shift});
      case INHIBITOR_KIND_DOT_PRODUCT:
        return body(dot_product_attention<float>{});
      default:
        return body(inhibitor());
    }
  }
};

}  // namespace c_interface
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
