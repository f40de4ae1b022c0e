// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/exp.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// 1 / (1 + exp(-x)) per lane, without overflow: exp(min(x, 0)) / (1 + exp(-|x|)).
template <class Isa, class T>
INHIBITOR_INLINE batch<Isa, T> sigmoid(const batch<Isa, T>& x) {
  using B = batch<Isa, T>;
  const B zero(T(0)), negated = zero - x;
  return exp_nonpositive<Isa, T>(zero - maximum(negated, zero)) /
         (B(T(1)) + exp_nonpositive<Isa, T>(zero - maximum(x, negated)));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
