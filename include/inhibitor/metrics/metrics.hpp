// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"

// The metrics of GLUE. All take predictions and truth of equal size, at least one, and throw std::invalid_argument
// otherwise. Sums run in double, in index order.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What is reported of a task's predictions. Keys are those of Hugging Face's GLUE metric.
enum class metric_kind {
  accuracy,      ///< accuracy
  matthews,      ///< matthews_correlation
  accuracy_f1,   ///< accuracy, f1, combined_score (their mean)
  correlations,  ///< pearson, spearmanr, combined_score (their mean)
  mse            ///< mse
};

namespace detail {

template <class T>
void check_sizes(const std::vector<T>& predictions, const std::vector<T>& truth) {
  check(!truth.empty() && predictions.size() == truth.size(),
        "metrics: expected as many predictions as labels, and at least one");
}

/// Counts of a two-class task whose positive class is 1.
struct confusion {
  double true_positive = 0, true_negative = 0, false_positive = 0, false_negative = 0;
};

inline confusion confusion_of(const std::vector<std::int32_t>& predictions, const std::vector<std::int32_t>& labels) {
  check_sizes(predictions, labels);
  confusion c;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check(labels[i] >= 0 && labels[i] <= 1 && predictions[i] >= 0 && predictions[i] <= 1,
          "metrics: expected classes 0 and 1");
    double& count = predictions[i] == 1 ? (labels[i] == 1 ? c.true_positive : c.false_positive)
                                        : (labels[i] == 1 ? c.false_negative : c.true_negative);
    ++count;
  }
  return c;
}

/// Ranks from 1; equal values share the mean of theirs.
inline std::vector<double> average_ranks(const std::vector<float>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = 0.5 * static_cast<double>(first + last + 1);
    first = last;
  }
  return ranks;
}

template <class T>
double correlation(const std::vector<T>& x, const std::vector<T>& y) {
  const auto is_constant = [](const std::vector<T>& v) {
    return std::all_of(v.begin(), v.end(), [&](T value) { return value == v.front(); });
  };
  const auto mean = [](const std::vector<T>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0,
                           [](double sum, T value) { return sum + static_cast<double>(value); }) /
           static_cast<double>(v.size());
  };
  if (is_constant(x) || is_constant(y)) return std::numeric_limits<double>::quiet_NaN();
  const double mean_x = mean(x), mean_y = mean(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = static_cast<double>(x[i]) - mean_x;
    const double dy = static_cast<double>(y[i]) - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

inline bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace detail

/// Share of correct predictions.
inline double accuracy(const std::vector<std::int32_t>& predictions, const std::vector<std::int32_t>& labels) {
  detail::check_sizes(predictions, labels);
  index_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += predictions[i] == labels[i] ? 1 : 0;
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

/// 2 TP / (2 TP + FP + FN) of class 1; 0 when class 1 occurs nowhere.
inline double f1_score(const std::vector<std::int32_t>& predictions, const std::vector<std::int32_t>& labels) {
  const detail::confusion c = detail::confusion_of(predictions, labels);
  const double denominator = 2 * c.true_positive + c.false_positive + c.false_negative;
  return denominator == 0 ? 0 : 2 * c.true_positive / denominator;
}

/// Matthews correlation of two classes; 0 when predictions or labels are all of one class.
inline double matthews_correlation(const std::vector<std::int32_t>& predictions,
                                   const std::vector<std::int32_t>& labels) {
  const detail::confusion c = detail::confusion_of(predictions, labels);
  const double product = (c.true_positive + c.false_positive) * (c.true_positive + c.false_negative) *
                         (c.true_negative + c.false_positive) * (c.true_negative + c.false_negative);
  if (product == 0) return 0;
  return (c.true_positive * c.true_negative - c.false_positive * c.false_negative) / std::sqrt(product);
}

/// Linear correlation; NaN when either side is constant or holds a value that is not finite.
inline double pearson_correlation(const std::vector<float>& predictions, const std::vector<float>& scores) {
  detail::check_sizes(predictions, scores);
  if (!detail::all_finite(predictions) || !detail::all_finite(scores)) return std::numeric_limits<double>::quiet_NaN();
  return detail::correlation(predictions, scores);
}

/// Correlation of ranks, ties sharing the mean rank; NaN as for pearson_correlation.
inline double spearman_correlation(const std::vector<float>& predictions, const std::vector<float>& scores) {
  detail::check_sizes(predictions, scores);
  if (!detail::all_finite(predictions) || !detail::all_finite(scores)) return std::numeric_limits<double>::quiet_NaN();
  return detail::correlation(detail::average_ranks(predictions), detail::average_ranks(scores));
}

/// Mean squared difference.
inline double mean_squared_error(const std::vector<float>& predictions, const std::vector<float>& scores) {
  detail::check_sizes(predictions, scores);
  double sum = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double difference = static_cast<double>(predictions[i]) - static_cast<double>(scores[i]);
    sum += difference * difference;
  }
  return sum / static_cast<double>(scores.size());
}

/// Metric values by Hugging Face's names, in the order people list them.
using metric_values = std::vector<std::pair<std::string, double>>;

/// The metrics of a classification task. combined_score, the mean, is there when a task has more than one.
inline metric_values classification_metrics(metric_kind kind, const std::vector<std::int32_t>& predictions,
                                            const std::vector<std::int32_t>& labels) {
  if (kind == metric_kind::matthews) return {{"matthews_correlation", matthews_correlation(predictions, labels)}};
  const double correct = accuracy(predictions, labels);
  if (kind != metric_kind::accuracy_f1) return {{"accuracy", correct}};
  const double f1 = f1_score(predictions, labels);
  return {{"accuracy", correct}, {"f1", f1}, {"combined_score", (correct + f1) / 2}};
}

/// The metrics of a regression.
inline metric_values regression_metrics(metric_kind kind, const std::vector<float>& predictions,
                                        const std::vector<float>& scores) {
  if (kind != metric_kind::correlations) return {{"mse", mean_squared_error(predictions, scores)}};
  const double pearson = pearson_correlation(predictions, scores);
  const double spearman = spearman_correlation(predictions, scores);
  return {{"pearson", pearson}, {"spearmanr", spearman}, {"combined_score", (pearson + spearman) / 2}};
}

/// The one number a task is judged by: combined_score where there is one, else its only metric.
inline const std::pair<std::string, double>& main_metric(const metric_values& values) { return values.back(); }

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
