// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "inhibitor/base/config.hpp"

// The scalar truth of the matrix product in bytes: every rounding of kernels/gemm_s8/ as plain loops, for tests and
// benchmarks.
//
//   numbers (in) = round(x * (127 / m)), ties to even; scale = m / 127      m = max |x|, both quotients rounded to float
//   sum          = sum_k x_k w_k                                           32 bits, exact
//   z            = float(sum) * (x_scale * w_scale) + bias                 four roundings
//   y            = z, gelu(z), or z + residual
//
// A row with m < 2^-100 is one of zeros, with scale 0. No two operations are fused: s8_rounded keeps compilers from it.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace reference {

inline float s8_rounded(float x) {
  volatile float stored = x;
  return stored;
}

struct s8_numbers {
  std::vector<std::int8_t> numbers;
  float scale;
};

/// A row of weights or of activations, finite.
inline s8_numbers s8_quantize(const float* x, index_t n) {
  float largest = 0;
  for (index_t k = 0; k < n; ++k) largest = std::fmax(largest, std::fabs(x[k]));
  s8_numbers row{std::vector<std::int8_t>(static_cast<std::size_t>(n)), 0.0F};
  if (largest < 0x1p-100F) return row;
  row.scale = s8_rounded(largest / 127.0F);
  const float inverse = s8_rounded(127.0F / largest);
  for (index_t k = 0; k < n; ++k) {
    row.numbers[static_cast<std::size_t>(k)] = static_cast<std::int8_t>(std::nearbyint(s8_rounded(x[k] * inverse)));
  }
  return row;
}

/// z of one output.
inline float s8_output(const s8_numbers& x, const s8_numbers& w, float bias) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < x.numbers.size(); ++k) sum += std::int64_t{x.numbers[k]} * w.numbers[k];
  const float scale = s8_rounded(x.scale * w.scale);
  return s8_rounded(s8_rounded(static_cast<float>(sum) * scale) + bias);
}

/// GELU by the rational approximation of kernels/gemm_s8/gelu.hpp.
inline float s8_gelu(float x) {
  const float above[] = {2.370664926e-8F, 6.301670621e-6F, 1.582651241e-4F,
                         4.613000094e-3F, 3.279462524e-2F, 0.3989422693F};
  const float below[] = {1.221813028e-6F, 7.038580305e-5F, 1.824325944e-3F, 2.80419766e-2F, 0.2488703655F, 1.0F};
  const float t = std::fmin(std::fmax(x, -5.5F), 5.5F), u = s8_rounded(t * t);
  float p = above[0], q = below[0];
  for (int i = 1; i < 6; ++i) {
    p = s8_rounded(s8_rounded(p * u) + above[i]);
    q = s8_rounded(s8_rounded(q * u) + below[i]);
  }
  const float ratio = s8_rounded(s8_rounded(t * p) / q);
  return s8_rounded(x * s8_rounded(0.5F + std::fmin(std::fmax(ratio, -0.5F), 0.5F)));
}

}  // namespace reference
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
