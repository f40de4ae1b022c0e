// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "inhibitor/base/config.hpp"
#include "inhibitor/simd/cpu_features.hpp"

// Instruction sets as types. A kernel is a template on one of these tags, so that two translation units compiled with
// different flags never share a symbol. A tag derives from the tag it extends: is_base_of answers "has at least".
//
//   tag          compiler flags                                              lanes of float
//   scalar       none (one lane, written out)                                1
//   sse2         -msse2                                                      4
//   sse4_1       -msse4.1                                                    4
//   avx2         -mavx2 -mfma                                                8
//   avx2_vnni    avx2 + -mavxvnni                                            8
//   avx512       avx2 + -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl 16
//   avx512_vnni  avx512 + -mavx512vnni                                       16
//   avx512_amx   avx512_vnni + -mamx-tile -mamx-int8                         16
//   neon         aarch64                                                     4
//   neon_dot     -march=armv8.2-a+dotprod                                    4
//   neon_i8mm    -march=armv8.2-a+dotprod+i8mm                               4

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace isa {

struct scalar {};
struct sse2 : scalar {};
struct sse4_1 : sse2 {};
struct avx2 : sse4_1 {};
struct avx2_vnni : avx2 {};
struct avx512 : avx2 {};
struct avx512_vnni : avx512 {};
struct avx512_amx : avx512_vnni {};
struct neon : scalar {};
struct neon_dot : neon {};
struct neon_i8mm : neon_dot {};

/// Not an instruction set but the choice among compiled ones when the program runs (kernels/dispatch/dispatch.hpp).
struct run_time {};

}  // namespace isa

/// True when `Isa` has everything that `Feature` has.
template <class Isa, class Feature>
inline constexpr bool isa_has = std::is_base_of_v<Feature, Isa>;

namespace detail {

struct compiled_isa {
#if defined(INHIBITOR_COMPILED_ISA)
  using type = isa::INHIBITOR_COMPILED_ISA;  // chosen by the build, e.g. scalar on a machine that has more
#elif defined(__AVX512F__) && defined(__AVX512CD__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
#if defined(__AVX512VNNI__) && defined(INHIBITOR_AMX)
  using type = isa::avx512_amx;
#elif defined(__AVX512VNNI__)
  using type = isa::avx512_vnni;
#else
  using type = isa::avx512;
#endif
#elif defined(__AVX2__) && defined(__FMA__) && defined(__AVXVNNI__)
  using type = isa::avx2_vnni;
#elif defined(__AVX2__) && defined(__FMA__)
  using type = isa::avx2;
#elif defined(__SSE4_1__)
  using type = isa::sse4_1;
#elif defined(__SSE2__)
  using type = isa::sse2;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
  using type = isa::neon_i8mm;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
  using type = isa::neon_dot;
#elif defined(__aarch64__)
  using type = isa::neon;
#else
  using type = isa::scalar;
#endif
};

}  // namespace detail

/// The largest instruction set that the flags of this translation unit allow. An alias, so it may differ from one
/// translation unit to the next: templates take it as a parameter and never name it in their body.
using best_isa = detail::compiled_isa::type;

/// What plain calls run on: the choice at run time in a target with compiled variants (inhibitor_add_isa_variants in
/// cmake/IsaVariants.cmake), the flags of this translation unit elsewhere.
#if defined(INHIBITOR_VARIANTS)
using default_isa = isa::run_time;
#else
using default_isa = best_isa;
#endif

/// Name of a tag as it is written in reports, file names and the INHIBITOR_ISA environment variable.
template <class Isa>
constexpr const char* isa_name() {
  if constexpr (std::is_same_v<Isa, isa::scalar>) {
    return "scalar";
  } else if constexpr (std::is_same_v<Isa, isa::sse2>) {
    return "sse2";
  } else if constexpr (std::is_same_v<Isa, isa::sse4_1>) {
    return "sse4_1";
  } else if constexpr (std::is_same_v<Isa, isa::avx2>) {
    return "avx2";
  } else if constexpr (std::is_same_v<Isa, isa::avx2_vnni>) {
    return "avx2_vnni";
  } else if constexpr (std::is_same_v<Isa, isa::avx512>) {
    return "avx512";
  } else if constexpr (std::is_same_v<Isa, isa::avx512_vnni>) {
    return "avx512_vnni";
  } else if constexpr (std::is_same_v<Isa, isa::avx512_amx>) {
    return "avx512_amx";
  } else if constexpr (std::is_same_v<Isa, isa::neon_dot>) {
    return "neon_dot";
  } else if constexpr (std::is_same_v<Isa, isa::neon_i8mm>) {
    return "neon_i8mm";
  } else {
    static_assert(std::is_same_v<Isa, isa::neon>, "isa_name: unknown instruction set");
    return "neon";
  }
}

/// Whether this CPU, with this operating system saving its registers, can run code compiled for `Isa`.
template <class Isa>
inline bool isa_supported() {
  if constexpr (std::is_same_v<Isa, isa::scalar>) {
    return true;
  } else if constexpr (isa_has<Isa, isa::neon>) {
#if defined(__aarch64__)
    return (!isa_has<Isa, isa::neon_dot> || cpu_has_dot_products()) &&
           (!isa_has<Isa, isa::neon_i8mm> || cpu_has_byte_matrix_products());
#else
    return false;
#endif
  } else {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    // The builtin answers no for AVX state that the operating system does not save.
    if constexpr (isa_has<Isa, isa::avx512>) {
      const bool base = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
      const bool vnni = base && __builtin_cpu_supports("avx512vnni");
      if constexpr (isa_has<Isa, isa::avx512_amx>) return vnni && amx_permitted();
      if constexpr (isa_has<Isa, isa::avx512_vnni>) return vnni;
      return base;
    } else if constexpr (isa_has<Isa, isa::avx2>) {
      const bool base = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
      if constexpr (isa_has<Isa, isa::avx2_vnni>) return base && cpu_has_avx_vnni();
      return base;
    } else if constexpr (isa_has<Isa, isa::sse4_1>) {
      return __builtin_cpu_supports("sse4.1") != 0;
    } else {
      return __builtin_cpu_supports("sse2") != 0;
    }
#else
    return false;
#endif
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
