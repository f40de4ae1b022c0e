// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <vector>

#include "inhibitor/nn/positions.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

namespace {

std::vector<double> row_of(position_kind kind, index_t position, index_t dim, index_t padding_id) {
  std::vector<double> table(static_cast<std::size_t>((position + 1) * dim));
  sinusoidal_positions(table.data(), kind, position + 1, dim, padding_id);
  return {table.end() - dim, table.end()};
}

void check_row(const std::vector<double>& row, const std::vector<double>& expected) {
  REQUIRE(row.size() == expected.size());
  for (std::size_t i = 0; i < row.size(); ++i) CHECK(std::abs(row[i] - expected[i]) < 1e-15);
}

}  // namespace

TEST_CASE("sinusoidal_positions: the three layouts, from their formulas") {
  // Width 6: frequencies 1, 10000^(-1/3), 10000^(-2/3); fairseq's 1, 1/100, 1/10000.
  const double p = 3, a = std::pow(10000, 1.0 / 3), b = std::pow(10000, 2.0 / 3);
  check_row(row_of(position_kind::interleaved, 3, 6, 0),
            {std::sin(p), std::cos(p), std::sin(p / a), std::cos(p / a), std::sin(p / b), std::cos(p / b)});
  check_row(row_of(position_kind::halves, 3, 6, 0),
            {std::sin(p), std::sin(p / a), std::sin(p / b), std::cos(p), std::cos(p / a), std::cos(p / b)});
  const double q = 3 + 1 + 1;
  check_row(row_of(position_kind::fairseq, 3, 6, 1),
            {std::sin(q), std::sin(q / 100), std::sin(q / 10000), std::cos(q), std::cos(q / 100), std::cos(q / 10000)});
}
