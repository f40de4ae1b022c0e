// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdarg>
#include <cstdio>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Text of an error at the edge of the attention level, which makes it without std::string: its functions would be
/// shared by parts of a program that were built with different flags (base/target.hpp).
struct message {
  char text[512];
  operator const char*() const { return text; }
};

/// As printf; what does not fit is cut off. index_t is %td.
__attribute__((format(printf, 1, 2))) inline message format_message(const char* format, ...) {
  message m;
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(m.text, sizeof(m.text), format, arguments);
  va_end(arguments);
  return m;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
