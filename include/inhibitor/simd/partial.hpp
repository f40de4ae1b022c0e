// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/batch.hpp"

// The one remainder mechanism: the first n lanes of a register from and to memory. Memory beyond n is neither read nor
// written, so the last row of a caller's array may end at a page boundary. Same result on every instruction set.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Lanes [0, n) from p, the others `fill`; 0 <= n <= N.
template <class Isa, class T>
INHIBITOR_INLINE batch<Isa, T> load_first(const T* p, index_t n, T fill = T(0)) {
  using B = batch<Isa, T>;
  if (n == lanes<Isa, T>) return B::load_unaligned(p);
  alignas(64) T values[lanes<Isa, T>];
  for (index_t i = 0; i < lanes<Isa, T>; ++i) values[i] = i < n ? p[i] : fill;
  return B::load_aligned(values);
}

/// Lanes [0, n) to p; 0 <= n <= N.
template <class Isa, class T>
INHIBITOR_INLINE void store_first(T* p, index_t n, const batch<Isa, T>& x) {
  if (n == lanes<Isa, T>) {
    x.store_unaligned(p);
    return;
  }
  alignas(64) T values[lanes<Isa, T>];
  x.store_aligned(values);
  for (index_t i = 0; i < n; ++i) p[i] = values[i];
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
