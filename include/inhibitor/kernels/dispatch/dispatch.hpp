// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "inhibitor/kernels/dispatch/variant.hpp"

// One program for all machines: the kernels are compiled once per instruction set (cmake/IsaVariants.cmake) and the
// best that this CPU and its operating system support is taken at run time. Functions of the attention level use the
// choice when called with isa::run_time. The environment variable INHIBITOR_ISA names another one, for tests and
// measurements.
//
// inhibitor_add_isa_variants defines INHIBITOR_HAS_VARIANTS and INHIBITOR_HAS_VARIANT_<isa> for its target. Elsewhere
// the one variant is that of the compiler flags.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// An instruction set that was compiled in.
struct isa_variant {
  const char* name;
  bool (*supported)();
  const u8_table& (*u8)();
};

// clang-format off
/// Everything compiled in, from the plainest to the most capable.
inline constexpr isa_variant compiled_variants[] = {
#if !defined(INHIBITOR_HAS_VARIANTS)
    {isa_name<best_isa>(), isa_supported<best_isa>, u8_tables<best_isa>::get},
#endif
#if defined(INHIBITOR_HAS_VARIANT_scalar)
    {"scalar", isa_supported<isa::scalar>, u8_variant<isa::scalar>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_sse2)
    {"sse2", isa_supported<isa::sse2>, u8_variant<isa::sse2>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_sse4_1)
    {"sse4_1", isa_supported<isa::sse4_1>, u8_variant<isa::sse4_1>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_avx2)
    {"avx2", isa_supported<isa::avx2>, u8_variant<isa::avx2>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_avx2_vnni)
    {"avx2_vnni", isa_supported<isa::avx2_vnni>, u8_variant<isa::avx2_vnni>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_avx512)
    {"avx512", isa_supported<isa::avx512>, u8_variant<isa::avx512>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_avx512_vnni)
    {"avx512_vnni", isa_supported<isa::avx512_vnni>, u8_variant<isa::avx512_vnni>},
#endif
#if defined(INHIBITOR_HAS_VARIANT_neon)
    {"neon", isa_supported<isa::neon>, u8_variant<isa::neon>},
#endif
};
// clang-format on

/// The variant of a name, or of the last supported one when `wanted` is null or empty. Throws std::invalid_argument,
/// with the names there are, for a name that was not compiled in or that this machine does not support.
inline const isa_variant& choose_variant(const char* wanted) {
  const bool any = wanted == nullptr || *wanted == '\0';
  const isa_variant* chosen = nullptr;
  std::string supported;
  for (const isa_variant& variant : compiled_variants) {
    if (!variant.supported()) continue;
    supported += supported.empty() ? variant.name : std::string(", ") + variant.name;
    if (any || std::string(wanted) == variant.name) chosen = &variant;
  }
  if (chosen == nullptr) {
    throw std::invalid_argument("INHIBITOR_ISA: no instruction set " + (any ? "" : "\"" + std::string(wanted) + "\" ") +
                                "among those this program was compiled for and this machine supports: " +
                                (supported.empty() ? "none" : supported));
  }
  return *chosen;
}

/// What isa::run_time stands for in this process; chosen once, at the first call.
inline const isa_variant& active_variant() {
  static const isa_variant& variant = choose_variant(std::getenv("INHIBITOR_ISA"));
  return variant;
}

template <>
struct u8_tables<isa::run_time> {
  static const u8_table& get() { return active_variant().u8(); }
};

}  // namespace kernels

/// Name of the instruction set that isa::run_time stands for in this process, as "avx512_vnni". Throws
/// std::invalid_argument when INHIBITOR_ISA names one that this program or this machine does not have.
inline const char* active_isa() { return kernels::active_variant().name; }

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
