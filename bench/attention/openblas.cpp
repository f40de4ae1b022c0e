// SPDX-License-Identifier: Apache-2.0
#include <cblas.h>

#include "attention/blocked_softmax.hpp"

namespace inhibitor {
namespace bench {
namespace {

struct blas_products {
  // A single query is a matrix-vector product, which BLAS does much better when told so.
  static void scores(float* s, index_t pitch, const float* q, const float* k, index_t rows, index_t keys, index_t d) {
    const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(keys), size = static_cast<blasint>(d);
    if (rows == 1) {
      cblas_sgemv(CblasRowMajor, CblasNoTrans, n, size, 1.0F, k, size, q, 1, 0.0F, s, 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, size, 1.0F, q, size, k, size, 0.0F, s,
                  static_cast<blasint>(pitch));
    }
  }
  static void values(float* out, float* s, index_t pitch, const float* v, index_t rows, index_t keys, index_t d) {
    const auto m = static_cast<blasint>(rows), n = static_cast<blasint>(keys), size = static_cast<blasint>(d);
    if (rows == 1) {
      cblas_sgemv(CblasRowMajor, CblasTrans, n, size, 1.0F, v, size, s, 1, 0.0F, out, 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, size, n, 1.0F, s, static_cast<blasint>(pitch), v, size,
                  0.0F, out, size);
    }
  }
};

}  // namespace

void add_openblas(contender_list& list) {
  openblas_set_num_threads(1);
  const char* forced = std::getenv("OPENBLAS_CORETYPE");
  list.notes.emplace_back("openblas", std::string(openblas_get_config()) + ", kernels " + openblas_get_corename() +
                                          (forced != nullptr ? " (forced by OPENBLAS_CORETYPE)" : " (its own choice)"));
  list.entries.push_back(blocked_softmax_entry<blas_products>("softmax_blas"));
}

}  // namespace bench
}  // namespace inhibitor
