// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/config.hpp"

// Functions of <cmath> and limits of <limits> for one number. Those of the standard library are inline functions for
// float, which without optimization become functions of a program; two parts of it that were built with different flags
// would share one of them (base/target.hpp).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

INHIBITOR_INLINE float square_root(float x) { return __builtin_sqrtf(x); }
INHIBITOR_INLINE double square_root(double x) { return __builtin_sqrt(x); }

/// |x|.
INHIBITOR_INLINE float absolute(float x) { return __builtin_fabsf(x); }
INHIBITOR_INLINE double absolute(double x) { return __builtin_fabs(x); }

/// The nearest integer, ties to even; an instruction where there is one.
INHIBITOR_INLINE float nearest(float x) { return __builtin_rintf(x); }
INHIBITOR_INLINE double nearest(double x) { return __builtin_rint(x); }

INHIBITOR_INLINE float exponential(float x) { return __builtin_expf(x); }
INHIBITOR_INLINE double exponential(double x) { return __builtin_exp(x); }

INHIBITOR_INLINE float error_function(float x) { return __builtin_erff(x); }
INHIBITOR_INLINE double error_function(double x) { return __builtin_erf(x); }

INHIBITOR_INLINE bool is_finite(float x) { return __builtin_isfinite(x) != 0; }
INHIBITOR_INLINE bool is_finite(double x) { return __builtin_isfinite(x) != 0; }

INHIBITOR_INLINE bool has_sign(float x) { return __builtin_signbit(x) != 0; }

/// Infinity of `T`.
template <class T>
INHIBITOR_INLINE constexpr T infinity() {
  return static_cast<T>(__builtin_inf());
}

/// The most negative number of `T`.
template <class T>
INHIBITOR_INLINE constexpr T lowest_number() {
  return sizeof(T) == sizeof(float) ? static_cast<T>(-__FLT_MAX__) : static_cast<T>(-__DBL_MAX__);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
