// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"

// Who takes part in bench_gemm_s8: affine layers y = x W^T + bias on the same numbers, single-threaded.

namespace inhibitor {
namespace bench {

struct gemm_problem {
  index_t rows, in, out;
  std::vector<float> x, weight, bias;  // (rows, in), (out, in), (out)

  gemm_problem(index_t rows, index_t in, index_t out);
  std::string name() const { return std::to_string(rows) + " x " + std::to_string(in) + " x " + std::to_string(out); }
  double products() const { return static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out); }
};

/// A layer that is packed and ready.
struct gemm_contender {
  std::string name;
  std::function<void()> run;
  /// y (rows, out) of the last run; null: the limit, which computes nothing.
  const std::vector<float>* y;
  double tolerance;  ///< largest difference from the product in float, relative to its largest magnitude
  double products;   ///< multiplications of one run
};

/// Everybody, ready for a problem that must outlive them.
std::vector<gemm_contender> make_gemm_contenders(const gemm_problem& problem);

/// "avx2; oneDNN 2.6.3 int8 by gemm:jit"
std::string gemm_contenders_description();

}  // namespace bench
}  // namespace inhibitor
