// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Text refused because it is not valid UTF-8.
class utf8_error : public std::invalid_argument {
 public:
  explicit utf8_error(index_t offset)
      : std::invalid_argument("text is not valid UTF-8 at byte " + std::to_string(offset)), offset_(offset) {}
  /// Byte offset, from 0, of the first bad byte.
  index_t offset() const { return offset_; }

 private:
  index_t offset_;
};

/// Throws utf8_error unless all of `text` is valid.
inline void check_utf8(std::string_view text) {
  const index_t invalid = unicode::find_invalid_utf8(text);
  if (invalid >= 0) throw utf8_error(invalid);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
