// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/nn/blocks.hpp"
#include "inhibitor/simd/partial.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Calls body(first, count) for the registers that `size` numbers fill, the last one perhaps in part, in parallel.
template <class T, class Body>
void for_each_register(index_t size, const executor& workers, Body&& body) {
  constexpr index_t n = lanes<best_isa, T>;
  for_each_range(size, 4096, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; i += n) body(i, std::min(n, end - i));
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
