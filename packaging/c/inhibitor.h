// SPDX-License-Identifier: Apache-2.0
#ifndef INHIBITOR_H
#define INHIBITOR_H

/*
 * Inhibitor attention from C, and from whatever calls C: the calls of inhibitor/attention/raw.hpp, kv_cache.hpp and u8/
 * in a compiled library that chooses the instruction set when it runs. docs/c-interface.md shows it in use.
 *
 * Letters: B batch, L queries, S keys, H heads, D size of a query or key head, Dv size of a value head, Hkv heads of keys
 * and values. Sizes of tensors are counted in elements, memory in bytes.
 *
 * Structures are read during a call and not kept; zeros (`= {0}`) are the defaults. Every call returns a status and
 * prints nothing; only the functions ending in _create and _reserve allocate. A null pointer where something is needed,
 * extents that mean nothing or are too large, an option that does not exist: a status, with nothing written. What no
 * library can see stays with the caller: pointers and strides that lead out of their arrays, a workspace smaller than
 * stated, a handle used after _destroy.
 *
 * Calls may run at the same time with a workspace each. A cache must not be changed while a call reads it.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(__GNUC__)
#define INHIBITOR_API __attribute__((visibility("default")))
#else
#define INHIBITOR_API
#endif

typedef enum inhibitor_status {
  INHIBITOR_OK = 0,
  INHIBITOR_BAD_EXTENT = 1,          /* negative, D = 0, or so large that memory sizes would overflow */
  INHIBITOR_BAD_KV_HEADS = 2,        /* Hkv does not divide H, or is not that of a cache */
  INHIBITOR_BAD_STARTS = 3,          /* starts of packed sequences decrease, or a sequence is longer than L or S */
  INHIBITOR_NULL_POINTER = 4,        /* a null pointer where the shape is not empty */
  INHIBITOR_MISSING_SCALARS = 5,     /* a scalar that the mechanism needs is null */
  INHIBITOR_WORKSPACE_TOO_SMALL = 6, /* fewer bytes than inhibitor_workspace_size says */
  INHIBITOR_TOO_LARGE_FOR_U8 = 7,    /* beyond D 257, Dv 1024 or S 8000000 */
  INHIBITOR_NOT_FINITE = 8,          /* u8: a scalar, range, query, attended key or value is NaN or infinite */
  INHIBITOR_CACHE_FULL = 9,          /* the cache has no room for the rows */
  INHIBITOR_UNSUPPORTED_MASK = 10,   /* a mask that the call does not take */
  INHIBITOR_BAD_OPTION = 11,         /* the cache was made for the other of signed and unsigned */
  INHIBITOR_BAD_ARGUMENT = 12,       /* an option or a number that the call does not take */
  INHIBITOR_OUT_OF_MEMORY = 13       /* _create or _reserve got no memory */
} inhibitor_status;

/* One line of English for a status, also for one that does not exist. */
INHIBITOR_API const char* inhibitor_status_text(int status);

/* Version of the library that runs, as "0.1.0", and the instruction set it uses, as "avx512_vnni". The environment
 * variable INHIBITOR_ISA, read at the first call, names another one of those compiled in; a name that is not there is
 * reported once on stderr, the only thing that this library ever prints. */
INHIBITOR_API const char* inhibitor_version(void);
INHIBITOR_API const char* inhibitor_active_isa(void);

/* A (B, L, H, D) tensor by strides; the last dimension is contiguous. Element (b, l, h, d) is at data[b * batch_stride +
 * l * row_stride + h * head_stride + d], so [B,L,H,D] and [B,H,L,D] fit without a copy. */
typedef struct inhibitor_tensor {
  float* data;
  ptrdiff_t batch_stride, row_stride, head_stride;
} inhibitor_tensor;

typedef struct inhibitor_input {
  const float* data;
  ptrdiff_t batch_stride, row_stride, head_stride;
} inhibitor_input;

typedef struct inhibitor_integers {
  int32_t* data;
  ptrdiff_t batch_stride, row_stride, head_stride;
} inhibitor_integers;

/* Rows [first, last) of every sequence, cut to those it has. */
typedef struct inhibitor_rows {
  ptrdiff_t first, last;
} inhibitor_rows;

typedef struct inhibitor_shape {
  ptrdiff_t batch, heads, queries, keys, head_size, value_size; /* B, H, L, S, D, Dv */
  ptrdiff_t kv_heads; /* Hkv, a divisor of H: query head h uses head h / (H / Hkv); 0: H */
  const int32_t*
      query_starts;          /* (B + 1) or null: packed sequences, b has rows [starts[b], starts[b + 1]) of q and out */
  const int32_t* key_starts; /* (B + 1) or null: the same of k and v; L and S are then the longest to come */
  const inhibitor_rows* rows; /* queries to compute; null: all. Other rows of out are left alone */
} inhibitor_shape;

/* Which keys a query may attend to: those that every mask given allows. Not zero means attend. */
typedef struct inhibitor_mask {
  const uint8_t* key_mask;                          /* (B, S), packed batches (total keys); null: every key */
  const uint8_t* attend;                            /* (B, L, S) by strides, whatever the pattern; null: every key */
  ptrdiff_t attend_batch_stride, attend_row_stride; /* a batch stride of 0 shares one (L, S) mask */
  int32_t causal;                                   /* not 0: query i sees keys j <= i + S - L */
} inhibitor_mask;

enum { /* inhibitor_mechanism.kind */
       INHIBITOR_KIND_INHIBITOR = 0,
       INHIBITOR_KIND_ADD_ONLY =
           1, /* forward: gamma / sqrt(D) and eta are 1, folded into what is around; `shift` alone is read */
       INHIBITOR_KIND_DOT_PRODUCT = 2 /* softmax attention, for comparison; reads no scalars */
};
enum { /* inhibitor_mechanism.center: the keys whose mean score is subtracted */
       INHIBITOR_CENTER_ATTENDED_KEYS = 0,
       INHIBITOR_CENTER_ALL_KEYS = 1,
       INHIBITOR_CENTER_NONE = 2
};

/* Z_ij = max(gamma / sqrt(D) * |q_i - k_j|_1 - mean + delta, 0),  out_i = eta * sum_j sign(v_j) max(|v_j| - Z_ij, 0) */
typedef struct inhibitor_mechanism {
  int32_t kind, center;
  int32_t is_unsigned;         /* not 0: max(v - Z, 0) */
  int32_t normalize_by_length; /* not 0: divide the output by the number of attended keys */
  int32_t skip_inhibited;      /* not 0: leave out keys that add nothing; pays from about half of them on */
  const float* score_scale;    /* (H) gamma */
  const float* shift;          /* (H) delta */
  const float* output_scale;   /* (H) eta */
} inhibitor_mechanism;

/* Gradients of the scalars, (H) each; null members are left out. */
typedef struct inhibitor_scalar_gradients {
  float* score_scale;
  float* shift;
  float* output_scale;
} inhibitor_scalar_gradients;

/* The caller's threads. `run` calls task(context, i, worker) once for every i in [0, items), two tasks at the same time
 * with different workers in [0, workers), and returns when all are done. It must not throw. Null, or a null `run`: the
 * calling thread. Results do not depend on it. */
typedef void (*inhibitor_task)(void* context, ptrdiff_t item, ptrdiff_t worker);
typedef void (*inhibitor_runner)(void* pool, ptrdiff_t items, inhibitor_task task, void* context);
typedef struct inhibitor_executor {
  ptrdiff_t workers;
  inhibitor_runner run;
  void* pool;
} inhibitor_executor;

enum { /* the calls that inhibitor_workspace_size knows */
       INHIBITOR_CALL_FORWARD = 0,
       INHIBITOR_CALL_BACKWARD = 1,
       INHIBITOR_CALL_CACHED_FORWARD = 2,
       INHIBITOR_CALL_U8_FORWARD = 3, /* with either output */
       INHIBITOR_CALL_U8_CACHED_FORWARD = 4
};

/* Bytes of workspace, at any address, that a call of this shape needs, whatever its masks, mechanism and rows. Of cached
 * calls shape->keys is the largest length to come. 1 worker for the calling thread. */
INHIBITOR_API inhibitor_status inhibitor_workspace_size(size_t* bytes, int32_t call, const inhibitor_shape* shape,
                                                        ptrdiff_t workers);

/* out = attention(q, k, v), overwritten: q (B, L, H, D), k (B, S, Hkv, D), v (B, S, Hkv, Dv), out (B, L, H, Dv), which
 * may not overlap the inputs. `mask` and `executor` may be null. A query without keys gives zeros. */
INHIBITOR_API inhibitor_status inhibitor_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                                           const inhibitor_input* k, const inhibitor_input* v,
                                                           const inhibitor_shape* shape, const inhibitor_mask* mask,
                                                           const inhibitor_mechanism* mechanism, void* workspace,
                                                           size_t workspace_bytes, const inhibitor_executor* executor);

/* Adds the gradients of <dout, out> to dq, dk, dv (shapes of q, k, v) and to `dscalars`, which may be null. Not for
 * INHIBITOR_KIND_ADD_ONLY. */
INHIBITOR_API inhibitor_status inhibitor_attention_backward(
    const inhibitor_tensor* dq, const inhibitor_tensor* dk, const inhibitor_tensor* dv,
    const inhibitor_scalar_gradients* dscalars, const inhibitor_input* dout, const inhibitor_input* q,
    const inhibitor_input* k, const inhibitor_input* v, const inhibitor_shape* shape, const inhibitor_mask* mask,
    const inhibitor_mechanism* mechanism, void* workspace, size_t workspace_bytes, const inhibitor_executor* executor);

/* Attention in bytes, for INHIBITOR_KIND_INHIBITOR: the same bits on every instruction set and for any number of threads.
 * Every number that takes part must be finite; after INHIBITOR_NOT_FINITE, which may be found late, out is unspecified. */
INHIBITOR_API inhibitor_status inhibitor_u8_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                                              const inhibitor_input* k, const inhibitor_input* v,
                                                              const inhibitor_shape* shape, const inhibitor_mask* mask,
                                                              const inhibitor_mechanism* mechanism, void* workspace,
                                                              size_t workspace_bytes,
                                                              const inhibitor_executor* executor);

/* The same with integers: the attention is out * scales[b * H + h], scales (B, H). Dividing by length is the caller's. */
INHIBITOR_API inhibitor_status inhibitor_u8_attention_forward_integers(
    const inhibitor_integers* out, float* scales, const inhibitor_input* q, const inhibitor_input* k,
    const inhibitor_input* v, const inhibitor_shape* shape, const inhibitor_mask* mask,
    const inhibitor_mechanism* mechanism, void* workspace, size_t workspace_bytes, const inhibitor_executor* executor);

/* Keys and values of one sequence kept packed, for decoding; the cache owns its memory. */
typedef struct inhibitor_kv_cache inhibitor_kv_cache;

/* An empty cache with room for `capacity` rows. *cache is null unless the status is INHIBITOR_OK. */
INHIBITOR_API inhibitor_status inhibitor_kv_cache_create(inhibitor_kv_cache** cache, ptrdiff_t kv_heads,
                                                         ptrdiff_t head_size, ptrdiff_t value_size, ptrdiff_t capacity);
/* Releases the cache; null is allowed. The handle must not be used again. */
INHIBITOR_API void inhibitor_kv_cache_destroy(inhibitor_kv_cache* cache);
/* Makes room for `capacity` rows in all, keeping those that are there. */
INHIBITOR_API inhibitor_status inhibitor_kv_cache_reserve(inhibitor_kv_cache* cache, ptrdiff_t capacity);
/* Adds rows behind the others: k (rows, Hkv, D), v (rows, Hkv, Dv), batch strides unused. */
INHIBITOR_API inhibitor_status inhibitor_kv_cache_append(inhibitor_kv_cache* cache, const inhibitor_input* k,
                                                         const inhibitor_input* v, ptrdiff_t rows);
/* Forgets all rows. */
INHIBITOR_API inhibitor_status inhibitor_kv_cache_clear(inhibitor_kv_cache* cache);
/* Rows held and rows that fit; 0 of null. */
INHIBITOR_API ptrdiff_t inhibitor_kv_cache_length(const inhibitor_kv_cache* cache);
INHIBITOR_API ptrdiff_t inhibitor_kv_cache_capacity(const inhibitor_kv_cache* cache);

/* Attention against `caches` (B), one per sequence: q (B, L, H, D) are the last L tokens where the mask is causal, and
 * shape->keys is an upper bound of the lengths. Of the masks only `causal` is taken. */
INHIBITOR_API inhibitor_status inhibitor_cached_attention_forward(
    const inhibitor_tensor* out, const inhibitor_input* q, const inhibitor_kv_cache* const* caches,
    const inhibitor_shape* shape, const inhibitor_mask* mask, const inhibitor_mechanism* mechanism, void* workspace,
    size_t workspace_bytes, const inhibitor_executor* executor);

/* The same in bytes. key_range, value_range (Hkv): the largest magnitude of queries and keys, and of values, to expect.
 * Larger ones are limited to it; inhibitor_u8_kv_cache_limited counts the features of keys and values that were. */
typedef struct inhibitor_u8_kv_cache inhibitor_u8_kv_cache;

INHIBITOR_API inhibitor_status inhibitor_u8_kv_cache_create(inhibitor_u8_kv_cache** cache, ptrdiff_t kv_heads,
                                                            ptrdiff_t head_size, ptrdiff_t value_size,
                                                            ptrdiff_t capacity, const float* key_range,
                                                            const float* value_range, int32_t is_unsigned);
INHIBITOR_API void inhibitor_u8_kv_cache_destroy(inhibitor_u8_kv_cache* cache);
INHIBITOR_API inhibitor_status inhibitor_u8_kv_cache_reserve(inhibitor_u8_kv_cache* cache, ptrdiff_t capacity);
INHIBITOR_API inhibitor_status inhibitor_u8_kv_cache_append(inhibitor_u8_kv_cache* cache, const inhibitor_input* k,
                                                            const inhibitor_input* v, ptrdiff_t rows);
INHIBITOR_API inhibitor_status inhibitor_u8_kv_cache_clear(inhibitor_u8_kv_cache* cache);
INHIBITOR_API ptrdiff_t inhibitor_u8_kv_cache_length(const inhibitor_u8_kv_cache* cache);
INHIBITOR_API ptrdiff_t inhibitor_u8_kv_cache_capacity(const inhibitor_u8_kv_cache* cache);
INHIBITOR_API ptrdiff_t inhibitor_u8_kv_cache_limited(const inhibitor_u8_kv_cache* cache);

INHIBITOR_API inhibitor_status inhibitor_u8_cached_attention_forward(
    const inhibitor_tensor* out, const inhibitor_input* q, const inhibitor_u8_kv_cache* const* caches,
    const inhibitor_shape* shape, const inhibitor_mask* mask, const inhibitor_mechanism* mechanism, void* workspace,
    size_t workspace_bytes, const inhibitor_executor* executor);

#if defined(__cplusplus)
}
#endif

#endif
