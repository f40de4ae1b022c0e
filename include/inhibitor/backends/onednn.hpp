// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

#include <oneapi/dnnl/dnnl.h>
#include <string>
#include <type_traits>

#include "inhibitor/nn/unpacked_weight.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Policy of packed_linear (nn/packed_linear.hpp): oneDNN, one single-threaded call per block. Models of float only.
/// Needs a oneDNN that runs on OpenMP, as distributions build it.
///
/// The plain product, not the primitive with weights in a format of its own: measured side by side in oneDNN 2.6 the
/// primitive is no faster on encoder shapes, and it would have to be built anew for every number of rows.
struct onednn_gemm {
  static std::string name() {
    const dnnl_version_t& v = *dnnl_version();
    return "oneDNN " + std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
  }

  /// y (rows, cols) = x (rows, in) * w (cols, in)^T.
  static void run(float* y, index_t y_stride, const float* x, index_t x_stride, const float* w, index_t rows,
                  index_t cols, index_t in) {
    // In a parallel region the library keeps to the calling thread by itself.
    const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
    if (threads > 1) omp_set_num_threads(1);
    dnnl_sgemm('N', 'T', rows, cols, in, 1, x, x_stride, w, in, 0, y, y_stride);
    if (threads > 1) omp_set_num_threads(threads);
  }

  template <class T>
  class weight : public unpacked_weight<T, onednn_gemm> {
    static_assert(std::is_same_v<T, float>, "oneDNN multiplies no other type than float");
    using unpacked_weight<T, onednn_gemm>::unpacked_weight;
  };
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
