// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cblas.h>
#include <openblas_config.h>

#include <string>

#include "inhibitor/nn/unpacked_weight.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Policy of packed_linear (nn/packed_linear.hpp): OpenBLAS, one call per block. Packing a weight sets the library to
/// one thread, for the whole process: the blocks are what runs in parallel, and results then do not depend on their
/// number.
///
/// Releases that are older than the CPU fall back to slow kernels without a word; name() says which they took, and the
/// environment variable OPENBLAS_CORETYPE chooses others.
struct openblas_gemm {
  static std::string name() { return std::string(OPENBLAS_VERSION) + " for " + openblas_get_corename(); }

  /// y (rows, cols) = x (rows, in) * w (cols, in)^T.
  static void run(float* y, index_t y_stride, const float* x, index_t x_stride, const float* w, index_t rows,
                  index_t cols, index_t in) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size(rows), size(cols), size(in), 1, x, size(x_stride), w,
                size(in), 0, y, size(y_stride));
  }
  static void run(double* y, index_t y_stride, const double* x, index_t x_stride, const double* w, index_t rows,
                  index_t cols, index_t in) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, size(rows), size(cols), size(in), 1, x, size(x_stride), w,
                size(in), 0, y, size(y_stride));
  }

  template <class T>
  class weight : public unpacked_weight<T, openblas_gemm> {
   public:
    weight() = default;
    weight(const T* w, const T* bias, index_t out, index_t in)
        : unpacked_weight<T, openblas_gemm>(w, bias, out, in) {
      openblas_set_num_threads(1);
    }
  };

 private:
  static blasint size(index_t n) { return static_cast<blasint>(n); }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
