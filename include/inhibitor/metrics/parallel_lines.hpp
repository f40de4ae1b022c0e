// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Throws std::invalid_argument, its message starting with `metric`, unless there are hypotheses, at least one list of
/// references, as many lines in each list as hypotheses, and all of it is valid UTF-8.
inline void check_parallel_lines(const std::string& metric, const std::vector<std::string>& hypotheses,
                                 const std::vector<std::vector<std::string>>& references) {
  check(!hypotheses.empty(), [&] { return metric + ": there are no hypotheses"; });
  check(!references.empty(), [&] { return metric + ": there are no references"; });
  const auto check_utf8 = [&](const std::vector<std::string>& lines, const char* what) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const index_t invalid = unicode::find_invalid_utf8(lines[i]);
      check(invalid < 0, [&] {
        return metric + ": " + what + " " + std::to_string(i + 1) + " is not valid UTF-8 at byte " +
               std::to_string(invalid);
      });
    }
  };
  check_utf8(hypotheses, "hypothesis");
  for (const std::vector<std::string>& lines : references) {
    check(lines.size() == hypotheses.size(), [&] {
      return metric + ": " + std::to_string(hypotheses.size()) + " hypotheses but " + std::to_string(lines.size()) +
             " references; expected a reference for every hypothesis";
    });
    check_utf8(lines, "reference");
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
