// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/random.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Whether dropout is on, and which decisions it draws. The backward pass must be given what the forward pass was
/// given.
struct dropout_mode {
  bool enabled = false;
  random_stream stream;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
