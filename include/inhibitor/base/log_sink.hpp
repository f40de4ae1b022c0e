// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Takes one message for people, without a line end, at a time. The library prints nothing: what it has to say beside
/// its results goes to the sink that the program passes; an empty one drops it.
using log_sink = std::function<void(const std::string& message)>;

/// Passes a message on unless there is no sink.
inline void tell(const log_sink& log, const std::string& message) {
  if (log) log(message);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
