// SPDX-License-Identifier: Apache-2.0
// Compiled twice, with INHIBITOR_HEADER the single header and the library's own, into one program.
#include INHIBITOR_HEADER
#include INHIBITOR_HEADER

#include "parts.hpp"

namespace inhibitor {

std::vector<float> INHIBITOR_PART(const std::vector<float>& q, const std::vector<float>& k,
                                  const std::vector<float>& v) {
  using matrix = row_matrix<float>;
  const auto width = static_cast<Eigen::Index>(parts::width);
  const auto rows = [&](const std::vector<float>& x) { return static_cast<Eigen::Index>(x.size()) / width; };
  const auto map = [&](const std::vector<float>& x) {
    return matrix(Eigen::Map<const matrix>(x.data(), rows(x), width));
  };
  const matrix out = attention(map(q), map(k), map(v), attention_parameters<float>{});
  return {out.data(), out.data() + out.size()};
}

}  // namespace inhibitor
