// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/accumulate.hpp"
#include "inhibitor/kernels/gemm_s8/layout.hpp"
#include "inhibitor/simd/dot_ops.hpp"

// The register tile of the product in bytes: rows x (groups of 16 outputs) sums of 32 bits stay in registers for the
// whole depth, so no sum is ever written and read back. Operands: layout.hpp, simd/dot_ops.hpp.
//
// What a step of 4 inputs costs, on the instructions' ports (latencies: simd/registers_x86.hpp):
//
//   tile, set            products            loads            Zen 3, 4 (4 vector pipes,    Ice Lake, Sapphire Rapids
//                                                             multiplications on two)      (p0, p1, p5)
//   6 x 1  AVX2          24 vpmaddwd         12 broadcasts    54 / 4 = 13.5 cycles, the    54 / 3 = 18 cycles, the
//                        24 vpaddd            4 registers     multiplications alone 12:    products alone 16:
//                         6 shifts                            28.4 of 32 products a cycle  21.3 of 24 a cycle
//   6 x 1  AVX-VNNI      12 vpdpbusd           6 + 2           Zen 5: 6 cycles              6 cycles: 64 a cycle
//   8 x 3  AVX-512       48 vpmaddwd         16 + 6           Zen 4: 210 halves / 4 =      105 / 2 (p05) = 52.5 cycles:
//                        48 vpaddd                            52.5 cycles: 29 a cycle      29 a cycle
//                         9 shifts
//   8 x 3  AVX-512 VNNI  24 vpdpbusd           8 + 3           Zen 4: 24, Zen 5: 12 cycles  12 cycles (p05) with the
//                                                                                          second multiplier, else 24
//
// All loads stay below two a cycle. Independent sums: 12 of AVX2 and AVX-VNNI cover 5 cycles of vpdpbusd at two a cycle
// (10); the chain of AVX2 is vpaddd with one cycle. 12 sums, 2 weights, a broadcast and a product fill 16 registers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

template <class Isa>
struct s8_tile {
  static constexpr index_t group_registers = s8_step_bytes / dot_ops<Isa>::width;
  static constexpr index_t groups = dot_ops<Isa>::width == 64 ? 3 : 1;
  static constexpr index_t rows = dot_ops<Isa>::width == 64   ? 8
                                  : dot_ops<Isa>::width == 32 ? 6
                                  : has_32_registers<Isa>     ? 6
                                  : dot_ops<Isa>::width == 16 ? 2
                                                              : 1;
};

/// The weights of a tile, and what it fetches into the second cache while it computes.
struct s8_tile_weights {
  const std::int8_t* weights;   ///< first group
  index_t group_bytes;          ///< from one group to the next
  index_t steps;                ///< of 4 inputs
  const std::int32_t* offsets;  ///< (16 groups)
  const char* next;             ///< first of as many groups
  index_t next_step;            ///< bytes per step and group
};

/// sums (Rows, 16 * Groups), rows `pitch` apart, of operand rows x.
template <class Isa, index_t Rows, index_t Groups>
void s8_sum_tile(std::int32_t* sums, index_t pitch, const std::uint8_t* x, index_t x_stride, const s8_tile_weights& w) {
  using dots = dot_ops<Isa>;
  using i32 = typename dots::i32;
  constexpr int rows = static_cast<int>(Rows), per_group = static_cast<int>(s8_tile<Isa>::group_registers);
  constexpr int vectors = static_cast<int>(Groups) * per_group;
  constexpr index_t n = dots::width / 4;
  i32 sum[rows][vectors];
  for_tile<rows, vectors>([&](int r, int v) INHIBITOR_INLINE_LAMBDA {
    sum[r][v] = dots::form == dot_form::offset_bytes ? i32::load_unaligned(w.offsets + v * n) : i32(0);
  });
  const std::int8_t* weights = w.weights;
  const char* next = w.next;
  const auto part = [&](auto number) INHIBITOR_INLINE_LAMBDA {
    constexpr int p = decltype(number)::value;
    typename dots::weights column[vectors];
    INHIBITOR_UNROLL
    for (int v = 0; v < vectors; ++v) {
      column[v] = dots::template load_weights<p>(weights + v / per_group * w.group_bytes + v % per_group * dots::width);
    }
    INHIBITOR_UNROLL
    for (int r = 0; r < rows; ++r) {
      const typename dots::repeated row = dots::template repeat<p>(x + r * x_stride);
      INHIBITOR_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] = dots::add_products(sum[r][v], row, column[v]);
    }
  };
  for (index_t t = 0; t < w.steps; ++t) {
    INHIBITOR_UNROLL
    for (index_t g = 0; g < Groups; ++g) __builtin_prefetch(next + g * w.group_bytes, 0, 2);
    next += w.next_step;
    part(std::integral_constant<int, 0>{});
    if constexpr (dots::parts == 2) part(std::integral_constant<int, 1>{});
    weights += s8_step_bytes;
    x += dot_step_bytes(dots::form);
  }
  for_tile<rows, vectors>([&](int r, int v)
                              INHIBITOR_INLINE_LAMBDA { sum[r][v].store_unaligned(sums + r * pitch + v * n); });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
