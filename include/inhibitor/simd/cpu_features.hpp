// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/config.hpp"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__linux__) && defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

// Features of the processor that compilers' own tests do not know by name (g++ 12, clang 14).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

#if defined(__x86_64__) || defined(__i386__)

namespace detail {

struct cpuid_words {
  unsigned eax, ebx, ecx, edx;
};

inline cpuid_words read_cpuid(unsigned leaf, unsigned part) {
  cpuid_words w{0, 0, 0, 0};
  __asm__("cpuid" : "=a"(w.eax), "=b"(w.ebx), "=c"(w.ecx), "=d"(w.edx) : "a"(leaf), "c"(part));
  return w;
}

inline bool has_bit(unsigned word, int bit) { return ((word >> bit) & 1U) != 0; }

/// Whether tiles of bytes exist and this process may use them: the operating system keeps their registers (8 KiB per
/// thread) only for processes that ask.
inline bool ask_for_amx() {
#if defined(__linux__) && defined(__x86_64__)
  if (read_cpuid(0, 0).eax < 7) return false;
  const unsigned features = read_cpuid(7, 0).edx;
  const bool has_tile = has_bit(features, 24), has_int8 = has_bit(features, 25);
  const bool has_xgetbv = has_bit(read_cpuid(1, 0).ecx, 27);
  if (!has_tile || !has_int8 || !has_xgetbv) return false;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if (!has_bit(low, 17) || !has_bit(low, 18)) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace detail

/// VNNI in registers of 32 bytes without AVX-512.
inline bool cpu_has_avx_vnni() {
  return detail::read_cpuid(0, 0).eax >= 7 && detail::has_bit(detail::read_cpuid(7, 1).eax, 4);
}

/// AMX in bytes. The first call asks the operating system for the process, threads that exist included; refusal is an
/// answer like another.
inline bool amx_permitted() {
  static const bool permitted = detail::ask_for_amx();
  return permitted;
}

#elif defined(__aarch64__)

/// sdot and udot.
inline bool cpu_has_dot_products() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

/// smmla and ummla.
inline bool cpu_has_byte_matrix_products() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#else
  return false;
#endif
}

#endif

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
