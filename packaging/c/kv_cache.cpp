// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <new>

#include "call.hpp"

// The caches of inhibitor.h: a view of the library and the memory it looks at.

using namespace inhibitor;
using c_interface::call_arguments;
using c_interface::status_of;

struct inhibitor_kv_cache {
  kv_cache<float> rows;
  void* memory = nullptr;
};
struct inhibitor_u8_kv_cache {
  u8::kv_cache rows;
  void* memory = nullptr;
};

namespace {

template <class Handle>
using rows_of = decltype(Handle::rows);

/// Memory for `capacity` rows, or the status that says why not. Sizes stay far from overflowing.
template <class Handle>
inhibitor_status allocate(void*& memory, const cache_extents& extents, index_t capacity) {
  attention_shape one_head{1, extents.kv_heads, 0, capacity, extents.head_size, extents.value_size};
  const inhibitor_status status = status_of(driver::shape_status(one_head));
  if (status != INHIBITOR_OK) return status;
  const index_t bytes_of_one = rows_of<Handle>::bytes({1, extents.head_size, extents.value_size}, capacity);
  if (extents.kv_heads > PTRDIFF_MAX / 2 / bytes_of_one) return INHIBITOR_BAD_EXTENT;
  memory = std::malloc(static_cast<size_t>(rows_of<Handle>::bytes(extents, capacity)));
  return memory != nullptr ? INHIBITOR_OK : INHIBITOR_OUT_OF_MEMORY;
}

/// A handle for rows in memory that it owns from here on.
template <class Handle>
inhibitor_status make_handle(Handle** handle, const rows_of<Handle>& rows, void* memory) {
  *handle = new (std::nothrow) Handle{rows, memory};
  if (*handle != nullptr) return INHIBITOR_OK;
  std::free(memory);
  return INHIBITOR_OUT_OF_MEMORY;
}

template <class Handle>
void destroy(Handle* cache) {
  if (cache == nullptr) return;
  std::free(cache->memory);
  delete cache;
}

inline bool fits_u8(const cache_extents& e, index_t capacity) {
  return e.head_size <= kernels::u8_max_head_size && e.value_size <= kernels::u8_max_value_size && capacity <= 8000000;
}

template <class Handle>
inhibitor_status reserve(Handle* cache, index_t capacity) {
  if (cache == nullptr) return INHIBITOR_NULL_POINTER;
  if (capacity <= cache->rows.capacity()) return capacity < 0 ? INHIBITOR_BAD_EXTENT : INHIBITOR_OK;
  void* memory = nullptr;
  const inhibitor_status status = allocate<Handle>(memory, cache->rows.extents(), capacity);
  if (status != INHIBITOR_OK) return status;
  rows_of<Handle> larger(cache->rows, memory, capacity);
  larger.copy_from(cache->rows);
  std::free(cache->memory);
  *cache = {larger, memory};
  return INHIBITOR_OK;
}

template <class Handle>
inhibitor_status append(Handle* cache, const inhibitor_input* k, const inhibitor_input* v, index_t rows) {
  if (cache == nullptr || k == nullptr || v == nullptr) return INHIBITOR_NULL_POINTER;
  using input = heads_view<const float>;
  return status_of(cache->rows.append(c_interface::view_of<input>(*k), c_interface::view_of<input>(*v), rows));
}

template <class Handle>
inhibitor_status clear(Handle* cache) {
  if (cache == nullptr) return INHIBITOR_NULL_POINTER;
  cache->rows.clear();
  return INHIBITOR_OK;
}

/// A call against caches, whose views are put side by side at the start of the workspace: run(arguments, views, memory,
/// bytes).
template <class Handle, class Run>
inhibitor_status cached_call(int32_t call, const inhibitor_tensor* out, const inhibitor_input* q,
                             const Handle* const* caches, const inhibitor_shape* shape, const inhibitor_mask* mask,
                             const inhibitor_mechanism* mechanism, void* workspace, size_t workspace_bytes,
                             const inhibitor_executor* executor, Run&& run) {
  if (out == nullptr || q == nullptr) return INHIBITOR_NULL_POINTER;
  call_arguments a;
  const inhibitor_status status = a.take(call, shape, mask, mechanism, workspace, workspace_bytes, executor);
  if (status != INHIBITOR_OK) return status;
  if (caches == nullptr && shape->batch > 0) return INHIBITOR_NULL_POINTER;
  unsigned char* start = driver::aligned_start(workspace);
  auto* views = reinterpret_cast<rows_of<Handle>*>(start);
  for (index_t b = 0; b < shape->batch; ++b) {
    if (caches[b] == nullptr) return INHIBITOR_NULL_POINTER;
    new (views + b) rows_of<Handle>(caches[b]->rows);
  }
  const index_t taken = c_interface::bytes_of_views<rows_of<Handle>>(*shape);
  return run(a, views, start + taken - driver::workspace_slack, a.workspace_bytes - taken);
}

}  // namespace

inhibitor_status inhibitor_kv_cache_create(inhibitor_kv_cache** cache, ptrdiff_t kv_heads, ptrdiff_t head_size,
                                           ptrdiff_t value_size, ptrdiff_t capacity) {
  if (cache == nullptr) return INHIBITOR_NULL_POINTER;
  *cache = nullptr;
  void* memory = nullptr;
  const cache_extents extents{kv_heads, head_size, value_size};
  const inhibitor_status status = allocate<inhibitor_kv_cache>(memory, extents, capacity);
  return status != INHIBITOR_OK ? status : make_handle(cache, kv_cache<float>(extents, memory, capacity), memory);
}
void inhibitor_kv_cache_destroy(inhibitor_kv_cache* cache) { destroy(cache); }
inhibitor_status inhibitor_kv_cache_reserve(inhibitor_kv_cache* cache, ptrdiff_t capacity) {
  return reserve(cache, capacity);
}
inhibitor_status inhibitor_kv_cache_append(inhibitor_kv_cache* cache, const inhibitor_input* k,
                                           const inhibitor_input* v, ptrdiff_t rows) {
  return append(cache, k, v, rows);
}
inhibitor_status inhibitor_kv_cache_clear(inhibitor_kv_cache* cache) { return clear(cache); }
ptrdiff_t inhibitor_kv_cache_length(const inhibitor_kv_cache* cache) {
  return cache != nullptr ? cache->rows.length() : 0;
}
ptrdiff_t inhibitor_kv_cache_capacity(const inhibitor_kv_cache* cache) {
  return cache != nullptr ? cache->rows.capacity() : 0;
}

inhibitor_status inhibitor_cached_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                                    const inhibitor_kv_cache* const* caches,
                                                    const inhibitor_shape* shape, const inhibitor_mask* mask,
                                                    const inhibitor_mechanism* mechanism, void* workspace,
                                                    size_t workspace_bytes, const inhibitor_executor* executor) {
  return cached_call(
      INHIBITOR_CALL_CACHED_FORWARD, out, q, caches, shape, mask, mechanism, workspace, workspace_bytes, executor,
      [&](const call_arguments& a, const auto* views, void* memory, index_t bytes) {
        return a.with_mechanism([&](const auto& m) {
          return status_of(try_cached_attention_forward<float>(c_interface::view_of<heads_view<float>>(*out),
                                                               c_interface::view_of<heads_view<const float>>(*q), views,
                                                               a.shape, a.mask, m, memory, bytes, a.run));
        });
      });
}

inhibitor_status inhibitor_u8_kv_cache_create(inhibitor_u8_kv_cache** cache, ptrdiff_t kv_heads, ptrdiff_t head_size,
                                              ptrdiff_t value_size, ptrdiff_t capacity, const float* key_range,
                                              const float* value_range, int32_t is_unsigned) {
  if (cache == nullptr) return INHIBITOR_NULL_POINTER;
  *cache = nullptr;
  const cache_extents extents{kv_heads, head_size, value_size};
  if (!fits_u8(extents, capacity)) return INHIBITOR_TOO_LARGE_FOR_U8;
  if (kv_heads > 0 && (key_range == nullptr || value_range == nullptr)) return INHIBITOR_NULL_POINTER;
  void* memory = nullptr;
  const inhibitor_status status = allocate<inhibitor_u8_kv_cache>(memory, extents, capacity);
  if (status != INHIBITOR_OK) return status;
  for (index_t h = 0; h < kv_heads; ++h) {
    const bool finite = is_finite(key_range[h]) && is_finite(value_range[h]);
    if (finite && key_range[h] >= 0 && value_range[h] >= 0) continue;
    std::free(memory);
    return finite ? INHIBITOR_BAD_ARGUMENT : INHIBITOR_NOT_FINITE;
  }
  return make_handle(cache, u8::kv_cache(extents, memory, capacity, key_range, value_range, is_unsigned == 0), memory);
}
void inhibitor_u8_kv_cache_destroy(inhibitor_u8_kv_cache* cache) { destroy(cache); }
inhibitor_status inhibitor_u8_kv_cache_reserve(inhibitor_u8_kv_cache* cache, ptrdiff_t capacity) {
  if (cache != nullptr && !fits_u8(cache->rows.extents(), capacity)) return INHIBITOR_TOO_LARGE_FOR_U8;
  return reserve(cache, capacity);
}
inhibitor_status inhibitor_u8_kv_cache_append(inhibitor_u8_kv_cache* cache, const inhibitor_input* k,
                                              const inhibitor_input* v, ptrdiff_t rows) {
  return append(cache, k, v, rows);
}
inhibitor_status inhibitor_u8_kv_cache_clear(inhibitor_u8_kv_cache* cache) { return clear(cache); }
ptrdiff_t inhibitor_u8_kv_cache_length(const inhibitor_u8_kv_cache* cache) {
  return cache != nullptr ? cache->rows.length() : 0;
}
ptrdiff_t inhibitor_u8_kv_cache_capacity(const inhibitor_u8_kv_cache* cache) {
  return cache != nullptr ? cache->rows.capacity() : 0;
}
ptrdiff_t inhibitor_u8_kv_cache_limited(const inhibitor_u8_kv_cache* cache) {
  return cache != nullptr ? cache->rows.limited() : 0;
}

inhibitor_status inhibitor_u8_cached_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                                       const inhibitor_u8_kv_cache* const* caches,
                                                       const inhibitor_shape* shape, const inhibitor_mask* mask,
                                                       const inhibitor_mechanism* mechanism, void* workspace,
                                                       size_t workspace_bytes, const inhibitor_executor* executor) {
  return cached_call(
      INHIBITOR_CALL_U8_CACHED_FORWARD, out, q, caches, shape, mask, mechanism, workspace, workspace_bytes, executor,
      [&](const call_arguments& a, const u8::kv_cache* views, void* memory, index_t bytes) {
        if (a.mechanism.kind != INHIBITOR_KIND_INHIBITOR) return INHIBITOR_BAD_ARGUMENT;
        return status_of(u8::try_cached_attention_forward(c_interface::view_of<heads_view<float>>(*out),
                                                          c_interface::view_of<heads_view<const float>>(*q), views,
                                                          a.shape, a.mask, a.inhibitor(), memory, bytes, a.run));
      });
}
