// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inhibitor {
namespace bench {

/// "g++ 12.2.0, -O3 -march=native"
inline std::string compiler_description() {
#if defined(__clang__)
  return "clang++ " __clang_version__ ", " INHIBITOR_BENCH_FLAGS;
#else
  return "g++ " __VERSION__ ", " INHIBITOR_BENCH_FLAGS;
#endif
}

}  // namespace bench
}  // namespace inhibitor
