// SPDX-License-Identifier: Apache-2.0

#include "compiled_kernels/compiled_kernels.hpp"

namespace inhibitor::INHIBITOR_TARGET::kernels {

INHIBITOR_KERNELS_OF(, INHIBITOR_DEFINE_KERNEL, double)

}  // namespace inhibitor::INHIBITOR_TARGET::kernels
