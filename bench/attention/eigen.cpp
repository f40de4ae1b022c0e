// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>

#include "attention/blocked_softmax.hpp"

namespace inhibitor {
namespace bench {
namespace {

struct eigen_products {
  using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using const_map = Eigen::Map<const matrix>;
  using strided_map = Eigen::Map<matrix, 0, Eigen::OuterStride<>>;

  static void scores(float* s, index_t pitch, const float* q, const float* k, index_t rows, index_t keys, index_t d) {
    strided_map(s, rows, keys, Eigen::OuterStride<>(pitch)).noalias() =
        const_map(q, rows, d) * const_map(k, keys, d).transpose();
  }
  static void values(float* out, float* s, index_t pitch, const float* v, index_t rows, index_t keys, index_t d) {
    Eigen::Map<matrix>(out, rows, d).noalias() =
        strided_map(s, rows, keys, Eigen::OuterStride<>(pitch)) * const_map(v, keys, d);
  }
};

}  // namespace

void add_eigen(contender_list& list) {
  list.notes.emplace_back("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                                       "." + std::to_string(EIGEN_MINOR_VERSION));
  list.entries.push_back(blocked_softmax_entry<eigen_products>("softmax_eigen"));
}

}  // namespace bench
}  // namespace inhibitor
