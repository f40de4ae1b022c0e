// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace tokenizing {

// ASCII characters by what the tokenizer does with them; `other` are control characters, and every byte of a longer
// UTF-8 sequence. Bits, so that a stretch of text can be described by the union of its characters' classes.
enum ascii_class : unsigned char { letter = 0, blank = 1, punctuation = 2, other = 4 };

constexpr std::array<unsigned char, 256> make_ascii_classes() {
  std::array<unsigned char, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      classes[c] = blank;
    } else if (c < 0x20 || c >= 0x7F) {
      classes[c] = other;
    } else if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
      classes[c] = letter;
    } else {
      classes[c] = punctuation;
    }
  }
  return classes;
}

inline constexpr std::array<unsigned char, 256> ascii_classes = make_ascii_classes();

inline unsigned char ascii_class_of(char c) { return ascii_classes[static_cast<unsigned char>(c)]; }

}  // namespace tokenizing
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
