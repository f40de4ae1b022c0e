// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/table.hpp"
#include "inhibitor/kernels/attention_u8/table.hpp"
#include "inhibitor/kernels/gemm/table.hpp"
#include "inhibitor/kernels/gemm_s8/table.hpp"

// For a translation unit of its own, compiled with the flags of one instruction set: defines the tables that
// kernels/dispatch/dispatch.hpp chooses from. Such a unit includes nothing above kernels/ and has nothing with a name but
// what INHIBITOR_TARGET marks and these tables, whose name says whose they are, so that neither can replace a namesake of
// the rest of the program.
//
//   INHIBITOR_INSTANTIATE_FLOATS(target, name)     the kernels in floating point
//   INHIBITOR_INSTANTIATE(target, name, floats)    the others, and the tables of all; `floats` names the variant whose
//                                                  kernels in floating point serve here as well

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

template <class Isa>
inline constexpr boundary::float_tables float_tables_of = {
    attention_table_of<Isa, float>,
    attention_table_of<Isa, double>,
    inference_table_of<Isa, float>,
    inference_table_of<Isa, double>,
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#define INHIBITOR_INSTANTIATE_FLOATS(target, name)                                           \
  extern "C" const inhibitor::boundary::float_tables INHIBITOR_FLOATS_SYMBOL(target, name) = \
      inhibitor::kernels::float_tables_of<inhibitor::best_isa>;

#define INHIBITOR_INSTANTIATE(target, name, floats)                                              \
  extern "C" const inhibitor::boundary::float_tables INHIBITOR_FLOATS_SYMBOL(target, floats);    \
  extern "C" const inhibitor::boundary::kernel_tables INHIBITOR_VARIANT_SYMBOL(target, name) = { \
      inhibitor::isa_name<inhibitor::best_isa>(), &INHIBITOR_FLOATS_SYMBOL(target, floats),      \
      inhibitor::kernels::u8_table_of<inhibitor::best_isa>,                                          \
      inhibitor::kernels::s8_table_of<inhibitor::best_isa>};
