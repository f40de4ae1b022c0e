// SPDX-License-Identifier: Apache-2.0
#ifndef CALLER_H
#define CALLER_H

#include "inhibitor.h"

/* Calls made from C for test_c_interface.cpp: contiguous [B,L,H,D] arrays, workspaces from malloc, threads of two workers
 * that take the items in turn. */

#if defined(__cplusplus)
extern "C" {
#endif

struct case_arrays {
  const float* q; /* (B, L, H, D) */
  const float* k; /* (B, S, Hkv, D) */
  const float* v; /* (B, S, Hkv, Dv) */
};

inhibitor_status call_forward(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                              const inhibitor_mask* mask, const inhibitor_mechanism* mechanism);
inhibitor_status call_backward(float* dq, float* dk, float* dv, float* dscalars /* (3, H) */, const float* dout,
                               const struct case_arrays* in, const inhibitor_shape* shape, const inhibitor_mask* mask,
                               const inhibitor_mechanism* mechanism);
inhibitor_status call_u8(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                         const inhibitor_mask* mask, const inhibitor_mechanism* mechanism);
inhibitor_status call_u8_integers(int32_t* out, float* scales, const struct case_arrays* in,
                                  const inhibitor_shape* shape, const inhibitor_mask* mask,
                                  const inhibitor_mechanism* mechanism);
/* Every sequence appended to a cache of its own, in two parts with a reserve between, then one call. */
inhibitor_status call_cached(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                             const inhibitor_mask* mask, const inhibitor_mechanism* mechanism);
inhibitor_status call_u8_cached(float* out, const struct case_arrays* in, const inhibitor_shape* shape,
                                const inhibitor_mask* mask, const inhibitor_mechanism* mechanism,
                                const float* key_range, const float* value_range);

#if defined(__cplusplus)
}
#endif

#endif
