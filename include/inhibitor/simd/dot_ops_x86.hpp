// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__) || defined(__i386__)

#include <immintrin.h>

#include "inhibitor/simd/dot_ops.hpp"
#include "inhibitor/simd/registers_x86.hpp"

// Native forms of portable_dots on x86 (ports and latencies: registers_x86.hpp).
//
//   with VNNI      vpdpbusd: 32 or 64 products and their sums in one instruction
//   without        vpmaddwd + vpaddd on 16-bit numbers. Weights stay bytes in memory: the odd bytes of a 16-bit lane are
//                  its arithmetic shift by 8, the even ones the same after a shift to the left. That is 3 shifts per 8
//                  registers of products or more, and crosses no lanes, so one layout of weights serves all.
//
// The other exact way without VNNI, vpsignb + vpmaddubsw + vpmaddwd by ones + vpaddd, needs as many multiplications (two
// per register of bytes) and as many others.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace detail {

template <class Isa>
struct native_dots<Isa, std::enable_if_t<isa_has<Isa, isa::sse2>>> : portable_dots<Isa> {
  using base = portable_dots<Isa>;
  using base::width;
  using typename base::i32;
  using typename base::ops;
  using typename base::u8;
  using registers = x86_register<static_cast<int>(width)>;
  using weights = u8;
  using repeated = u8;
  static constexpr bool has_vnni = ops::has_vnni;
  static constexpr dot_form form = has_vnni ? dot_form::offset_bytes : dot_form::word_pairs;
  static constexpr int parts = has_vnni ? 1 : 2;

  template <int Part>
  static INHIBITOR_INLINE weights load_weights(const std::int8_t* p) {
    const u8 bytes = u8::load_unaligned(reinterpret_cast<const std::uint8_t*>(p));
    if constexpr (has_vnni) {
      return bytes;
    } else if constexpr (Part == 0) {
      return u8(registers::high_bytes_16(registers::move_up_16(bytes)));
    } else {
      return u8(registers::high_bytes_16(bytes));
    }
  }

  template <int Part>
  static INHIBITOR_INLINE repeated repeat(const std::uint8_t* p) {
    return ops::broadcast_4(p + 4 * Part);
  }

  static INHIBITOR_INLINE i32 add_products(const i32& sum, const repeated& x, const weights& w) {
    if constexpr (has_vnni) {
      return ops::add_signed(sum, x, w);
    } else {
      auto total = registers::add_32(sum, registers::multiply_add_16(x, w));
      // Left alone, g++ adds the products of both parts first and has too few registers for them.
      __asm__("" : "+v"(total));
      return i32(total);
    }
  }

  static INHIBITOR_INLINE void store_form(std::uint8_t* p, const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    if constexpr (has_vnni) {
      ops::offset_bytes(x0, x1, x2, x3).store_unaligned(p);
    } else {
      u8(pairs(x0, x1)).store_unaligned(p);
      u8(pairs(x2, x3)).store_unaligned(p + width);
    }
  }

 private:
  /// Lanes of two registers as 16-bit numbers, of each four the middle two exchanged.
  static INHIBITOR_INLINE typename registers::i pairs(const i32& x0, const i32& x1) {
    typename registers::i words = registers::pack_32(x0, x1);
    // Packing works within 16 bytes.
    if constexpr (width == 64) {
      words = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), words);
    } else if constexpr (width == 32) {
      words = _mm256_permute4x64_epi64(words, 0xd8);
    }
    return registers::exchange_middle_16(words);
  }
};

}  // namespace detail
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif  // defined(__x86_64__) || defined(__i386__)
