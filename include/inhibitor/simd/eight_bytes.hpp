// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The register of the integer kernels on the `scalar` instruction set: eight bytes as numbers of type T, with the part
/// of xsimd's batch interface that those kernels use. Eight, because one 64-bit lane is the smallest unit in which the
/// sum of eight byte differences can be written.
template <class T>
struct eight_bytes {
  using value_type = T;
  static constexpr std::size_t size = 8 / sizeof(T);
  T lane[size];

  eight_bytes() = default;
  INHIBITOR_INLINE eight_bytes(T v) {
    for (std::size_t i = 0; i < size; ++i) lane[i] = v;
  }
  static INHIBITOR_INLINE eight_bytes load_unaligned(const T* p) {
    eight_bytes x;
    std::memcpy(x.lane, p, 8);
    return x;
  }
  INHIBITOR_INLINE void store_unaligned(T* p) const { std::memcpy(p, lane, 8); }

  template <class Op>
  static INHIBITOR_INLINE eight_bytes map(const eight_bytes& a, const eight_bytes& b, Op op) {
    eight_bytes x;
    for (std::size_t i = 0; i < size; ++i) x.lane[i] = static_cast<T>(op(a.lane[i], b.lane[i]));
    return x;
  }

  friend INHIBITOR_INLINE eight_bytes operator+(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x + y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator-(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x - y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator*(eight_bytes a, eight_bytes b) {
    static_assert(sizeof(T) >= 4, "narrow products would be formed as int");
    return map(a, b, [](T x, T y) { return x * y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator&(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x & y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator|(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x | y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator^(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x ^ y; });
  }
  friend INHIBITOR_INLINE eight_bytes operator<<(eight_bytes a, int n) {
    return map(a, a, [n](T x, T) { return x << n; });
  }
  friend INHIBITOR_INLINE eight_bytes operator>>(eight_bytes a, int n) {
    return map(a, a, [n](T x, T) { return x >> n; });
  }
  friend INHIBITOR_INLINE eight_bytes min(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x < y ? x : y; });
  }
  friend INHIBITOR_INLINE eight_bytes max(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x > y ? x : y; });
  }
  /// Saturating sum of unsigned numbers.
  friend INHIBITOR_INLINE eight_bytes sadd(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return static_cast<T>(~y) < x ? static_cast<T>(~T{0}) : static_cast<T>(x + y); });
  }
  /// Saturating difference of unsigned numbers.
  friend INHIBITOR_INLINE eight_bytes ssub(eight_bytes a, eight_bytes b) {
    return map(a, b, [](T x, T y) { return x < y ? T{0} : static_cast<T>(x - y); });
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
