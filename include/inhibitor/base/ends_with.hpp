// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Whether `text` ends in `ending` (std::string_view::ends_with of C++20).
inline bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
