// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention_u8/table.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// The kernels of `Isa` as another translation unit compiled them, with flags that this one need not have.
template <class Isa>
const u8_table& u8_variant();

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
