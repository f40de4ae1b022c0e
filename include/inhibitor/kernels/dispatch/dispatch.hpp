// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/dispatch/boundary.hpp"
#include "inhibitor/simd/isa.hpp"
#include "inhibitor/version.hpp"

#if defined(INHIBITOR_VARIANTS)
#include <cstdio>
#include <cstdlib>
#endif

// One program for all machines: inhibitor_add_isa_variants (cmake/IsaVariants.cmake) compiles the kernels once per
// instruction set, and calls on isa::run_time, which is what plain calls are in such a target (default_isa), use the
// best that this CPU and its operating system support. The environment variable INHIBITOR_ISA names another one, for
// tests and measurements.
//
// It defines for its target INHIBITOR_VARIANTS, the name of the target the variants belong to, and per instruction set
// INHIBITOR_VARIANT_<isa>. Elsewhere isa::run_time is the instruction set of the compiler flags.

/// Name of the tables of one variant, the same for every compiler flag: version, target, instruction set.
#define INHIBITOR_VARIANT_SYMBOL(target, isa) \
  INHIBITOR_JOIN_SYMBOL(INHIBITOR_VERSION_MAJOR, INHIBITOR_VERSION_MINOR, INHIBITOR_VERSION_PATCH, target, isa)
/// And of its kernels in floating point.
#define INHIBITOR_FLOATS_SYMBOL(target, isa) INHIBITOR_JOIN_FLOATS(INHIBITOR_VARIANT_SYMBOL(target, isa))
#define INHIBITOR_JOIN_FLOATS(symbol) INHIBITOR_JOIN_FLOATS_WORDS(symbol)
#define INHIBITOR_JOIN_FLOATS_WORDS(symbol) symbol##_floats
#define INHIBITOR_JOIN_SYMBOL(...) INHIBITOR_JOIN_SYMBOL_WORDS(__VA_ARGS__)
#define INHIBITOR_JOIN_SYMBOL_WORDS(major, minor, patch, target, isa) \
  inhibitor_##major##_##minor##_##patch##_##target##_##isa

#if defined(INHIBITOR_VARIANTS)

#define INHIBITOR_DECLARE_VARIANT(isa) \
  extern "C" const inhibitor::boundary::kernel_tables INHIBITOR_VARIANT_SYMBOL(INHIBITOR_VARIANTS, isa);
#define INHIBITOR_LIST_VARIANT(name) {&INHIBITOR_VARIANT_SYMBOL(INHIBITOR_VARIANTS, name), isa_supported<isa::name>},

#if defined(INHIBITOR_VARIANT_own)
INHIBITOR_DECLARE_VARIANT(own)
#endif
#if defined(INHIBITOR_VARIANT_scalar)
INHIBITOR_DECLARE_VARIANT(scalar)
#endif
#if defined(INHIBITOR_VARIANT_sse2)
INHIBITOR_DECLARE_VARIANT(sse2)
#endif
#if defined(INHIBITOR_VARIANT_sse4_1)
INHIBITOR_DECLARE_VARIANT(sse4_1)
#endif
#if defined(INHIBITOR_VARIANT_avx2)
INHIBITOR_DECLARE_VARIANT(avx2)
#endif
#if defined(INHIBITOR_VARIANT_avx2_vnni)
INHIBITOR_DECLARE_VARIANT(avx2_vnni)
#endif
#if defined(INHIBITOR_VARIANT_avx512)
INHIBITOR_DECLARE_VARIANT(avx512)
#endif
#if defined(INHIBITOR_VARIANT_avx512_vnni)
INHIBITOR_DECLARE_VARIANT(avx512_vnni)
#endif
#if defined(INHIBITOR_VARIANT_avx512_amx)
INHIBITOR_DECLARE_VARIANT(avx512_amx)
#endif
#if defined(INHIBITOR_VARIANT_neon)
INHIBITOR_DECLARE_VARIANT(neon)
#endif
#if defined(INHIBITOR_VARIANT_neon_dot)
INHIBITOR_DECLARE_VARIANT(neon_dot)
#endif
#if defined(INHIBITOR_VARIANT_neon_i8mm)
INHIBITOR_DECLARE_VARIANT(neon_i8mm)
#endif

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// An instruction set that was compiled in.
struct isa_variant {
  const boundary::kernel_tables* tables;
  bool (*supported)();
};

// clang-format off
/// Everything compiled in, from the plainest to the most capable. `own` has the flags of the target itself.
inline constexpr isa_variant compiled_variants[] = {
#if defined(INHIBITOR_VARIANT_own)
    {&INHIBITOR_VARIANT_SYMBOL(INHIBITOR_VARIANTS, own), isa_supported<best_isa>},
#endif
#if defined(INHIBITOR_VARIANT_scalar)
    INHIBITOR_LIST_VARIANT(scalar)
#endif
#if defined(INHIBITOR_VARIANT_sse2)
    INHIBITOR_LIST_VARIANT(sse2)
#endif
#if defined(INHIBITOR_VARIANT_sse4_1)
    INHIBITOR_LIST_VARIANT(sse4_1)
#endif
#if defined(INHIBITOR_VARIANT_avx2)
    INHIBITOR_LIST_VARIANT(avx2)
#endif
#if defined(INHIBITOR_VARIANT_avx2_vnni)
    INHIBITOR_LIST_VARIANT(avx2_vnni)
#endif
#if defined(INHIBITOR_VARIANT_avx512)
    INHIBITOR_LIST_VARIANT(avx512)
#endif
#if defined(INHIBITOR_VARIANT_avx512_vnni)
    INHIBITOR_LIST_VARIANT(avx512_vnni)
#endif
#if defined(INHIBITOR_VARIANT_avx512_amx)
    INHIBITOR_LIST_VARIANT(avx512_amx)
#endif
#if defined(INHIBITOR_VARIANT_neon)
    INHIBITOR_LIST_VARIANT(neon)
#endif
#if defined(INHIBITOR_VARIANT_neon_dot)
    INHIBITOR_LIST_VARIANT(neon_dot)
#endif
#if defined(INHIBITOR_VARIANT_neon_i8mm)
    INHIBITOR_LIST_VARIANT(neon_i8mm)
#endif
};
// clang-format on

/// Whether two names are equal, without a function of the standard library that other flags might share.
inline bool same_name(const char* a, const char* b) {
  for (; *a != '\0' && *a == *b; ++a) ++b;
  return *a == *b;
}

/// The supported variant of that name; null: the last supported one. Null when there is none.
inline const isa_variant* find_variant(const char* name) {
  const isa_variant* found = nullptr;
  for (const isa_variant& variant : compiled_variants) {
    if (variant.supported() && (name == nullptr || same_name(name, variant.tables->isa))) found = &variant;
  }
  return found;
}

/// The variant of a name, or the best one when `wanted` is null, empty, or names none: then with a line on stderr that
/// says so and lists the names there are. Where the machine supports none at all, the plainest.
inline const isa_variant& choose_variant(const char* wanted) {
  const isa_variant* best = find_variant(nullptr);
  if (best == nullptr) {
    std::fprintf(stderr, "inhibitor: this machine supports none of the instruction sets that were compiled in\n");
    return compiled_variants[0];
  }
  if (wanted == nullptr || *wanted == '\0') return *best;
  const isa_variant* named = find_variant(wanted);
  if (named != nullptr) return *named;
  std::fprintf(stderr, "inhibitor: INHIBITOR_ISA=%s is not among the instruction sets of this program and machine (",
               wanted);
  const char* separator = "";
  for (const isa_variant& variant : compiled_variants) {
    if (!variant.supported()) continue;
    std::fprintf(stderr, "%s%s", separator, variant.tables->isa);
    separator = ", ";
  }
  std::fprintf(stderr, "); using %s\n", best->tables->isa);
  return *best;
}

/// What isa::run_time stands for in this part of the program; chosen once, at the first call.
inline const boundary::kernel_tables& active_tables() {
  static const boundary::kernel_tables& tables = *choose_variant(std::getenv("INHIBITOR_ISA")).tables;
  return tables;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#endif

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

#if defined(INHIBITOR_VARIANTS)
template <class Isa>
inline constexpr bool is_chosen_at_run_time = std::is_same_v<Isa, isa::run_time>;
#else
template <class Isa>
inline constexpr bool is_chosen_at_run_time = false;
const boundary::kernel_tables& active_tables();  // never called, hence without a definition
#endif

/// The instruction set whose kernels this translation unit compiles for calls on `Isa`.
template <class Isa>
using compiled_for = std::conditional_t<std::is_same_v<Isa, isa::run_time>, best_isa, Isa>;

}  // namespace kernels

/// Name of the instruction set that plain calls use, as "avx512_vnni": in a target with compiled variants the one that
/// INHIBITOR_ISA names or the best one of the machine. A name that is not among the variants, or not supported, is
/// reported once on stderr and changes nothing. Neither throws nor ends the program.
inline const char* active_isa() {
#if defined(INHIBITOR_VARIANTS)
  return kernels::active_tables().isa;
#else
  return isa_name<best_isa>();
#endif
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
