// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/add_only.hpp"
#include "inhibitor/kernels/attention_forward.hpp"
#include "inhibitor/kernels/skip.hpp"

// The add-only kernels of one instruction set, for a test to disassemble. multiplying_probe is what the test must find:
// it proves that the search sees a multiplication when there is one.

namespace inhibitor {
namespace kernels {

#define INHIBITOR_ADD_ONLY(...)                                                    \
  template void attention_forward<best_isa, float, manhattan_by_max, __VA_ARGS__>( \
      float*, index_t, const head_inputs<float>&, const weight_options<float>&, float*);

INHIBITOR_ADD_ONLY(add_only<signed_relu, true>)
INHIBITOR_ADD_ONLY(add_only<signed_relu, false>)
INHIBITOR_ADD_ONLY(add_only<unsigned_relu, true>)
INHIBITOR_ADD_ONLY(add_only<unsigned_relu, false>)
INHIBITOR_ADD_ONLY(skipping<add_only<signed_relu, true>>)
INHIBITOR_ADD_ONLY(skipping<add_only<signed_relu, false>>)

float multiplying_probe(float a, float b);
float multiplying_probe(float a, float b) { return a * b; }

}  // namespace kernels
}  // namespace inhibitor
