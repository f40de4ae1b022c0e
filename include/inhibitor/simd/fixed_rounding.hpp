// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/simd/eight_bytes.hpp"
#include "inhibitor/simd/ops.hpp"

// Floats whose bits must be the same on every instruction set: multiplications and additions round one by one. A
// compiler that knows of fused multiply-adds forms one from x * y + z, also from intrinsics, and the result differs in
// its last bit from that of a machine without them. Passing the product through rounded() forbids it and costs no
// instruction. (A fused multiply-add everywhere would need an emulation of dozens of instructions on SSE.)

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

#if defined(__x86_64__) || defined(__i386__)
#define INHIBITOR_FLOAT_REGISTER "+v"
#elif defined(__aarch64__)
#define INHIBITOR_FLOAT_REGISTER "+w"
#else
#define INHIBITOR_FLOAT_REGISTER "+m"
#endif

INHIBITOR_INLINE float rounded(float x) {
  __asm__("" : INHIBITOR_FLOAT_REGISTER(x));
  return x;
}

template <std::size_t Bytes>
INHIBITOR_INLINE loop_register<float, Bytes> rounded(loop_register<float, Bytes> x) {
  for (float& lane : x.lane) lane = rounded(lane);
  return x;
}

template <class Arch>
INHIBITOR_INLINE xsimd::batch<float, Arch> rounded(const xsimd::batch<float, Arch>& x) {
  typename xsimd::batch<float, Arch>::register_type bits = x;
  __asm__("" : INHIBITOR_FLOAT_REGISTER(bits));
  return xsimd::batch<float, Arch>(bits);
}

#undef INHIBITOR_FLOAT_REGISTER

/// x / y, correctly rounded: xsimd's own on NEON starts from an estimate.
template <std::size_t Bytes>
INHIBITOR_INLINE loop_register<float, Bytes> quotient(const loop_register<float, Bytes>& x,
                                                      const loop_register<float, Bytes>& y) {
  return x / y;
}
template <class Arch>
INHIBITOR_INLINE xsimd::batch<float, Arch> quotient(const xsimd::batch<float, Arch>& x,
                                                    const xsimd::batch<float, Arch>& y) {
  const typename xsimd::batch<float, Arch>::register_type a = x, b = y;
  return xsimd::batch<float, Arch>(a / b);
}

/// x * y + z with two roundings.
template <class F>
INHIBITOR_INLINE F multiply_then_add(const F& x, const F& y, const F& z) {
  return rounded(x * y) + z;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
