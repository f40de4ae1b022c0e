// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>

#include "inhibitor/base/assert.hpp"

// Two kinds of precondition:
//   check(condition, message)   always on, throws std::invalid_argument; for the API edge, never in a kernel.
//   INHIBITOR_ASSERT(condition) debug builds only, aborts; for kernels, which do not throw (base/assert.hpp).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Throws std::invalid_argument with `message` unless `condition` holds. `message` is a string or a callable returning
/// one; pass a callable where building the text costs something.
template <class Message>
inline void check(bool condition, const Message& message) {
  if (condition) return;
  if constexpr (std::is_convertible_v<const Message&, std::string>) {
    throw std::invalid_argument(message);
  } else {
    throw std::invalid_argument(message());
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
