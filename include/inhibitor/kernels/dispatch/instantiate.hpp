// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/table.hpp"
#include "inhibitor/kernels/attention_u8/table.hpp"
#include "inhibitor/kernels/gemm/table.hpp"

// For a translation unit of its own, compiled with the flags of one instruction set: INHIBITOR_INSTANTIATE(target,
// name) defines the tables that kernels/dispatch/dispatch.hpp chooses from. Such a unit includes nothing above kernels/
// and has nothing with a name but what INHIBITOR_TARGET marks and these tables, whose name says whose they are, so that
// neither can replace a namesake of the rest of the program.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

template <class Isa>
inline constexpr boundary::kernel_tables kernel_tables_of = {
    isa_name<Isa>(),
    attention_table_of<Isa, float>,
    attention_table_of<Isa, double>,
    inference_table_of<Isa, float>,
    inference_table_of<Isa, double>,
    u8_table_of<Isa>,
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#define INHIBITOR_INSTANTIATE(target, name)                                                    \
  extern "C" const inhibitor::boundary::kernel_tables INHIBITOR_VARIANT_SYMBOL(target, name) = \
      inhibitor::kernels::kernel_tables_of<inhibitor::best_isa>;
