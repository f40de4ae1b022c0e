// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <vector>

#include "inhibitor/nn/label_smoothing.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/random.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using inhibitor::test::gradient_error;
using inhibitor::test::random_numbers;

namespace {

constexpr index_t classes = 11;
constexpr std::int32_t padding = 2;

/// The target distribution of a label, written down from the definitions.
std::vector<double> target_of(std::int32_t label, const label_smoothing& s) {
  std::vector<double> q(classes, s.form == smoothing_form::uniform  ? s.epsilon / classes
                                 : s.form == smoothing_form::others ? s.epsilon / (classes - 1)
                                                                    : s.epsilon / (classes - 2));
  if (s.form == smoothing_form::but_padding) q[padding] = 0;
  q[static_cast<std::size_t>(label)] = 1 - s.epsilon + (s.form == smoothing_form::uniform ? s.epsilon / classes : 0);
  return q;
}

std::vector<double> log_softmax(const double* x) {
  double sum = 0;
  for (index_t k = 0; k < classes; ++k) sum += std::exp(x[k]);
  std::vector<double> out;
  for (index_t k = 0; k < classes; ++k) out.push_back(x[k] - std::log(sum));
  return out;
}

}  // namespace

TEST_CASE("smoothed_cross_entropy: is -sum q log p with gradient p - q in all forms, padding counting for nothing") {
  const label_smoothing smoothing{
      GENERATE(smoothing_form::uniform, smoothing_form::others, smoothing_form::but_padding), GENERATE(0.0, 0.1, 0.3)};
  random_numbers random(5);
  const std::vector<std::int32_t> labels{0, padding, 10, 5, padding};
  const auto rows = static_cast<index_t>(labels.size());
  const std::vector<double> logits = random.numbers<double>(rows * classes, -4, 4);
  std::vector<double> gradient = logits;
  const double weight = 0.25;
  const smoothed_loss loss =
      smoothed_cross_entropy(gradient.data(), labels.data(), rows, classes, padding, smoothing, weight, {});
  double expected = 0, likelihood = 0, gradient_off = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::vector<double> log_p = log_softmax(logits.data() + i * classes), q = target_of(labels[i], smoothing);
    double mass = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      const bool counts = labels[i] != padding;
      expected -= counts ? q[k] * log_p[k] : 0;
      mass += q[k];
      gradient_off = std::max(
          gradient_off, std::abs(gradient[i * classes + k] - (counts ? weight * (std::exp(log_p[k]) - q[k]) : 0)));
    }
    if (labels[i] == padding) continue;
    CHECK(std::abs(mass - 1) < 1e-15);
    likelihood -= log_p[static_cast<std::size_t>(labels[i])];
  }
  CHECK(std::abs(loss.loss - expected) < 1e-12);
  CHECK(std::abs(loss.log_likelihood - likelihood) < 1e-12);
  CHECK(loss.rows == 3);
  CHECK(gradient_off < 1e-14);
  std::vector<double> x = logits;
  const auto value = [&] {
    std::vector<double> copy = x;
    return weight *
           smoothed_cross_entropy(copy.data(), labels.data(), rows, classes, padding, smoothing, weight, {}).loss;
  };
  CHECK(gradient_error(value, x.data(), gradient.data(), rows * classes) < 1e-8);
}

TEST_CASE("smoothed_cross_entropy: float agrees with double, large logits overflow nothing, threads change nothing") {
  random_numbers random(6);
  const index_t rows = 37, many = 1003;
  std::vector<float> x = random.numbers<float>(rows * many, -5, 5);
  x[3] = 3e4F;
  std::vector<std::int32_t> labels;
  for (index_t i = 0; i < rows; ++i) labels.push_back(static_cast<std::int32_t>(random.index(many)));
  std::vector<double> wide(x.begin(), x.end());
  std::vector<float> parallel = x;
  const label_smoothing smoothing;
  const smoothed_loss a = smoothed_cross_entropy(x.data(), labels.data(), rows, many, 1, smoothing, 1.0, {});
  const smoothed_loss b = smoothed_cross_entropy(wide.data(), labels.data(), rows, many, 1, smoothing, 1.0, {});
  CHECK(std::abs(a.loss - b.loss) < 1e-5 * std::abs(b.loss));
  double off = 0;
  for (std::size_t i = 0; i < x.size(); ++i) off = std::max(off, std::abs(static_cast<double>(x[i]) - wide[i]));
  CHECK(off < 1e-6);
  const smoothed_loss c = smoothed_cross_entropy(parallel.data(), labels.data(), rows, many, 1, smoothing, 1.0,
                                                 inhibitor::test::thread_executor(3));
  CHECK(c.loss == a.loss);
  CHECK(parallel == x);
}

TEST_CASE("smoothed_cross_entropy: refuses labels outside the vocabulary before anything is overwritten") {
  std::vector<float> x(8);
  const std::vector<std::int32_t> labels{0, 4};
  CHECK_THROWS_WITH(smoothed_cross_entropy(x.data(), labels.data(), 2, 4, 0, {}, 1.0, {}),
                    contains_text("label of row 1 is 4; expected 0 <= label < 4"));
  CHECK(x == std::vector<float>(8));
}
