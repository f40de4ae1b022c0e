// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace inhibitor {
namespace detail {
inline int own() { return 1; }
}  // namespace detail
inline int sum() { return detail::own() + detail::borrowed(); }  // detail::quoted
}  // namespace inhibitor
