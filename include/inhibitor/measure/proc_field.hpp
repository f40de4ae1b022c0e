// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The value of the first line "field: value" of a file as Linux writes them below /proc; empty when there is no such file
/// or line.
inline std::string proc_field(const std::string& file, const std::string& field) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, field.size(), field) != 0) continue;
    if (line.find_first_not_of(" \t", field.size()) != colon) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return {};
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
