// SPDX-License-Identifier: Apache-2.0
// The kernels of one instruction set, INHIBITOR_COMPILED_ISA; compiled once for each by inhibitor_add_isa_variants.
#include "inhibitor/kernels/dispatch/instantiate.hpp"

INHIBITOR_INSTANTIATE(INHIBITOR_COMPILED_ISA)
