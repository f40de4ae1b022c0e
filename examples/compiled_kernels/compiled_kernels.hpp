// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/mechanism.hpp"
#include "inhibitor/simd/isa.hpp"

// The float kernels are large templates. Our programs and tests share one compilation of them per build: this header,
// which CMake includes ahead of their sources, says that the instantiations for the build's instruction set are
// elsewhere, and kernels_float.cpp and kernels_double.cpp are that elsewhere.

/// Calls WHAT(T, aggregation policy...) for every policy that goes with Manhattan scores.
#define INHIBITOR_FOR_EACH_AGGREGATE(WHAT, T)      \
  WHAT(T, signed_relu)                             \
  WHAT(T, unsigned_relu)                           \
  WHAT(T, skipping<signed_relu>)                   \
  WHAT(T, skipping<unsigned_relu>)                 \
  WHAT(T, add_only<signed_relu, true>)             \
  WHAT(T, add_only<signed_relu, false>)            \
  WHAT(T, add_only<unsigned_relu, true>)           \
  WHAT(T, add_only<unsigned_relu, false>)          \
  WHAT(T, skipping<add_only<signed_relu, true>>)   \
  WHAT(T, skipping<add_only<signed_relu, false>>)  \
  WHAT(T, skipping<add_only<unsigned_relu, true>>) \
  WHAT(T, skipping<add_only<unsigned_relu, false>>)

#define INHIBITOR_FORWARD_KERNEL(PREFIX, T, SCORE, ...)                                                       \
  PREFIX template void attention_forward<best_isa, T, SCORE, __VA_ARGS__>(T*, index_t, const head_inputs<T>&, \
                                                                          const weight_options<T>&, T*);      \
  PREFIX template void attention_forward_packed<best_isa, T, SCORE, __VA_ARGS__>(                             \
      T*, index_t, const head_inputs<T>&, const packed_head<T>&, const weight_options<T>&,                    \
      const tile_scratch<best_isa, T>&);
#define INHIBITOR_BACKWARD_KERNEL(PREFIX, T, SCORE, ...)                                   \
  PREFIX template option_gradients<T> attention_backward<best_isa, T, SCORE, __VA_ARGS__>( \
      const head_gradients<T>&, const T*, index_t, const head_inputs<T>&, const weight_options<T>&, T*);

/// All kernels of one number type; PREFIX is `extern` for declarations and empty for definitions.
#define INHIBITOR_KERNELS_OF(PREFIX, MANHATTAN, T)                    \
  INHIBITOR_FOR_EACH_AGGREGATE(MANHATTAN, T)                          \
  INHIBITOR_FORWARD_KERNEL(PREFIX, T, dot_product, softmax)           \
  INHIBITOR_BACKWARD_KERNEL(PREFIX, T, dot_product, softmax)          \
  INHIBITOR_BACKWARD_KERNEL(PREFIX, T, manhattan_by_max, signed_relu) \
  INHIBITOR_BACKWARD_KERNEL(PREFIX, T, manhattan_by_max, unsigned_relu)

#define INHIBITOR_DECLARE_KERNEL(T, ...) INHIBITOR_FORWARD_KERNEL(extern, T, manhattan_by_max, __VA_ARGS__)
#define INHIBITOR_DEFINE_KERNEL(T, ...) INHIBITOR_FORWARD_KERNEL(, T, manhattan_by_max, __VA_ARGS__)

namespace inhibitor::INHIBITOR_TARGET::kernels {

INHIBITOR_KERNELS_OF(extern, INHIBITOR_DECLARE_KERNEL, float)
INHIBITOR_KERNELS_OF(extern, INHIBITOR_DECLARE_KERNEL, double)

}  // namespace inhibitor::INHIBITOR_TARGET::kernels
