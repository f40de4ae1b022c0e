// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/simd/ops.hpp"

// Sums of products of signed bytes in 32 bits, four neighboring bytes per 32-bit lane, exact on every instruction set:
// what the integer matrix product is made of. One operand comes from memory as it is (weights, a different number in
// every lane), the other is four bytes repeated in all lanes (activations), prepared once per row in the form that the
// instructions want:
//
//   form          four numbers x0..x3 become                 instruction sets
//   signed_bytes  x0 x1 x2 x3                                portable, NEON
//   offset_bytes  x0+128 ... x3+128                          VNNI, AMX: unsigned by signed bytes; the sum is 128 times
//                                                            the sum of the weights too large
//   word_pairs    x0 x2 | x1 x3 as 16-bit numbers            SSE2, AVX2, AVX-512: 16-bit products, two parts
//
// vpmaddubsw, which adds two products of bytes in 16 bits, saturates; nothing here uses it. Widened to 16 bits, a pair
// of products is at most 2 * 127 * 127, and every form sums up to 2^31 / (255 * 127) = 66000 numbers without wrapping.
//
// portable_dots is the contract; dot_ops<Isa> is what kernels call.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How the repeated operand lies in memory.
enum class dot_form { signed_bytes, offset_bytes, word_pairs };

/// Bytes of four numbers of the repeated operand.
constexpr index_t dot_step_bytes(dot_form form) { return form == dot_form::word_pairs ? 8 : 4; }

template <class Isa>
struct portable_dots {
  using ops = byte_ops<Isa>;
  using u8 = typename ops::u8;
  using i32 = typename ops::i32;
  using weights = u8;   ///< as load_weights makes them
  using repeated = u8;  ///< as repeat makes it
  static constexpr dot_form form = dot_form::signed_bytes;
  static constexpr index_t width = ops::width;  ///< bytes of a register: 4 per lane
  static constexpr int parts = 1;               ///< a step of four numbers is taken in so many parts

  template <int Part>
  static INHIBITOR_INLINE weights load_weights(const std::int8_t* p) {
    return u8::load_unaligned(reinterpret_cast<const std::uint8_t*>(p));
  }
  /// Part `Part` of four numbers at p, in every lane.
  template <int Part>
  static INHIBITOR_INLINE repeated repeat(const std::uint8_t* p) {
    return ops::broadcast_4(p);
  }
  /// sum plus, per lane, the products of one part.
  static INHIBITOR_INLINE i32 add_products(const i32& sum, const repeated& x, const weights& w) {
    std::uint8_t a[width], b[width];
    std::int32_t total[width / 4];
    x.store_unaligned(a);
    w.store_unaligned(b);
    sum.store_unaligned(total);
    for (index_t i = 0; i < width; ++i) total[i / 4] += static_cast<std::int8_t>(a[i]) * static_cast<std::int8_t>(b[i]);
    return i32::load_unaligned(total);
  }

  /// Writes `width` numbers, 32-bit lanes of -127 .. 127 in order, as the form says: width / 4 steps.
  static INHIBITOR_INLINE void store_form(std::uint8_t* p, const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    (ops::offset_bytes(x0, x1, x2, x3) ^ u8(std::uint8_t{0x80})).store_unaligned(p);
  }
};

namespace detail {
template <class Isa, class = void>
struct native_dots : portable_dots<Isa> {};
}  // namespace detail

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#if defined(__x86_64__) || defined(__i386__)
#include "inhibitor/simd/dot_ops_x86.hpp"
#elif defined(__aarch64__)
#include "inhibitor/simd/dot_ops_arm.hpp"
#endif

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

template <class Isa>
using dot_ops = detail::native_dots<Isa>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
