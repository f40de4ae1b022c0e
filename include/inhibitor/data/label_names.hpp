// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"

// Labels are matched by name: to the letter first, because "us" and "US" may be two labels, and without regard to case
// where that leaves no doubt, because checkpoints write POSITIVE where data says positive.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Position of the name that is `label` to the letter, or -1.
inline index_t find_exact_label(const std::vector<std::string>& names, const std::string& label) {
  const auto found = std::find(names.begin(), names.end(), label);
  return found == names.end() ? -1 : static_cast<index_t>(found - names.begin());
}

/// Position of the name that is `label` to the letter, else of the only one that differs in the case of ASCII letters
/// alone; -1 when there is none, or several.
inline index_t find_label(const std::vector<std::string>& names, const std::string& label) {
  if (const index_t exact = find_exact_label(names, label); exact >= 0) return exact;
  const auto same_letter = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(a) == lower(b);
  };
  const auto is_like = [&](const std::string& name) {
    return std::equal(name.begin(), name.end(), label.begin(), label.end(), same_letter);
  };
  const auto found = std::find_if(names.begin(), names.end(), is_like);
  if (found == names.end() || std::any_of(found + 1, names.end(), is_like)) return -1;
  return static_cast<index_t>(found - names.begin());
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
