// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "inhibitor/base/scalar_math.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The batch of the `scalar` instruction set: one number with the interface of an xsimd batch, as far as kernels use
/// it. min and max return the second operand when the operands are unordered, as the x86 instructions do.
template <class T>
struct one_lane {
  using value_type = T;
  static constexpr std::size_t size = 1;
  T value;

  one_lane() = default;
  INHIBITOR_INLINE one_lane(T v) : value(v) {}

  static INHIBITOR_INLINE one_lane load_unaligned(const T* p) { return *p; }
  static INHIBITOR_INLINE one_lane load_aligned(const T* p) { return *p; }
  INHIBITOR_INLINE void store_unaligned(T* p) const { *p = value; }
  INHIBITOR_INLINE void store_aligned(T* p) const { *p = value; }

  INHIBITOR_INLINE one_lane& operator+=(one_lane b) { return *this = *this + b; }
  INHIBITOR_INLINE one_lane& operator-=(one_lane b) { return *this = *this - b; }
  INHIBITOR_INLINE one_lane& operator*=(one_lane b) { return *this = *this * b; }

  friend INHIBITOR_INLINE one_lane operator+(one_lane a, one_lane b) { return static_cast<T>(a.value + b.value); }
  friend INHIBITOR_INLINE one_lane operator-(one_lane a, one_lane b) { return static_cast<T>(a.value - b.value); }
  friend INHIBITOR_INLINE one_lane operator*(one_lane a, one_lane b) { return static_cast<T>(a.value * b.value); }
  friend INHIBITOR_INLINE one_lane operator/(one_lane a, one_lane b) { return static_cast<T>(a.value / b.value); }
  friend INHIBITOR_INLINE one_lane operator-(one_lane a) { return static_cast<T>(-a.value); }
  friend INHIBITOR_INLINE bool operator<(one_lane a, one_lane b) { return a.value < b.value; }
  friend INHIBITOR_INLINE bool operator>(one_lane a, one_lane b) { return a.value > b.value; }
  friend INHIBITOR_INLINE bool operator<=(one_lane a, one_lane b) { return a.value <= b.value; }
  friend INHIBITOR_INLINE bool operator>=(one_lane a, one_lane b) { return a.value >= b.value; }
  friend INHIBITOR_INLINE bool operator==(one_lane a, one_lane b) { return a.value == b.value; }
  friend INHIBITOR_INLINE bool operator!=(one_lane a, one_lane b) { return a.value != b.value; }
  friend INHIBITOR_INLINE one_lane min(one_lane a, one_lane b) { return a.value < b.value ? a : b; }
  friend INHIBITOR_INLINE one_lane max(one_lane a, one_lane b) { return a.value > b.value ? a : b; }
  friend INHIBITOR_INLINE one_lane abs(one_lane a) { return absolute(a.value); }
  friend INHIBITOR_INLINE one_lane exp(one_lane a) { return exponential(a.value); }
  friend INHIBITOR_INLINE one_lane erf(one_lane a) { return error_function(a.value); }
  friend INHIBITOR_INLINE one_lane select(bool condition, one_lane a, one_lane b) { return condition ? a : b; }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
