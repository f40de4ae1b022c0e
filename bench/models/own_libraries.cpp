// SPDX-License-Identifier: Apache-2.0

// This library's encoder on the products of others, as far as they are installed.

#include "models/own_contender.hpp"
#if defined(INHIBITOR_HAS_OPENBLAS)
#include "inhibitor/backends/openblas.hpp"
#endif
#if defined(INHIBITOR_HAS_ONEDNN)
#include "inhibitor/backends/onednn.hpp"
#endif

namespace inhibitor {
namespace bench {
namespace {

template <class Gemm>
[[maybe_unused]] void add(std::vector<model_entry>& entries, std::vector<std::string>& notes,
                          const bench_models& models, const std::string& library) {
  entries.push_back(own_entry<Gemm>("ours on " + library + ", dot product", models, "dot_product"));
  notes.push_back("ours on " + library + ": " + Gemm::name());
}

}  // namespace

void add_own_libraries([[maybe_unused]] std::vector<model_entry>& entries,
                       [[maybe_unused]] std::vector<std::string>& notes, [[maybe_unused]] const bench_models& models) {
#if defined(INHIBITOR_HAS_OPENBLAS)
  add<openblas_gemm>(entries, notes, models, "OpenBLAS");
#endif
#if defined(INHIBITOR_HAS_ONEDNN)
  add<onednn_gemm>(entries, notes, models, "oneDNN");
#endif
}

}  // namespace bench
}  // namespace inhibitor
