// SPDX-License-Identifier: Apache-2.0
#include "caller.h"

#include <stdlib.h>

static void take_turns(void* pool, ptrdiff_t items, inhibitor_task task, void* context) {
  const ptrdiff_t workers = *(const ptrdiff_t*)pool;
  for (ptrdiff_t i = 0; i < items; ++i) task(context, i, i % workers);
}

static ptrdiff_t two = 2;
static const inhibitor_executor pool = {2, take_turns, &two};

/* A workspace of exactly the size asked for. */
struct workspace {
  inhibitor_status status;
  size_t bytes;
  void* memory;
};
static struct workspace workspace_for(int32_t call, const inhibitor_shape* shape) {
  struct workspace w = {INHIBITOR_OK, 0, NULL};
  w.status = inhibitor_workspace_size(&w.bytes, call, shape, pool.workers);
  if (w.status == INHIBITOR_OK) w.memory = malloc(w.bytes);
  return w;
}

static ptrdiff_t key_heads(const inhibitor_shape* s) { return s->kv_heads != 0 ? s->kv_heads : s->heads; }

static inhibitor_input input(const float* data, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width) {
  const inhibitor_input x = {data, rows * heads * width, heads * width, width};
  return x;
}
static inhibitor_tensor tensor(float* data, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width) {
  const inhibitor_tensor x = {data, rows * heads * width, heads * width, width};
  return x;
}
static inhibitor_input queries_of(const struct case_arrays* in, const inhibitor_shape* s) {
  return input(in->q, s->queries, s->heads, s->head_size);
}
static inhibitor_input keys_of(const struct case_arrays* in, const inhibitor_shape* s) {
  return input(in->k, s->keys, key_heads(s), s->head_size);
}
static inhibitor_input values_of(const struct case_arrays* in, const inhibitor_shape* s) {
  return input(in->v, s->keys, key_heads(s), s->value_size);
}

inhibitor_status call_forward(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                              const inhibitor_mask* mask, const inhibitor_mechanism* mechanism) {
  struct workspace w = workspace_for(INHIBITOR_CALL_FORWARD, shape);
  const inhibitor_tensor o = tensor(out, shape->queries, shape->heads, shape->value_size);
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_attention_forward(&o, &q, &k, &v, shape, mask, mechanism, w.memory, w.bytes, &pool);
  }
  free(w.memory);
  return w.status;
}

inhibitor_status call_backward(float* dq, float* dk, float* dv, float* dscalars, const float* dout,
                               const struct case_arrays* in, const inhibitor_shape* shape, const inhibitor_mask* mask,
                               const inhibitor_mechanism* mechanism) {
  struct workspace w = workspace_for(INHIBITOR_CALL_BACKWARD, shape);
  const inhibitor_tensor tq = tensor(dq, shape->queries, shape->heads, shape->head_size);
  const inhibitor_tensor tk = tensor(dk, shape->keys, key_heads(shape), shape->head_size);
  const inhibitor_tensor tv = tensor(dv, shape->keys, key_heads(shape), shape->value_size);
  const inhibitor_scalar_gradients ds = {dscalars, dscalars + shape->heads, dscalars + 2 * shape->heads};
  const inhibitor_input g = input(dout, shape->queries, shape->heads, shape->value_size);
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_attention_backward(&tq, &tk, &tv, &ds, &g, &q, &k, &v, shape, mask, mechanism, w.memory,
                                            w.bytes, &pool);
  }
  free(w.memory);
  return w.status;
}

inhibitor_status call_u8(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                         const inhibitor_mask* mask, const inhibitor_mechanism* mechanism) {
  struct workspace w = workspace_for(INHIBITOR_CALL_U8_FORWARD, shape);
  const inhibitor_tensor o = tensor(out, shape->queries, shape->heads, shape->value_size);
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_u8_attention_forward(&o, &q, &k, &v, shape, mask, mechanism, w.memory, w.bytes, &pool);
  }
  free(w.memory);
  return w.status;
}

inhibitor_status call_u8_integers(int32_t* out, float* scales, const struct case_arrays* in,
                                  const inhibitor_shape* shape, const inhibitor_mask* mask,
                                  const inhibitor_mechanism* mechanism) {
  struct workspace w = workspace_for(INHIBITOR_CALL_U8_FORWARD, shape);
  const inhibitor_integers o = {out, shape->queries * shape->heads * shape->value_size,
                                shape->heads * shape->value_size, shape->value_size};
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_u8_attention_forward_integers(&o, scales, &q, &k, &v, shape, mask, mechanism, w.memory,
                                                       w.bytes, NULL);
  }
  free(w.memory);
  return w.status;
}

/* Rows [first, first + n) of sequence b. */
static inhibitor_input rows_of(inhibitor_input x, ptrdiff_t b, ptrdiff_t first) {
  x.data += b * x.batch_stride + first * x.row_stride;
  return x;
}

inhibitor_status call_cached(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                             const inhibitor_mask* mask, const inhibitor_mechanism* mechanism) {
  inhibitor_kv_cache** caches = calloc((size_t)shape->batch + 1, sizeof(inhibitor_kv_cache*));
  struct workspace w = workspace_for(INHIBITOR_CALL_CACHED_FORWARD, shape);
  const inhibitor_tensor o = tensor(out, shape->queries, shape->heads, shape->value_size);
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  const ptrdiff_t part = shape->keys / 2;
  for (ptrdiff_t b = 0; b < shape->batch && w.status == INHIBITOR_OK; ++b) {
    w.status = inhibitor_kv_cache_create(&caches[b], key_heads(shape), shape->head_size, shape->value_size, part);
    for (ptrdiff_t first = 0; first < shape->keys && w.status == INHIBITOR_OK;
         first += first == 0 ? part : shape->keys) {
      const inhibitor_input keys = rows_of(k, b, first), values = rows_of(v, b, first);
      const ptrdiff_t rows = first == 0 ? part : shape->keys - part;
      w.status = inhibitor_kv_cache_reserve(caches[b], first + rows);
      if (w.status == INHIBITOR_OK) w.status = inhibitor_kv_cache_append(caches[b], &keys, &values, rows);
    }
  }
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_cached_attention_forward(&o, &q, (const inhibitor_kv_cache* const*)caches, shape, mask,
                                                  mechanism, w.memory, w.bytes, &pool);
  }
  for (ptrdiff_t b = 0; b < shape->batch; ++b) inhibitor_kv_cache_destroy(caches[b]);
  free(caches);
  free(w.memory);
  return w.status;
}

inhibitor_status call_u8_cached(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                                const inhibitor_mask* mask, const inhibitor_mechanism* mechanism,
                                const float* key_range, const float* value_range) {
  inhibitor_u8_kv_cache** caches = calloc((size_t)shape->batch + 1, sizeof(inhibitor_u8_kv_cache*));
  struct workspace w = workspace_for(INHIBITOR_CALL_U8_CACHED_FORWARD, shape);
  const inhibitor_tensor o = tensor(out, shape->queries, shape->heads, shape->value_size);
  const inhibitor_input q = queries_of(in, shape), k = keys_of(in, shape), v = values_of(in, shape);
  const ptrdiff_t part = shape->keys / 2;
  for (ptrdiff_t b = 0; b < shape->batch && w.status == INHIBITOR_OK; ++b) {
    w.status = inhibitor_u8_kv_cache_create(&caches[b], key_heads(shape), shape->head_size, shape->value_size, part,
                                            key_range, value_range, mechanism->is_unsigned);
    for (ptrdiff_t first = 0; first < shape->keys && w.status == INHIBITOR_OK;
         first += first == 0 ? part : shape->keys) {
      const inhibitor_input keys = rows_of(k, b, first), values = rows_of(v, b, first);
      const ptrdiff_t rows = first == 0 ? part : shape->keys - part;
      w.status = inhibitor_u8_kv_cache_reserve(caches[b], first + rows);
      if (w.status == INHIBITOR_OK) w.status = inhibitor_u8_kv_cache_append(caches[b], &keys, &values, rows);
    }
  }
  if (w.status == INHIBITOR_OK) {
    w.status = inhibitor_u8_cached_attention_forward(&o, &q, (const inhibitor_u8_kv_cache* const*)caches, shape, mask,
                                                     mechanism, w.memory, w.bytes, &pool);
  }
  for (ptrdiff_t b = 0; b < shape->batch; ++b) inhibitor_u8_kv_cache_destroy(caches[b]);
  free(caches);
  free(w.memory);
  return w.status;
}
