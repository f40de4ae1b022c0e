// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/batch.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

// Operations on float and double registers that xsimd lacks or does not do in one instruction everywhere. float_ops is
// the contract and the portable form; the AVX-512 specializations below replace what has a native instruction.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Portable forms. B is a register of T on Isa.
template <class Isa, class T>
struct portable_float_ops {
  using B = batch<Isa, T>;

  /// a * b + c, with one rounding where the instruction set has such an instruction.
  static INHIBITOR_INLINE B multiply_add(B a, B b, B c) {
    if constexpr (isa_has<Isa, isa::avx2> || isa_has<Isa, isa::neon>) {
      return fma(a, b, c);
    } else {
      return a * b + c;
    }
  }
  /// c - a * b, likewise.
  static INHIBITOR_INLINE B multiply_subtract(B a, B b, B c) {
    if constexpr (isa_has<Isa, isa::avx2> || isa_has<Isa, isa::neon>) {
      return fnma(a, b, c);
    } else {
      return c - a * b;
    }
  }
  /// v limited to [-z, z]; z >= 0. NaN in z gives NaN, NaN in v may not.
  static INHIBITOR_INLINE B clamp(B v, B z) { return minimum(maximum(v, -z), z); }
  /// acc + x where a > b, acc elsewhere (also where a or b is NaN).
  static INHIBITOR_INLINE B add_where_greater(B acc, B a, B b, B x) { return acc + select(a > b, x, B(T(0))); }
  /// acc + x * y where a > b, acc elsewhere.
  static INHIBITOR_INLINE B multiply_add_where_greater(B acc, B a, B b, B x, B y) {
    return multiply_add(select(a > b, x, B(T(0))), y, acc);
  }
  /// 1, 0 or -1; 0 for both zeros; 0 for NaN.
  static INHIBITOR_INLINE B sign(B x) {
    const B zero(T(0)), one(T(1));
    return select(x > zero, one, zero) - select(x < zero, one, zero);
  }
};

template <class Isa, class T, class = void>
struct float_ops : portable_float_ops<Isa, T> {};

#if defined(__AVX512F__) && defined(__AVX512DQ__)

namespace detail {
// vfixupimm: the class of the operand picks a 4-bit answer, lowest bits first: quiet NaN, signalling NaN, zero, one,
// -infinity, +infinity, negative, positive. Answer 8 is +0, 9 is -1, A is +1.
inline constexpr int sign_by_class = static_cast<int>(0xA9A9A888U);
}  // namespace detail

template <class Isa>
struct float_ops<Isa, float, std::enable_if_t<isa_has<Isa, isa::avx512>>> {
  using B = batch<Isa, float>;

  static INHIBITOR_INLINE B multiply_add(B a, B b, B c) { return _mm512_fmadd_ps(a, b, c); }
  static INHIBITOR_INLINE B multiply_subtract(B a, B b, B c) { return _mm512_fnmadd_ps(a, b, c); }
  // Range operation 2: the operand of smaller magnitude, with the sign of the first.
  static INHIBITOR_INLINE B clamp(B v, B z) { return _mm512_range_ps(v, z, 2); }
  static INHIBITOR_INLINE B add_where_greater(B acc, B a, B b, B x) {
    return _mm512_mask_add_ps(acc, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), acc, x);
  }
  static INHIBITOR_INLINE B multiply_add_where_greater(B acc, B a, B b, B x, B y) {
    return _mm512_mask3_fmadd_ps(x, y, acc, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ));
  }
  static INHIBITOR_INLINE B sign(B x) { return _mm512_fixupimm_ps(x, x, _mm512_set1_epi32(detail::sign_by_class), 0); }
};

template <class Isa>
struct float_ops<Isa, double, std::enable_if_t<isa_has<Isa, isa::avx512>>> {
  using B = batch<Isa, double>;

  static INHIBITOR_INLINE B multiply_add(B a, B b, B c) { return _mm512_fmadd_pd(a, b, c); }
  static INHIBITOR_INLINE B multiply_subtract(B a, B b, B c) { return _mm512_fnmadd_pd(a, b, c); }
  static INHIBITOR_INLINE B clamp(B v, B z) { return _mm512_range_pd(v, z, 2); }
  static INHIBITOR_INLINE B add_where_greater(B acc, B a, B b, B x) {
    return _mm512_mask_add_pd(acc, _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), acc, x);
  }
  static INHIBITOR_INLINE B multiply_add_where_greater(B acc, B a, B b, B x, B y) {
    return _mm512_mask3_fmadd_pd(x, y, acc, _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ));
  }
  static INHIBITOR_INLINE B sign(B x) { return _mm512_fixupimm_pd(x, x, _mm512_set1_epi64(detail::sign_by_class), 0); }
};

#endif

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
