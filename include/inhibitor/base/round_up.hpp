// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The smallest multiple of m that is not below n; n >= 0, m > 0.
constexpr index_t round_up(index_t n, index_t m) { return (n + m - 1) / m * m; }

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
