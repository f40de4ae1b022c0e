// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/u8_table.hpp"

namespace inhibitor {
namespace kernels {

/// The kernels of `Isa` as another translation unit compiled them, with flags that this one need not have.
template <class Isa>
const u8_table& u8_variant();

}  // namespace kernels
}  // namespace inhibitor
