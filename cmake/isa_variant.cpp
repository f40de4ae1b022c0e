// SPDX-License-Identifier: Apache-2.0
// The kernels of one instruction set; compiled once for each by inhibitor_add_isa_variants.
#include "inhibitor/kernels/dispatch/instantiate.hpp"

#if !defined(INHIBITOR_VARIANT_FLOATS)
#define INHIBITOR_VARIANT_FLOATS INHIBITOR_VARIANT_ISA
INHIBITOR_INSTANTIATE_FLOATS(INHIBITOR_VARIANT_TARGET, INHIBITOR_VARIANT_ISA)
#endif
INHIBITOR_INSTANTIATE(INHIBITOR_VARIANT_TARGET, INHIBITOR_VARIANT_ISA, INHIBITOR_VARIANT_FLOATS)
