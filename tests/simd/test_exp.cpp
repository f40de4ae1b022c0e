// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "inhibitor/simd/exp.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

namespace {

template <class T>
T exp_of(T x) {
  T y[lanes<best_isa, T>];
  exp_nonpositive<best_isa, T>(batch<best_isa, T>(x)).store_unaligned(y);
  return y[lanes<best_isa, T> - 1];
}

}  // namespace

TEMPLATE_TEST_CASE("exp_nonpositive: within two units in the last place", "[simd]", float, double) {
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto x = static_cast<TestType>(-86.0 * i / 200000);
    const long double expected = std::exp(static_cast<long double>(x));
    const auto unit = static_cast<long double>(
        std::nextafter(static_cast<TestType>(expected), std::numeric_limits<TestType>::infinity()) -
        static_cast<TestType>(expected));
    worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(exp_of(x)) - expected) / unit));
  }
  CHECK(worst <= 2);
}

TEMPLATE_TEST_CASE("exp_nonpositive: 1 at 0, nothing far below, NaN stays", "[simd]", float, double) {
  using limits = std::numeric_limits<TestType>;
  CHECK(exp_of(TestType(0)) == 1);
  CHECK(exp_of(-TestType(0)) == 1);
  for (const TestType x : {TestType(-1000), limits::lowest(), -limits::infinity()}) {
    CHECK(exp_of(x) >= 0);
    CHECK(exp_of(x) < TestType(2e-38));
  }
  volatile TestType not_a_number = limits::quiet_NaN();  // clang folds the maximum of constants its own way
  CHECK(std::isnan(exp_of(not_a_number)));
}
