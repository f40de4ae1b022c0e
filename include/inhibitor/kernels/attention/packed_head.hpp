// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Keys and values of one head in the layouts of pack.hpp, wherever they are kept.
template <class T>
struct packed_head {
  const T* keys;
  const T* key_sums;  ///< of scoring policies that need them
  const T* values;
  index_t packed_keys;  ///< keys that the blocks of `keys` were cut for, at least those in use
  const T* value_sum;   ///< (Dv rounded up to N) sum of the first `summed` values, or null
  index_t summed;
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
