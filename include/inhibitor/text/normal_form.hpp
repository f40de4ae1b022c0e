// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/target.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// True when `text`, valid UTF-8, is in Unicode's normal form C: what normalization leaves as it is. Allocates for text
/// beyond Latin letters and common punctuation.
inline bool is_normal_form_c(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  bool is_certain = true;
  for (std::size_t i = 0; i < text.size() && is_certain; ++i) {
    // Below U+0300 nothing combines with what precedes it, and nothing is replaced; nor in U+2010 to U+203F, the dashes
    // and quotation marks of running text.
    if (byte(i) < 0xCC) continue;
    is_certain = byte(i) == 0xE2 && byte(i + 1) == 0x80 && byte(i + 2) >= 0x90;
  }
  if (is_certain) return true;
  utf8proc_uint8_t* normal = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &normal, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(normal, std::free);
  return size >= 0 && std::string_view(reinterpret_cast<const char*>(normal), static_cast<std::size_t>(size)) == text;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
