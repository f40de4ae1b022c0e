// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <Eigen/Core>
#include <nlohmann/json.hpp>
#include <xsimd/xsimd.hpp>

#include "inhibitor/base/executor.hpp"
#include "inhibitor/base/target.hpp"
#include "inhibitor/measure/machine.hpp"
#include "inhibitor/measure/memory.hpp"
#include "inhibitor/simd/isa.hpp"
#include "inhibitor/version.hpp"

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

namespace detail {

inline std::string version_text(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

#define INHIBITOR_QUOTED(text) #text
#define INHIBITOR_QUOTED_VALUE(text) INHIBITOR_QUOTED(text)
inline const char* target_name() { return INHIBITOR_QUOTED_VALUE(INHIBITOR_TARGET); }
#undef INHIBITOR_QUOTED_VALUE
#undef INHIBITOR_QUOTED

}  // namespace detail

/// Everything about this build that numbers can depend on: another instruction set sums in another order, and so do
/// other versions of Eigen and of the compiler.
inline nlohmann::json build_facts() {
  return {
      {"commit", build_commit()},
      {"compiler", build_compiler()},
      {"flags", INHIBITOR_BUILD_FLAGS},
      {"instruction_set", isa_name<best_isa>()},
      {"target", detail::target_name()},
      {"eigen", detail::version_text(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
      {"xsimd", detail::version_text(XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH)},
      {"inhibitor", detail::version_text(INHIBITOR_VERSION_MAJOR, INHIBITOR_VERSION_MINOR, INHIBITOR_VERSION_PATCH)}};
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
