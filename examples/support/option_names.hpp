// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>

namespace inhibitor::examples {

/// CLI11's names of an option that may be spelled in several ways; each also with underscores for dashes, as the Python
/// tools spell theirs. The first is the one shown.
inline std::string option_names(std::initializer_list<std::string> spellings) {
  std::string names;
  for (std::string spelling : spellings) {
    names += (names.empty() ? "--" : ",--") + spelling;
    const std::string dashed = spelling;
    for (char& c : spelling) c = c == '-' ? '_' : c;
    if (spelling != dashed) names += ",--" + spelling;
  }
  return names;
}

}  // namespace inhibitor::examples
