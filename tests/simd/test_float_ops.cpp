// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/simd/float_ops.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

namespace {

template <class T>
std::vector<T> interesting() {
  using limits = std::numeric_limits<T>;
  return {T(0),
          -T(0),
          T(1),
          T(-1),
          T(0.25),
          T(-3),
          limits::min(),
          -limits::min(),
          limits::denorm_min(),
          -limits::denorm_min(),
          limits::max(),
          limits::lowest(),
          limits::infinity(),
          -limits::infinity()};
}

/// Calls body with every pair of interesting numbers, one pair per lane, and the lane to look at.
template <class T, class Body>
void for_pairs(Body&& body) {
  constexpr index_t N = lanes<best_isa, T>;
  const auto list = interesting<T>();
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t j = 0; j < list.size(); ++j) {
      T a[N], b[N];
      for (index_t l = 0; l < N; ++l) {
        const auto x = static_cast<std::size_t>(l);
        a[l] = list[(i + x) % list.size()];
        b[l] = list[(j + 3 * x) % list.size()];
      }
      body(a, b);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("float_ops: clamp, sign and conditional sums agree with one lane", "[simd]", float, double) {
  using T = TestType;
  using B = batch<best_isa, T>;
  using ops = float_ops<best_isa, T>;
  constexpr index_t N = lanes<best_isa, T>;
  for_pairs<T>([&](const T* a, const T* b) {
    const B x = B::load_unaligned(a), y = B::load_unaligned(b);
    T clamped[N], signs[N], sums[N], products[N];
    ops::clamp(x, abs(y)).store_unaligned(clamped);
    ops::sign(x).store_unaligned(signs);
    ops::add_where_greater(B(T(5)), x, y, B(T(2))).store_unaligned(sums);
    ops::multiply_add_where_greater(B(T(5)), x, y, B(T(2)), B(T(3))).store_unaligned(products);
    for (index_t l = 0; l < N; ++l) {
      const T z = std::abs(b[l]);
      CHECK(clamped[l] == (a[l] > z ? z : a[l] < -z ? -z : a[l]));
      CHECK(signs[l] == T(a[l] > 0 ? 1 : a[l] < 0 ? -1 : 0));
      CHECK(sums[l] == (a[l] > b[l] ? T(7) : T(5)));
      CHECK(products[l] == (a[l] > b[l] ? T(11) : T(5)));
    }
  });
}

TEMPLATE_TEST_CASE("horizontal_sum and horizontal_max: every lane counts once", "[simd]", float, double) {
  using T = TestType;
  constexpr index_t N = lanes<best_isa, T>;
  T values[N], sum(0);
  for (index_t i = 0; i < N; ++i) {
    values[i] = static_cast<T>(index_t{1} << i);
    sum += values[i];
  }
  const auto x = batch<best_isa, T>::load_unaligned(values);
  CHECK(horizontal_sum<best_isa, T>(x) == sum);
  for (index_t i = 0; i < N; ++i) {
    T one[N];
    for (index_t l = 0; l < N; ++l) one[l] = l == i ? T(-1) : T(-2) - static_cast<T>(l);
    CHECK(horizontal_max<best_isa, T>(batch<best_isa, T>::load_unaligned(one)) == T(-1));
  }
}
