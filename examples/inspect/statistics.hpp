// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "inhibitor/io/safetensors.hpp"

namespace inhibitor::examples {

/// What one tensor's numbers look like. NaN and infinities are counted and left out of everything else.
class tensor_statistics {
 public:
  /// Adds `count` values.
  template <class T>
  void add(const T* values, std::uint64_t count) {
    double sum = 0;
    std::uint64_t finite = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto x = static_cast<double>(values[i]);
      if (!std::isfinite(x)) continue;
      ++finite;
      sum += x;
      min_ = std::min(min_, x);
      max_ = std::max(max_, x);
      zeros_ += x == 0 ? 1 : 0;
    }
    non_finite_ += count - finite;
    if (finite == 0) return;
    const double mean = sum / static_cast<double>(finite);
    double squares = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const double d = static_cast<double>(values[i]) - mean;
      squares += std::isfinite(d) ? d * d : 0;
    }
    // Chan, Golub, LeVeque 1979: moments of two parts from those of each, without cancellation.
    const auto n = static_cast<double>(finite_), m = static_cast<double>(finite);
    const double difference = mean - mean_;
    squares_ += squares + difference * difference * n * m / (n + m);
    mean_ += difference * m / (n + m);
    finite_ += finite;
  }

  std::uint64_t count() const { return finite_ + non_finite_; }
  std::uint64_t finite() const { return finite_; }
  std::uint64_t non_finite() const { return non_finite_; }
  /// The following need at least one finite value; without any they are NaN.
  double min() const { return finite_ > 0 ? min_ : not_a_number; }
  double max() const { return finite_ > 0 ? max_ : not_a_number; }
  double mean() const { return finite_ > 0 ? mean_ : not_a_number; }
  /// Of the values as they are: divided by their number, not by one less.
  double standard_deviation() const {
    return finite_ > 0 ? std::sqrt(squares_ / static_cast<double>(finite_)) : not_a_number;
  }
  double zero_share() const {
    return finite_ > 0 ? static_cast<double>(zeros_) / static_cast<double>(count()) : not_a_number;
  }

 private:
  static constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
  double mean_ = 0, squares_ = 0;
  std::uint64_t finite_ = 0, non_finite_ = 0, zeros_ = 0;
};

namespace detail {

/// Calls f(values, count) for the tensor in pieces, so that no tensor is in memory whole.
template <class T, class Visitor>
void for_each_piece(const safetensors_file& file, const tensor_info& info, Visitor&& f) {
  constexpr std::uint64_t piece = 1 << 16;
  const std::uint64_t total = info.elements(), width = dtype_bits(info.type) / 8;
  std::vector<T> values(static_cast<std::size_t>(std::min(total, piece)));
  for (std::uint64_t done = 0; done < total; done += piece) {
    const std::uint64_t now = std::min(piece, total - done);
    tensor_info part = info;
    part.shape = {now};
    part.begin = info.begin + done * width;
    part.end = part.begin + now * width;
    file.copy_to(part, values.data());
    f(values.data(), now);
  }
}

}  // namespace detail

/// True for the types whose numbers the library can read: F64, F32, F16, BF16, integers and BOOL.
inline bool has_statistics(dtype type) {
  switch (type) {
    case dtype::f4:
    case dtype::f6_e2m3:
    case dtype::f6_e3m2:
    case dtype::f8_e5m2:
    case dtype::f8_e4m3:
    case dtype::f8_e8m0:
    case dtype::f8_e4m3fnuz:
    case dtype::f8_e5m2fnuz:
    case dtype::c64:
      return false;
    default:
      return true;
  }
}

/// True for the floating types the library converts.
inline bool is_floating(dtype type) {
  return type == dtype::f16 || type == dtype::bf16 || type == dtype::f32 || type == dtype::f64;
}

/// Statistics of a stored tensor of a type for which has_statistics() holds. Throws file_error when the file cannot be
/// read.
inline tensor_statistics statistics_of(const safetensors_file& file, const tensor_info& info) {
  tensor_statistics out;
  if (is_floating(info.type)) {
    detail::for_each_piece<double>(file, info, [&](const double* x, std::uint64_t n) { out.add(x, n); });
  } else if (info.type == dtype::u64) {
    // The reader hands out the bits of a U64 as a signed number.
    detail::for_each_piece<std::int64_t>(file, info, [&](std::int64_t* x, std::uint64_t n) {
      std::vector<double> values(x, x + n);
      for (std::uint64_t i = 0; i < n; ++i) values[i] = static_cast<double>(static_cast<std::uint64_t>(x[i]));
      out.add(values.data(), n);
    });
  } else {
    detail::for_each_piece<std::int64_t>(file, info, [&](const std::int64_t* x, std::uint64_t n) { out.add(x, n); });
  }
  return out;
}

}  // namespace inhibitor::examples
