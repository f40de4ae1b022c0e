// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/attention/add_only.hpp"
#include "inhibitor/kernels/attention/forward.hpp"
#include "inhibitor/kernels/attention/skip.hpp"

// The add-only kernels of one instruction set, for a test to disassemble: INHIBITOR_CENTERED says which half.

namespace inhibitor {
namespace kernels {

#define INHIBITOR_ADD_ONLY(T, ...)                                                                                \
  template void attention_forward<best_isa, T, manhattan_by_max, __VA_ARGS__>(T*, index_t, const head_inputs<T>&, \
                                                                              const weight_options<T>&, T*);
#define INHIBITOR_ADD_ONLY_FORMS(T)                                         \
  INHIBITOR_ADD_ONLY(T, add_only<signed_relu, INHIBITOR_CENTERED>)           \
  INHIBITOR_ADD_ONLY(T, add_only<unsigned_relu, INHIBITOR_CENTERED>)         \
  INHIBITOR_ADD_ONLY(T, skipping<add_only<signed_relu, INHIBITOR_CENTERED>>) \
  INHIBITOR_ADD_ONLY(T, skipping<add_only<unsigned_relu, INHIBITOR_CENTERED>>)

INHIBITOR_ADD_ONLY_FORMS(float)
INHIBITOR_ADD_ONLY_FORMS(double)

}  // namespace kernels
}  // namespace inhibitor
