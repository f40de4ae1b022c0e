// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// Compiler adaptation; nothing else belongs here.

#if defined(__GNUC__) || defined(__clang__)
#define INHIBITOR_INLINE inline __attribute__((always_inline))
#define INHIBITOR_RESTRICT __restrict__
#else
#error "inhibitor needs g++ or clang"
#endif

namespace inhibitor {

/// Signed type of every extent, stride and index in the library.
using index_t = std::ptrdiff_t;

}  // namespace inhibitor
