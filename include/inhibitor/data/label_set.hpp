// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The classes of a task, or the range of its score.
struct label_set {
  std::vector<std::string> names;  ///< classes in Hugging Face's order; empty for a regression
  bool is_regression = false;
  double lowest = -std::numeric_limits<double>::infinity();  ///< scores outside [lowest, highest] are refused
  double highest = std::numeric_limits<double>::infinity();

  /// Values of the model's output: one per class, or the score.
  index_t outputs() const { return is_regression ? 1 : static_cast<index_t>(names.size()); }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
