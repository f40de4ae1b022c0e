// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/config.hpp"

// The register tile that every kernel with a sum in it is made of: Rows x Columns sums stay in registers while a loop
// adds, at each step t, what every pair of a column operand and a row operand gives.
//
//              column(t, 0)  column(t, 1) ...           registers of memory, loaded once per step
//   row(t, 0)    sum 0,0       sum 0,1
//   row(t, 1)    sum 1,0       sum 1,1                  rows: broadcasts, one in a register at a time
//   ...
//
// What a tile multiplies, compares or adds is said by the caller in five lambdas (INHIBITOR_INLINE_LAMBDA, or -O0 and
// -O2 would call them); the order of loads and steps is the one below for all.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// body(r, c) for every register of a tile.
template <int Rows, int Columns, class Body>
INHIBITOR_INLINE void for_tile(Body&& body) {
  INHIBITOR_UNROLL
  for (int r = 0; r < Rows; ++r) {
    INHIBITOR_UNROLL
    for (int c = 0; c < Columns; ++c) body(r, c);
  }
}

/// What accumulate_tile does with a column operand after the rows have used it.
struct leave_column {
  template <class Column>
  INHIBITOR_INLINE void operator()(index_t, int, const Column&) const {}
};

/// One register tile over the steps t = 0 ... n-1:
///   start(r, c) -> Sum                        what a sum begins with: zero, or what memory holds
///   column(t, c) -> Column, row(t, r) -> Row  the operands of a step
///   step(r, c, sum, row, column)              adds to `sum`; may change the column, too
///   store(r, c, sum)                          where a sum goes in the end
///   leave(t, c, column)                       after the rows of a step; nothing by default
template <int Rows, int Columns, class Start, class Column, class Row, class Step, class Store,
          class Leave = leave_column>
INHIBITOR_INLINE void accumulate_tile(index_t n, Start&& start, Column&& column, Row&& row, Step&& step, Store&& store,
                                      Leave&& leave = {}) {
  decltype(start(0, 0)) sums[Rows][Columns];
  for_tile<Rows, Columns>([&](int r, int c) INHIBITOR_INLINE_LAMBDA { sums[r][c] = start(r, c); });
  for (index_t t = 0; t < n; ++t) {
    decltype(column(t, 0)) columns[Columns];
    INHIBITOR_UNROLL
    for (int c = 0; c < Columns; ++c) columns[c] = column(t, c);
    INHIBITOR_UNROLL
    for (int r = 0; r < Rows; ++r) {
      const auto operand = row(t, r);
      INHIBITOR_UNROLL
      for (int c = 0; c < Columns; ++c) step(r, c, sums[r][c], operand, columns[c]);
    }
    INHIBITOR_UNROLL
    for (int c = 0; c < Columns; ++c) leave(t, c, columns[c]);
  }
  for_tile<Rows, Columns>([&](int r, int c) INHIBITOR_INLINE_LAMBDA { store(r, c, sums[r][c]); });
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
