// SPDX-License-Identifier: Apache-2.0

// Losses: values by hand, gradients by finite differences.

#include "inhibitor/nn/losses.hpp"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "inhibitor/nn/label_smoothing.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using inhibitor::test::gradient_error;
using numbers = std::vector<double>;

namespace {

numbers draw(std::size_t size, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<double> normal;
  numbers x(size);
  for (double& v : x) v = normal(bits);
  return x;
}

}  // namespace

TEST_CASE("cross_entropy: value by hand, gradient by finite differences, ignored rows do not count") {
  const numbers two{0.0, std::log(3.0)};
  const std::int32_t label = 1;
  CHECK(std::abs(cross_entropy<double>(nullptr, two.data(), &label, 1, 2) - std::log(4.0 / 3.0)) < 1e-14);

  numbers logits = draw(4 * 3, 1);
  const std::vector<std::int32_t> labels{2, ignored_label, 0, 1};
  numbers d(12, 0.0);
  const auto loss = [&] { return 0.7 * cross_entropy<double>(nullptr, logits.data(), labels.data(), 4, 3); };
  cross_entropy(d.data(), logits.data(), labels.data(), 4, 3, 0.7);
  CHECK(gradient_error(loss, logits.data(), d.data(), 12) < 1e-8);
  CHECK(d[3] == 0);
  const std::vector<std::int32_t> none(4, ignored_label);
  CHECK(cross_entropy(d.data(), logits.data(), none.data(), 4, 3) == 0);
}

TEST_CASE("cross_entropy: refuses labels outside the classes and survives huge logits") {
  const numbers logits{1e300, -1e300, 0};
  const std::int32_t good = 0, high = 3, low = -1;
  CHECK(cross_entropy<double>(nullptr, logits.data(), &good, 1, 3) == 0);
  CHECK_THROWS_AS(cross_entropy<double>(nullptr, logits.data(), &low, 1, 3), std::invalid_argument);
  try {
    cross_entropy<double>(nullptr, logits.data(), &high, 1, 3);
    FAIL("label 3 of 3 classes was accepted");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()) == "label of row 0 is 3; expected 0 <= label < 3");
  }
}

TEST_CASE("trap 17: distillation_kl against two tokens by hand, T squared and the mean over rows included") {
  // Rows (0, 0) and (2 log 3, 0) at T = 2: teacher probabilities (1/2, 1/2) and (3/4, 1/4); student uniform.
  const numbers teacher{0, 0, 2 * std::log(3.0), 0}, student(4, 0.0);
  const double expected = 4.0 * (0.75 * std::log(1.5) + 0.25 * std::log(0.5)) / 2;
  CHECK(std::abs(distillation_kl<double>(nullptr, student.data(), teacher.data(), 2, 2, 2.0) - expected) < 1e-14);
  CHECK(distillation_kl<double>(nullptr, teacher.data(), teacher.data(), 2, 2, 2.0) == 0);

  numbers s = draw(6, 2);
  const numbers t = draw(6, 3);
  numbers d(6, 0.0);
  distillation_kl(d.data(), s.data(), t.data(), 2, 3, 3.0, 0.4);
  const auto loss = [&] { return 0.4 * distillation_kl<double>(nullptr, s.data(), t.data(), 2, 3, 3.0); };
  CHECK(gradient_error(loss, s.data(), d.data(), 6) < 1e-8);
}

TEST_CASE("masked_mse and masked_cosine: padding changes neither value nor gradient") {
  const std::vector<std::uint8_t> mask{1, 0, 1};
  numbers s = draw(12, 4);
  numbers t = draw(12, 5);
  for (const auto loss_function : {&masked_mse<double>, &masked_cosine<double>}) {
    numbers d(12, 0.0);
    const double value = loss_function(d.data(), s.data(), t.data(), mask.data(), 3, 4, 0.3);
    const auto loss = [&] { return 0.3 * loss_function(nullptr, s.data(), t.data(), mask.data(), 3, 4, 1); };
    CHECK(gradient_error(loss, s.data(), d.data(), 12) < 1e-8);
    for (std::size_t k = 4; k < 8; ++k) CHECK(d[k] == 0);
    numbers other = t;
    for (std::size_t k = 4; k < 8; ++k) other[k] = 1e6;
    CHECK(loss_function(nullptr, s.data(), other.data(), mask.data(), 3, 4, 1) == value);
    const std::vector<std::uint8_t> none(3, 0);
    CHECK(loss_function(d.data(), s.data(), t.data(), none.data(), 3, 4, 1) == 0);
  }
  const numbers zero(4, 0.0);
  numbers d(4, 0.0);
  CHECK(masked_cosine(d.data(), zero.data(), t.data(), mask.data(), 1, 4, 1.0) == 1);
  CHECK(d == zero);
}

TEST_CASE("masked_mse: one row by hand") {
  const std::uint8_t attend = 1;
  const numbers s{1, 2}, t{0, 4};
  CHECK(masked_mse<double>(nullptr, s.data(), t.data(), &attend, 1, 2) == 2.5);
}

TEST_CASE("mean_squared_error: by hand, and its gradient") {
  const float targets[] = {0, 4, 1};
  numbers s{1, 2, 1}, d(3, 1.0);
  CHECK(std::abs(mean_squared_error<double>(nullptr, s.data(), targets, 3) - 5.0 / 3) < 1e-15);
  mean_squared_error(d.data(), s.data(), targets, 3, 3.0);
  CHECK(d == numbers{3, -3, 1});  // added to what was there
  CHECK(mean_squared_error(d.data(), s.data(), targets, 0) == 0);
}

TEST_CASE("head_loss: labels or scores, and what does not fit") {
  const numbers logits{1, 2};
  const std::int32_t label = 1;
  const float scores[] = {0, 4};
  CHECK(head_loss<double>(nullptr, logits.data(), &label, 1, 2) ==
        cross_entropy<double>(nullptr, logits.data(), &label, 1, 2));
  CHECK(head_loss<double>(nullptr, logits.data(), scores, 2, 1) == 2.5);
  CHECK_THROWS_AS(head_loss<double>(nullptr, logits.data(), scores, 1, 2), std::invalid_argument);
}

TEST_CASE("smoothed_cross_entropy: without smoothing, sum and weighted gradient are those of cross_entropy") {
  const executor two = test::thread_executor(2);
  for (const index_t classes : {1, 3, 8, 21, 67}) {
    INFO("classes " << classes);
    constexpr index_t rows = 19;
    const numbers logits = draw(static_cast<std::size_t>(rows * classes), 5);
    std::vector<std::int32_t> labels;
    for (index_t i = 0; i < rows; ++i) labels.push_back(static_cast<std::int32_t>(i * 7 % classes));
    numbers expected(logits.size());
    const double mean = cross_entropy(expected.data(), logits.data(), labels.data(), rows, classes, 0.25 * rows);
    const auto sum_of = [&](auto& in_place, const executor& workers) {
      return smoothed_cross_entropy(in_place.data(), labels.data(), rows, classes, no_padding_id, no_smoothing, 0.25,
                                    workers)
          .loss;
    };
    numbers x = logits, y = logits;
    const double sum = sum_of(x, {});
    CHECK_THAT(sum, WithinAbs(mean * rows, 1e-12));
    for (std::size_t i = 0; i < x.size(); ++i) CHECK_THAT(x[i], WithinAbs(expected[i], 1e-14));
    CHECK(sum_of(y, two) == sum);
    CHECK(x == y);

    std::vector<float> single(logits.begin(), logits.end());
    const double single_sum = sum_of(single, {});
    CHECK_THAT(single_sum, WithinAbs(mean * rows, 1e-5));
    for (std::size_t i = 0; i < x.size(); ++i) CHECK_THAT(single[i], WithinAbs(expected[i], 1e-7));
  }
}
