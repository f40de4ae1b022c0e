// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "inhibitor/base/target.hpp"

// Compiler adaptation; nothing else belongs here.

// Sums in any order undo the range reduction of the exponential, whose two constants then become one, and without infinities
// every check for them passes.
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error \
    "inhibitor gives wrong numbers under -ffast-math, -Ofast, -fassociative-math and -ffinite-math-only: compile the files \
that include it without (after -ffast-math: -fno-fast-math)"
#endif

#if defined(__GNUC__) || defined(__clang__)
#define INHIBITOR_INLINE inline __attribute__((always_inline))
#define INHIBITOR_RESTRICT __restrict__
// Inlines everything that a function calls: for functions of other libraries, which parts of a program with different
// flags would share (base/target.hpp).
#define INHIBITOR_FLATTEN __attribute__((flatten))
// Between the parameters and the body of a lambda.
#define INHIBITOR_INLINE_LAMBDA __attribute__((always_inline))
// Before a loop with a constant count over named registers: it must disappear at -O2 as well as at -O3.
#if defined(__clang__)
#define INHIBITOR_UNROLL _Pragma("clang loop unroll(full)")
#else
#define INHIBITOR_UNROLL _Pragma("GCC unroll 16")
#endif
#else
#error "inhibitor needs g++ or clang"
#endif

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Signed type of every extent, stride and index in the library.
using index_t = std::ptrdiff_t;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
