// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <vector>

#include "inhibitor/simd/partial.hpp"
#include "support/catch.hpp"
#include "support/guarded_buffer.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

TEMPLATE_TEST_CASE("load_first: reads n numbers, fills the rest, touches nothing else", "[simd]", float, double,
                   std::uint8_t, std::int32_t) {
  using B = batch<best_isa, TestType>;
  constexpr index_t N = lanes<best_isa, TestType>;
  for (index_t n = 0; n <= N; ++n) {
    std::vector<TestType> values;
    for (index_t i = 0; i < n; ++i) values.push_back(static_cast<TestType>(i + 1));  // a distinct value in every lane
    const guarded_buffer<TestType> memory(values, guarded_buffer<TestType>::flush::end);
    const B x = load_first<best_isa, TestType>(memory.data(), n, TestType(99));
    TestType result[N];
    x.store_unaligned(result);
    for (index_t i = 0; i < N; ++i) CHECK(result[i] == (i < n ? static_cast<TestType>(i + 1) : TestType(99)));
  }
}

TEMPLATE_TEST_CASE("store_first: writes n numbers and nothing else", "[simd]", float, double, std::uint8_t,
                   std::int32_t) {
  using B = batch<best_isa, TestType>;
  constexpr index_t N = lanes<best_isa, TestType>;
  TestType source[N];
  for (index_t i = 0; i < N; ++i) source[i] = static_cast<TestType>(i + 1);
  const B x = B::load_unaligned(source);
  for (index_t n = 0; n <= N; ++n) {
    const guarded_buffer<TestType> end(std::vector<TestType>(static_cast<std::size_t>(n)),
                                       guarded_buffer<TestType>::flush::end);
    store_first<best_isa, TestType>(end.data(), n, x);
    for (index_t i = 0; i < n; ++i) CHECK(end.data()[i] == source[i]);
    std::vector<TestType> wide(static_cast<std::size_t>(N) + 1, TestType(77));
    store_first<best_isa, TestType>(wide.data(), n, x);
    for (index_t i = n; i <= N; ++i) CHECK(wide[static_cast<std::size_t>(i)] == TestType(77));
  }
}
