// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/attention/add_only.hpp"
#include "inhibitor/kernels/attention/forward.hpp"

// The kernels that the test of the add-only ones must reject: with scales, and with a division per row. They prove that
// it would see what it looks for.

namespace inhibitor {
namespace kernels {

template void attention_forward<best_isa, float, manhattan_by_max, signed_relu>(float*, index_t,
                                                                                const head_inputs<float>&,
                                                                                const weight_options<float>&, float*);
template void attention_forward<best_isa, float, manhattan_by_max, add_only<signed_relu, true>>(
    float*, index_t, const head_inputs<float>&, const weight_options<float>&, float*);

}  // namespace kernels
}  // namespace inhibitor
