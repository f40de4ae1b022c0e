// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/config.hpp"

// The tile registers of AMX under names of their own, so that a test can put plain loops in their place. Eight tiles of
// 16 rows by 64 bytes; numbers of tiles are template arguments because the instructions carry them.
//
//   session                  configures the tiles of this thread, and releases them at its end
//   load<T>(p, stride)       16 rows of 64 bytes, `stride` bytes apart
//   store<T>(p, stride)
//   add_products<C, A, B>()  C (16, 16 32-bit numbers) += A (16, 64 unsigned bytes) * B, where row t of B holds numbers
//                            4 t .. 4 t + 3 of 16 columns, signed

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

#if defined(INHIBITOR_AMX)

/// Not by intrinsics: g++ 12's spell a tile's number as it is written at the call, and tell the compiler of the first 8
/// of the 64 bytes of a configuration.
struct hardware_tiles {
  struct session {
    session() {
      alignas(64) std::uint8_t config[64] = {};
      config[0] = 1;  // palette
      for (int t = 0; t < 8; ++t) {
        config[16 + 2 * t] = 64;  // bytes of a row
        config[48 + t] = 16;      // rows
      }
      __asm__ volatile("ldtilecfg\t%0" ::"m"(config));
    }
    ~session() { __asm__ volatile("tilerelease"); }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
  };
  template <int T>
  static INHIBITOR_INLINE void load(const void* p, index_t stride) {
    __asm__ volatile("{tileloadd\t(%1,%2,1), %%tmm%c0|tileloadd\ttmm%c0, [%1+%2*1]}" ::"i"(T), "r"(p), "r"(stride)
                     : "memory");
  }
  template <int T>
  static INHIBITOR_INLINE void store(void* p, index_t stride) {
    __asm__ volatile("{tilestored\t%%tmm%c0, (%1,%2,1)|tilestored\t[%1+%2*1], tmm%c0}" ::"i"(T), "r"(p), "r"(stride)
                     : "memory");
  }
  template <int C, int A, int B>
  static INHIBITOR_INLINE void add_products() {
    __asm__ volatile("{tdpbusd\t%%tmm%c2, %%tmm%c1, %%tmm%c0|tdpbusd\ttmm%c0, tmm%c1, tmm%c2}" ::"i"(C), "i"(A),
                     "i"(B));
  }
};

#endif

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
