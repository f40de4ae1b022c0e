// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "inhibitor/simd/float_ops.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// exp(x) for x <= 0 (and for a positive x of rounding size), as softmax needs it: no overflow to handle. Float: x =
/// n ln 2 + r with |r| <= ln 2 / 2, a polynomial of degree 6 for exp(r) (truncation 1e-8, measured error 1.2 ulp),
/// times 2^n; results below 2^-126 become 0 on AVX-512 and at least 1e-38 elsewhere, the difference being nothing
/// beside exp(0). NaN stays NaN. Double and `scalar`: xsimd's and the standard library's exp.
template <class Isa, class T>
INHIBITOR_INLINE batch<Isa, T> exp_nonpositive(const batch<Isa, T>& x) {
  if constexpr (!std::is_same_v<T, float> || std::is_same_v<Isa, isa::scalar>) {
    return exp(x);
  } else {
    using B = batch<Isa, float>;
    using ops = float_ops<Isa, float>;
    constexpr bool scales = isa_has<Isa, isa::avx512>;  // has an instruction for times 2^n
    const B bounded = maximum(B(scales ? -110.0F : -87.0F), x);
    // Adding 1.5 * 2^23 rounds to an integer, which then lies in the low bits of the sum.
    const B magic(12582912.0F);
    const B shifted = ops::multiply_add(bounded, B(1.44269504F), magic);
    const B n = shifted - magic;
    // ln 2 in two parts, the first with few enough bits for n * part to be exact.
    const B r = ops::multiply_subtract(n, B(-2.12194440e-4F), ops::multiply_subtract(n, B(0.693359375F), bounded));
    B p = ops::multiply_add(r, B(1.39262135e-3F), B(8.36320297e-3F));
    p = ops::multiply_add(r, p, B(4.16665544e-2F));
    p = ops::multiply_add(r, p, B(1.66665768e-1F));
    p = ops::multiply_add(r, p, B(0.5F));
    p = ops::multiply_add(r, p, B(1.0F));
    p = ops::multiply_add(r, p, B(1.0F));
#if defined(__AVX512F__)
    if constexpr (scales) {
      return _mm512_scalef_ps(p, n);
    } else
#endif
    {
      using I = batch<Isa, std::int32_t>;
      I exponent, bits;
      std::memcpy(static_cast<void*>(&exponent), &shifted, sizeof(I));
      std::memcpy(static_cast<void*>(&bits), &p, sizeof(I));
      const I scaled = bits + (exponent << 23);
      B result;
      std::memcpy(static_cast<void*>(&result), &scaled, sizeof(B));
      return result;
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
