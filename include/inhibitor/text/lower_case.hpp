// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Lower case of every code point by itself: what Python's str.lower gives, but for the Greek sigma at the end of a
/// word, which stays the ordinary one. `text` is valid UTF-8. Allocates.
inline std::string to_lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (index_t i = 0; i < static_cast<index_t>(text.size());) {
    const unicode::decoded_point point = unicode::decode(text, i);
    i += point.length;
    const unicode::lowered_point lower = unicode::to_lower(point.code_point);
    unicode::append_utf8(out, lower.first);
    if (lower.second != 0) unicode::append_utf8(out, lower.second);
  }
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
