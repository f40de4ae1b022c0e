// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace inhibitor::examples {

inline std::vector<int> leans_on_whoever_included_vector_before() { return {}; }

}  // namespace inhibitor::examples
