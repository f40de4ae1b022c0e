// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "inhibitor/base/config.hpp"

namespace inhibitor {
namespace bench {

// The loop that no integer matrix product of this machine can beat: products of bytes, or of 16-bit numbers where bytes
// cannot be multiplied exactly, and their sums, all in registers.

#if defined(__AVX512VNNI__)
#define INHIBITOR_BENCH_PRODUCT_LIMIT
struct product_limit {
  using registers = __m512i;
  static constexpr const char* name = "dpbusd/512";
  static constexpr double products = 64;
  static INHIBITOR_INLINE registers step(registers sum, registers x) { return _mm512_dpbusd_epi32(sum, x, x); }
};
#elif defined(__AVXVNNI__)
#define INHIBITOR_BENCH_PRODUCT_LIMIT
struct product_limit {
  using registers = __m256i;
  static constexpr const char* name = "dpbusd/256";
  static constexpr double products = 32;
  static INHIBITOR_INLINE registers step(registers sum, registers x) { return _mm256_dpbusd_avx_epi32(sum, x, x); }
};
#elif defined(__AVX2__)
#define INHIBITOR_BENCH_PRODUCT_LIMIT
struct product_limit {
  using registers = __m256i;
  static constexpr const char* name = "maddwd_addd/256";
  static constexpr double products = 16;
  // The product takes the sum as an operand, or it would be computed once for all.
  static INHIBITOR_INLINE registers step(registers sum, registers x) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, sum));
    __asm__ volatile("" : "+v"(sum));  // in this order: g++ has too few registers for another
    return sum;
  }
};
#endif

}  // namespace bench
}  // namespace inhibitor
