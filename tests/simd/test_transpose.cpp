// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <vector>

#include "inhibitor/simd/transpose.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

TEMPLATE_TEST_CASE("transpose_square: every element at its place, rows from anywhere", "[simd]", float, double,
                   std::int32_t) {
  constexpr index_t N = lanes<best_isa, TestType>;
  constexpr index_t stride = N + 3;
  std::vector<TestType> source(static_cast<std::size_t>(N * stride + 1)), target(source.size(), TestType(-1));
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<TestType>(i);
  const TestType* rows[N];
  for (index_t r = 0; r < N; ++r) rows[r] = source.data() + 1 + (N - 1 - r) * stride;  // last row first, misaligned
  transpose_square<best_isa, TestType>(target.data() + 1, stride, rows);
  for (index_t r = 0; r < N; ++r) {
    for (index_t c = 0; c < stride; ++c) {
      INFO("row " << r << " column " << c);
      const TestType found = target[static_cast<std::size_t>(1 + r * stride + c)];
      CHECK(found == (c < N ? rows[c][r] : TestType(-1)));
    }
  }
}
