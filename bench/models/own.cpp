// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/nn/gemm_eigen.hpp"
#include "models/own_contender.hpp"

namespace inhibitor {
namespace bench {

void add_own(std::vector<model_entry>& entries, std::vector<std::string>& notes, const bench_models& models) {
  const std::string dot = "dot_product", inhibiting = "inhibitor";
  // The first of each mechanism is the reference for the results of the others.
  entries.push_back(own_entry<panel_gemm>("ours, dot product", models, dot));
  entries.push_back(own_entry<panel_gemm>("ours, inhibitor", models, inhibiting));
  entries.push_back(own_entry<panel_gemm>("ours, inhibitor u8", models, inhibiting, {true}));
  entries.push_back(own_entry<s8_gemm>("ours int8, dot product", models, dot));
  entries.push_back(own_entry<s8_gemm>("ours int8, inhibitor u8", models, inhibiting, {true}));
  entries.push_back(own_entry<eigen_gemm>("ours on Eigen, dot product", models, dot));
  notes.push_back("ours: " + panel_gemm::name() + "; " + s8_gemm::name() + "; " + eigen_gemm::name());
}

}  // namespace bench
}  // namespace inhibitor
