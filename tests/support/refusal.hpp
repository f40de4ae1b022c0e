// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace inhibitor::test {

/// What Config::validate says once `change` has been made to a default configuration, or "accepted".
template <class Config, class Change>
std::string refusal_of(Change&& change) {
  Config config;
  change(config);
  try {
    config.validate();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace inhibitor::test
