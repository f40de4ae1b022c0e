// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/metrics/metrics.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using classes = std::vector<std::int32_t>;
using floats = std::vector<float>;

TEST_CASE("metrics: golden values") {
  const classes truth{1, 0, 1, 1, 0, 0, 1, 0}, predicted{1, 0, 0, 1, 0, 1, 1, 1};
  CHECK_THAT(accuracy(predicted, truth), WithinAbs(0.625, 1e-6));
  CHECK_THAT(f1_score(predicted, truth), WithinAbs(0.666667, 1e-6));
  CHECK_THAT(matthews_correlation(predicted, truth), WithinAbs(0.258199, 1e-6));
  const floats x{0, 1.2F, 2.5F, 2.5F, 4, 5}, z{0.3F, 1.0F, 2.2F, 3.1F, 3.9F, 4.4F};
  CHECK_THAT(pearson_correlation(z, x), WithinAbs(0.974542, 1e-6));
  CHECK_THAT(spearman_correlation(z, x), WithinAbs(0.985611, 1e-6));
  CHECK(detail::average_ranks(x) == std::vector<double>{1, 2, 3.5, 3.5, 5, 6});
  CHECK_THAT(mean_squared_error({1, 2, 4}, {1, 4, 1}), WithinAbs(13.0 / 3, 1e-12));
}

TEST_CASE("trap 16: degenerate classes give 0") {
  const classes ones{1, 1, 1}, zeros{0, 0, 0}, mixed{0, 1, 1};
  CHECK(matthews_correlation(ones, mixed) == 0);
  CHECK(matthews_correlation(mixed, zeros) == 0);
  CHECK(matthews_correlation(ones, ones) == 0);
  CHECK(f1_score(zeros, zeros) == 0);
  CHECK(f1_score(zeros, mixed) == 0);
  CHECK(f1_score(ones, ones) == 1);
  CHECK(matthews_correlation(mixed, mixed) == 1);
  CHECK(matthews_correlation({1, 0, 0}, mixed) == -1);
}

TEST_CASE("trap 16: constant predictions have no correlation, not one of 0") {
  const floats constant{0.1F, 0.1F, 0.1F}, rising{1, 2, 3};
  CHECK(std::isnan(pearson_correlation(constant, rising)));
  CHECK(std::isnan(spearman_correlation(constant, rising)));
  CHECK(std::isnan(pearson_correlation(rising, constant)));
  CHECK(std::isnan(pearson_correlation({2}, {3})));
  CHECK(std::isnan(spearman_correlation({1, std::nanf(""), 2}, rising)));
  CHECK(std::isnan(main_metric(regression_metrics(metric_kind::correlations, constant, rising)).second));
  CHECK_THAT(pearson_correlation({2, 4, 6}, rising), WithinAbs(1, 1e-12));
  CHECK_THAT(spearman_correlation({3, 2, -7}, rising), WithinAbs(-1, 1e-12));
}

TEST_CASE("metrics: names, and the mean where there are several") {
  const classes truth{1, 0, 1, 1, 0, 0, 1, 0}, predicted{1, 0, 0, 1, 0, 1, 1, 1};
  const metric_values pair = classification_metrics(metric_kind::accuracy_f1, predicted, truth);
  REQUIRE(pair.size() == 3);
  CHECK(pair[0].first == "accuracy");
  CHECK(pair[1].first == "f1");
  CHECK(main_metric(pair).first == "combined_score");
  CHECK_THAT(main_metric(pair).second, WithinAbs((0.625 + 2.0 / 3) / 2, 1e-12));
  CHECK(classification_metrics(metric_kind::accuracy, predicted, truth).size() == 1);
  CHECK(main_metric(classification_metrics(metric_kind::matthews, predicted, truth)).first == "matthews_correlation");
  const metric_values scores = regression_metrics(metric_kind::correlations, {1, 2, 4}, {1, 2, 3});
  REQUIRE(scores.size() == 3);
  CHECK(scores[0].first == "pearson");
  CHECK(scores[1].first == "spearmanr");
  CHECK(main_metric(scores).first == "combined_score");
  CHECK(main_metric(regression_metrics(metric_kind::mse, {1}, {2})).first == "mse");
}

TEST_CASE("metrics: sizes and classes that do not fit are refused") {
  CHECK_THROWS_AS(accuracy({}, {}), std::invalid_argument);
  CHECK_THROWS_AS(accuracy({1}, {1, 0}), std::invalid_argument);
  CHECK_THROWS_AS(f1_score({2}, {1}), std::invalid_argument);
  CHECK_THROWS_AS(matthews_correlation({0}, {-1}), std::invalid_argument);
  CHECK_THROWS_AS(pearson_correlation({}, {}), std::invalid_argument);
}
