// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace parts {

inline constexpr int width = 3;  // D = Dv

}  // namespace parts

namespace inhibitor {

/// Attention of one head, (rows, width) each, with the default scalars, by each of the two headers.
std::vector<float> by_single_header(const std::vector<float>& q, const std::vector<float>& k,
                                    const std::vector<float>& v);
std::vector<float> by_library(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v);

}  // namespace inhibitor
