// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A file that is missing, malformed or does not fit. The message reads "<file>: <problem>" or "<file>:<line>:
/// <problem>"; `problem` says what was found and what was expected.
class file_error : public std::runtime_error {
 public:
  file_error(const std::string& file, const std::string& problem) : std::runtime_error(file + ": " + problem) {}
  /// `line` counts from 1.
  file_error(const std::string& file, index_t line, const std::string& problem)
      : std::runtime_error(file + ":" + std::to_string(line) + ": " + problem) {}
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
