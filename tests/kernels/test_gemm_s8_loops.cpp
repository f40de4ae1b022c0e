// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "inhibitor/kernels/gemm_s8/table.hpp"
#include "support/catch.hpp"
#include "support/s8_problem.hpp"

// The loop nests for VNNI in registers of 64 bytes and for the tiles of AMX, on any machine: plain loops stand in for
// vpdpbusd and for the tile instructions, written from their definition.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace isa {

/// Registers of 64 bytes as loops.
struct loops_of_64 : scalar {};

}  // namespace isa

namespace detail {

template <class T>
struct batch_of<isa::loops_of_64, T> {
  using type = loop_register<T, 64>;
};

template <>
struct native_dots<isa::loops_of_64> : portable_dots<isa::loops_of_64> {
  static constexpr dot_form form = dot_form::offset_bytes;

  /// vpdpbusd: per 32-bit lane four products of an unsigned and a signed byte, added without saturation.
  static i32 add_products(const i32& sum, const repeated& x, const weights& w) {
    i32 result = sum;
    for (std::size_t i = 0; i < 64; ++i) {
      result.lane[i / 4] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(result.lane[i / 4]) +
                                    static_cast<std::uint32_t>(x.lane[i] * static_cast<std::int8_t>(w.lane[i])));
    }
    return result;
  }
  static void store_form(std::uint8_t* p, const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    ops::offset_bytes(x0, x1, x2, x3).store_unaligned(p);
  }
};

}  // namespace detail
}  // namespace INHIBITOR_TARGET

namespace test {
namespace {

/// Eight tiles of 16 rows by 64 bytes.
struct tiles_as_loops {
  static inline std::uint8_t tiles[8][16][64];
  static inline int sessions = 0;

  struct session {
    session() {
      ++sessions;
      std::memset(tiles, 0xee, sizeof(tiles));
    }
  };
  template <int T>
  static void load(const void* p, index_t stride) {
    for (index_t r = 0; r < 16; ++r) std::memcpy(tiles[T][r], static_cast<const std::uint8_t*>(p) + r * stride, 64);
  }
  template <int T>
  static void store(void* p, index_t stride) {
    for (index_t r = 0; r < 16; ++r) std::memcpy(static_cast<std::uint8_t*>(p) + r * stride, tiles[T][r], 64);
  }
  /// tdpbusd: row m, column n: sum over k and i of A[m][4 k + i], unsigned, times B[k][4 n + i], signed.
  template <int C, int A, int B>
  static void add_products() {
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        std::uint32_t sum;
        std::memcpy(&sum, &tiles[C][m][4 * n], 4);
        for (int k = 0; k < 16; ++k) {
          for (int i = 0; i < 4; ++i) {
            sum +=
                static_cast<std::uint32_t>(tiles[A][m][4 * k + i] * static_cast<std::int8_t>(tiles[B][k][4 * n + i]));
          }
        }
        std::memcpy(&tiles[C][m][4 * n], &sum, 4);
      }
    }
  }
};

using loops = isa::loops_of_64;

template <class Epilogue>
void by_tiles(const kernels::s8_product_call& call) {
  kernels::s8_amx_block<tiles_as_loops, loops, Epilogue>(call, 0, call.rows);
}

kernels::s8_table tile_table() {
  kernels::s8_table table = kernels::s8_table_of<loops>;
  table.multiply = by_tiles<kernels::s8_plain>;
  table.multiply_gelu = by_tiles<kernels::s8_gelu>;
  table.multiply_residual = by_tiles<kernels::s8_residual>;
  return table;
}

}  // namespace
}  // namespace test
}  // namespace inhibitor

using namespace inhibitor;
using namespace inhibitor::test;

TEST_CASE("s8_multiply: unsigned bytes in registers of 64 bytes give the bits of the reference") {
  for (const index_t rows : {0, 1, 7, 8, 9, 17}) {
    for (const index_t in : {1, 64, 130}) {
      for (const index_t out : {1, 16, 47, 48, 100}) {
        INFO(rows << " rows, " << in << " to " << out);
        REQUIRE(s8_difference(s8_problem(rows, in, out), kernels::s8_table_of<loops>) == "");
      }
    }
  }
  const s8_problem largest(9, 3072, 49, s8_values::largest);
  CHECK(s8_difference(largest, kernels::s8_table_of<loops>, 16) == "");
}

TEST_CASE("s8_amx_block: the bits of the reference") {
  for (const index_t rows : {1, 8, 15, 16, 17, 31, 32, 33, 70}) {
    for (const index_t in : {1, 64, 130}) {
      for (const index_t out : {1, 16, 17, 32, 33, 100}) {
        INFO(rows << " rows, " << in << " to " << out);
        REQUIRE(s8_difference(s8_problem(rows, in, out), tile_table()) == "");
      }
    }
  }
  const s8_problem largest(33, 3072, 49, s8_values::alternating);
  CHECK(s8_difference(largest, tile_table(), 32) == "");
  CHECK(tiles_as_loops::sessions > 0);
}
