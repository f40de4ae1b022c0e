// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/fixed_rounding.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// GELU, x * Phi(x) with Phi the normal distribution function, per lane in the same bits on every instruction set:
/// additions, multiplications and a division alone. Phi(x) - 1/2 is x P(x^2) / Q(x^2) on |x| <= 5.5, a rational
/// approximation of degrees 5 and 5 (weighted least squares, error 2e-8), limited to +-1/2. Off the exact value by less
/// than 1e-6 everywhere, which is two units in the last place of 5, and by 1.2e-7 for |x| < 1.
template <class F>
INHIBITOR_INLINE F gelu_in_fixed_order(const F& x) {
  const F edge(5.5F), half(0.5F);
  const F t = min(max(x, F(-5.5F)), edge);
  const F u = t * t;
  F p(2.370664926e-8F), q(1.221813028e-6F);
  for (const float c : {6.301670621e-6F, 1.582651241e-4F, 4.613000094e-3F, 3.279462524e-2F, 0.3989422693F}) {
    p = multiply_then_add(p, u, F(c));
  }
  for (const float c : {7.038580305e-5F, 1.824325944e-3F, 2.80419766e-2F, 0.2488703655F, 1.0F}) {
    q = multiply_then_add(q, u, F(c));
  }
  const F above_half = min(max(quotient(t * p, q), F(-0.5F)), half);
  return x * (half + above_half);
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
