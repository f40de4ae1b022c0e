// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A register of `Bytes` bytes as numbers of type T in plain loops, with the part of xsimd's batch interface that the
/// integer kernels use.
template <class T, std::size_t Bytes>
struct loop_register {
  using value_type = T;
  static constexpr std::size_t size = Bytes / sizeof(T);
  T lane[size];

  loop_register() = default;
  INHIBITOR_INLINE loop_register(T v) {
    for (std::size_t i = 0; i < size; ++i) lane[i] = v;
  }
  static INHIBITOR_INLINE loop_register load_unaligned(const T* p) {
    loop_register x;
    std::memcpy(x.lane, p, Bytes);
    return x;
  }
  INHIBITOR_INLINE void store_unaligned(T* p) const { std::memcpy(p, lane, Bytes); }

  template <class Op>
  static INHIBITOR_INLINE loop_register map(const loop_register& a, const loop_register& b, Op op) {
    loop_register x;
    for (std::size_t i = 0; i < size; ++i) x.lane[i] = static_cast<T>(op(a.lane[i], b.lane[i]));
    return x;
  }

  friend INHIBITOR_INLINE loop_register operator+(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x + y; });
  }
  friend INHIBITOR_INLINE loop_register operator-(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x - y; });
  }
  friend INHIBITOR_INLINE loop_register operator*(loop_register a, loop_register b) {
    static_assert(sizeof(T) >= 4, "narrow products would be formed as int");
    return map(a, b, [](T x, T y) { return x * y; });
  }
  friend INHIBITOR_INLINE loop_register operator/(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x / y; });
  }
  friend INHIBITOR_INLINE loop_register operator&(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x & y; });
  }
  friend INHIBITOR_INLINE loop_register operator|(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x | y; });
  }
  friend INHIBITOR_INLINE loop_register operator^(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x ^ y; });
  }
  friend INHIBITOR_INLINE loop_register operator<<(loop_register a, int n) {
    return map(a, a, [n](T x, T) { return x << n; });
  }
  friend INHIBITOR_INLINE loop_register operator>>(loop_register a, int n) {
    return map(a, a, [n](T x, T) { return x >> n; });
  }
  friend INHIBITOR_INLINE loop_register min(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x < y ? x : y; });
  }
  friend INHIBITOR_INLINE loop_register max(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x > y ? x : y; });
  }
  /// Saturating sum of unsigned numbers.
  friend INHIBITOR_INLINE loop_register sadd(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return static_cast<T>(~y) < x ? static_cast<T>(~T{0}) : static_cast<T>(x + y); });
  }
  /// Saturating difference of unsigned numbers.
  friend INHIBITOR_INLINE loop_register ssub(loop_register a, loop_register b) {
    return map(a, b, [](T x, T y) { return x < y ? T{0} : static_cast<T>(x - y); });
  }
};

/// The register of the integer kernels on the `scalar` instruction set. Eight bytes, because one 64-bit lane is the
/// smallest unit in which the sum of eight byte differences can be written.
template <class T>
using eight_bytes = loop_register<T, 8>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
