// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/executor.hpp"
#include "inhibitor/measure/machine.hpp"
#include "inhibitor/measure/memory.hpp"

#if __has_include("inhibitor_commit.hpp")
#include "inhibitor_commit.hpp"
#endif

// What a result file says about the program and the machine that made it.

namespace inhibitor::examples {

/// Commit the program was built from, "-dirty" appended for uncommitted changes, "unknown" outside a checkout.
inline std::string build_commit() {
#if defined(INHIBITOR_COMMIT)
  return INHIBITOR_COMMIT;
#else
  return "unknown";
#endif
}

/// Compiler and version this program was built with.
inline std::string build_compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

/// Folder of the corpus that programs use when given no data.
inline std::string embedded_data_folder() { return INHIBITOR_EMBEDDED_DATA; }

/// Threads for our programs: OpenMP when the build has it, else one. 0: as many as OpenMP would use.
inline executor program_executor(int threads) {
#if defined(_OPENMP)
  return openmp_executor(threads);
#else
  static_cast<void>(threads);
  return {};
#endif
}

}  // namespace inhibitor::examples
