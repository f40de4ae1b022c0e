// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"

// Losses with their gradients. Each function returns the loss and ADDS weight * gradient to its first argument, which
// may be null when only the value is wanted. Sums run in double, in index order, whatever T is.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Label that masked-LM losses skip.
constexpr std::int32_t ignored_label = -100;

namespace detail {

/// log(sum(exp(x / temperature))) of one row.
template <class T>
double log_sum_exp(const T* x, index_t size, double temperature) {
  const double largest = static_cast<double>(*std::max_element(x, x + size)) / temperature;
  double sum = 0;
  for (index_t k = 0; k < size; ++k) sum += std::exp(static_cast<double>(x[k]) / temperature - largest);
  return largest + std::log(sum);
}

}  // namespace detail

/// Mean cross-entropy of logits (rows, classes) against labels (rows), over rows whose label is not ignored_label; 0
/// when there is none. Throws std::invalid_argument for a label outside [0, classes).
template <class T>
double cross_entropy(T* dlogits, const T* logits, const std::int32_t* labels, index_t rows, index_t classes,
                     double weight = 1) {
  index_t counted = 0;
  for (index_t i = 0; i < rows; ++i) {
    if (labels[i] == ignored_label) continue;
    check(labels[i] >= 0 && labels[i] < classes, [&] {
      return "label of row " + std::to_string(i) + " is " + std::to_string(labels[i]) + "; expected 0 <= label < " +
             std::to_string(classes);
    });
    ++counted;
  }
  if (counted == 0) return 0;
  double loss = 0;
  const double scale = weight / static_cast<double>(counted);
  for (index_t i = 0; i < rows; ++i) {
    if (labels[i] == ignored_label) continue;
    const T* x = logits + i * classes;
    const double normalizer = detail::log_sum_exp(x, classes, 1.0);
    loss += normalizer - static_cast<double>(x[labels[i]]);
    if (dlogits == nullptr) continue;
    for (index_t k = 0; k < classes; ++k) {
      const double p = std::exp(static_cast<double>(x[k]) - normalizer);
      dlogits[i * classes + k] += static_cast<T>(scale * (p - (k == labels[i] ? 1.0 : 0.0)));
    }
  }
  return loss / static_cast<double>(counted);
}

/// Mean squared difference of scores (rows) and targets (rows), as a regression head is trained; 0 without rows. Target
/// is any floating type.
template <class T, class Target>
double mean_squared_error(T* dscores, const T* scores, const Target* targets, index_t rows, double weight = 1) {
  if (rows == 0) return 0;
  double loss = 0;
  for (index_t i = 0; i < rows; ++i) {
    const double difference = static_cast<double>(scores[i]) - static_cast<double>(targets[i]);
    loss += difference * difference;
    if (dscores != nullptr) dscores[i] += static_cast<T>(2 * weight * difference / static_cast<double>(rows));
  }
  return loss / static_cast<double>(rows);
}

/// What the head of a model is trained on: a class per example, or a score per example (regression, one output).
struct head_targets {
  const std::int32_t* labels = nullptr;  ///< (B)
  const float* scores = nullptr;         ///< (B); read when there are no labels

  head_targets(const std::int32_t* classes) : labels(classes) {}
  head_targets(const float* values) : scores(values) {}
};

/// Mean loss of logits (rows, outputs): cross-entropy on labels, squared error on scores, for which outputs is 1. ADDS
/// weight * gradient to `dlogits` unless that is null. Throws std::invalid_argument for labels outside [0, outputs) and
/// scores with several outputs.
template <class T>
double head_loss(T* dlogits, const T* logits, const head_targets& targets, index_t rows, index_t outputs,
                 double weight = 1) {
  if (targets.labels != nullptr) return cross_entropy(dlogits, logits, targets.labels, rows, outputs, weight);
  check(outputs == 1, [&] { return "a model of " + std::to_string(outputs) + " outputs cannot learn scores"; });
  return mean_squared_error(dlogits, logits, targets.scores, rows, weight);
}

/// Distillation loss of Hinton et al. 2015 (arXiv 1503.02531) as DistilBERT uses it: T^2 * KL(softmax(teacher / T) ||
/// softmax(student / T)), summed over classes, averaged over rows ("batchmean"). Logits are (rows, classes).
template <class T>
double distillation_kl(T* dstudent, const T* student, const T* teacher, index_t rows, index_t classes,
                       double temperature, double weight = 1) {
  if (rows == 0) return 0;
  double loss = 0;
  const double scale = weight * temperature / static_cast<double>(rows);
  for (index_t i = 0; i < rows; ++i) {
    const T* s = student + i * classes;
    const T* t = teacher + i * classes;
    const double s_normalizer = detail::log_sum_exp(s, classes, temperature);
    const double t_normalizer = detail::log_sum_exp(t, classes, temperature);
    for (index_t k = 0; k < classes; ++k) {
      const double log_s = static_cast<double>(s[k]) / temperature - s_normalizer;
      const double log_t = static_cast<double>(t[k]) / temperature - t_normalizer;
      loss += std::exp(log_t) * (log_t - log_s);
      if (dstudent != nullptr) dstudent[i * classes + k] += static_cast<T>(scale * (std::exp(log_s) - std::exp(log_t)));
    }
  }
  return temperature * temperature * loss / static_cast<double>(rows);
}

namespace detail {
inline index_t count_rows(const std::uint8_t* row_mask, index_t rows) {
  return rows - static_cast<index_t>(std::count(row_mask, row_mask + rows, std::uint8_t{0}));
}
}  // namespace detail

/// Mean squared difference of two (rows, cols) arrays over the rows whose row_mask (rows) is not 0 and over their
/// columns, so padding changes neither value nor gradient; 0 when no row counts.
template <class T>
double masked_mse(T* dstudent, const T* student, const T* teacher, const std::uint8_t* row_mask, index_t rows,
                  index_t cols, double weight = 1) {
  const index_t counted = detail::count_rows(row_mask, rows);
  if (counted == 0) return 0;
  const double count = static_cast<double>(counted * cols);
  const T scale = static_cast<T>(2 * weight / count);
  double loss = 0;
  for (index_t i = 0; i < rows; ++i) {
    if (row_mask[i] == 0) continue;
    T row_loss = 0;
    for (index_t k = i * cols; k < (i + 1) * cols; ++k) {
      const T difference = student[k] - teacher[k];
      row_loss += difference * difference;
      if (dstudent != nullptr) dstudent[k] += scale * difference;
    }
    loss += static_cast<double>(row_loss);
  }
  return loss / count;
}

/// Mean of 1 - cos(student row, teacher row) over the rows of (rows, cols) whose row_mask (rows) is not 0 (DistilBERT's
/// third loss). A row of zeros counts as cosine 0 and gets no gradient.
template <class T>
double masked_cosine(T* dstudent, const T* student, const T* teacher, const std::uint8_t* row_mask, index_t rows,
                     index_t cols, double weight = 1) {
  const index_t counted = detail::count_rows(row_mask, rows);
  if (counted == 0) return 0;
  double loss = 0;
  for (index_t i = 0; i < rows; ++i) {
    if (row_mask[i] == 0) continue;
    const T* s = student + i * cols;
    const T* t = teacher + i * cols;
    double st = 0, ss = 0, tt = 0;
    for (index_t k = 0; k < cols; ++k) {
      st += static_cast<double>(s[k]) * static_cast<double>(t[k]);
      ss += static_cast<double>(s[k]) * static_cast<double>(s[k]);
      tt += static_cast<double>(t[k]) * static_cast<double>(t[k]);
    }
    const double norms = std::sqrt(ss * tt);
    if (norms == 0) {
      loss += 1;
      continue;
    }
    const double cosine = st / norms;
    loss += 1 - cosine;
    if (dstudent == nullptr) continue;
    const double scale = weight / static_cast<double>(counted);
    for (index_t k = 0; k < cols; ++k) {
      const double d = static_cast<double>(t[k]) / norms - cosine * static_cast<double>(s[k]) / ss;
      dstudent[i * cols + k] -= static_cast<T>(scale * d);
    }
  }
  return loss / static_cast<double>(counted);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
