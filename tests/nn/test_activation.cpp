// SPDX-License-Identifier: Apache-2.0

// activation and its inference form (kernels/rows/fused_rows.hpp); GELU has its own cases in test_layers.cpp.

#include <cmath>
#include <vector>

#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/nn/activation.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/random.hpp"

using namespace inhibitor;
using inhibitor::test::gradient_error;
using inhibitor::test::random_numbers;

namespace {

double truth(activation f, double x) {
  if (f == activation::relu) return x > 0 ? x : 0;
  if (f == activation::silu) return x / (1 + std::exp(-x));
  return x;
}

}  // namespace

TEMPLATE_TEST_CASE("activation_forward: ReLU and SiLU, in training and in inference", "", float, double) {
  const activation f = GENERATE(activation::none, activation::relu, activation::silu);
  random_numbers random(1);
  for (const index_t size : {1, 7, 8, 33}) {
    std::vector<TestType> x = random.numbers<TestType>(size, -6, 6);
    x[0] = TestType(-90);
    x.back() = TestType(90);
    std::vector<TestType> y(x.size()), rows = x;
    activation_forward(y.data(), x.data(), size, f, {});
    activate_rows<TestType>(rows.data(), size, 1, size, f);
    double off = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double t = truth(f, static_cast<double>(x[i]));
      off = std::max(off, std::abs(static_cast<double>(y[i]) - t) / (1 + std::abs(t)));
    }
    CHECK(off < (sizeof(TestType) == 4 ? 1e-6 : 1e-14));
    CHECK(rows == y);
  }
}

TEST_CASE("activation_backward: agrees with finite differences and adds") {
  const activation f = GENERATE(activation::none, activation::gelu, activation::relu, activation::silu);
  random_numbers random(2);
  std::vector<double> x = random.numbers<double>(37, -3, 3), y(37);
  const std::vector<double> dy = random.numbers<double>(37);
  const auto loss = [&] {
    activation_forward(y.data(), x.data(), 37, f, {});
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
    return sum;
  };
  std::vector<double> dx(37);
  activation_backward(dx.data(), dy.data(), x.data(), 37, f, {});
  CHECK(gradient_error(loss, x.data(), dx.data(), 37) < 1e-8);
  const std::vector<double> once = dx;
  activation_backward(dx.data(), dy.data(), x.data(), 37, f, {});
  for (std::size_t i = 0; i < dx.size(); ++i) CHECK(dx[i] == 2 * once[i]);
}
