// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// `text` without what it begins and ends with of the bytes `blanks`.
inline std::string_view trim(std::string_view text, std::string_view blanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
