// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utf8proc.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "inhibitor/base/config.hpp"
#include "inhibitor/text/code_point_range.hpp"
#include "inhibitor/text/unicode_8.hpp"

// UTF-8 and the character classes of BERT's text clean-up. Two sets of rules exist in the world and differ at the
// edges:
//   fast  classes of Unicode 8.0 (frozen tables); unassigned code points are ordinary characters;
//   slow  classes of the Unicode library in use; unassigned code points count as control characters.
// No function here allocates (append_utf8 aside) or throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which of the two established BERT tokenizers to agree with. See text/unicode.hpp and text/truncation.hpp.
enum class tokenizer_rules { fast, slow };

namespace unicode {

inline constexpr std::uint32_t replacement_character = 0xFFFD;

/// One decoded code point and the number of bytes it took. For a byte that starts no valid sequence: U+FFFD, 1, false.
struct decoded_point {
  std::uint32_t code_point;
  index_t length;
  bool valid;
};

/// Decodes at byte `position` < text.size(). Overlong forms, surrogates and values past U+10FFFF are invalid.
inline decoded_point decode(std::string_view text, index_t position) {
  utf8proc_int32_t code_point = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + position;
  const auto length = utf8proc_iterate(bytes, static_cast<index_t>(text.size()) - position, &code_point);
  if (length <= 0) return {replacement_character, 1, false};
  return {static_cast<std::uint32_t>(code_point), length, true};
}

/// Byte offset of the first byte that is not valid UTF-8, or -1 when all of `text` is.
inline index_t find_invalid_utf8(std::string_view text) {
  const auto size = static_cast<index_t>(text.size());
  for (index_t i = 0; i < size;) {
    if (static_cast<unsigned char>(text[static_cast<std::size_t>(i)]) < 0x80) {
      ++i;
      continue;
    }
    const decoded_point point = decode(text, i);
    if (!point.valid) return i;
    i += point.length;
  }
  return -1;
}

/// Appends the UTF-8 form of a valid code point.
inline void append_utf8(std::string& out, std::uint32_t code_point) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

inline utf8proc_category_t category(std::uint32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

/// What separates words: space, tab, line feed, carriage return, category Zs, U+2028 and U+2029. The other characters
/// with the White_Space property are control characters, which vanish before anything is split.
inline bool is_whitespace(std::uint32_t code_point) {
  if (code_point < 0x80) return code_point == ' ' || code_point == '\t' || code_point == '\n' || code_point == '\r';
  return code_point == 0xA0 || code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200A) ||
         code_point == 0x2028 || code_point == 0x2029 || code_point == 0x202F || code_point == 0x205F ||
         code_point == 0x3000;
}

/// What the clean-up deletes as a control character: Cc but for tab, line feed and carriage return; Cf; Co; and, by the
/// slow rules, unassigned code points.
inline bool is_control(std::uint32_t code_point, tokenizer_rules rules) {
  if (code_point < 0x80) return (code_point < 0x20 && !is_whitespace(code_point)) || code_point == 0x7F;
  if (rules == tokenizer_rules::slow) {
    const utf8proc_category_t c = category(code_point);
    return c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CO ||
           c == UTF8PROC_CATEGORY_CN || c == UTF8PROC_CATEGORY_CS;
  }
  const bool private_use = (code_point >= 0xE000 && code_point <= 0xF8FF) ||
                           (code_point >= 0xF0000 && code_point <= 0xFFFFD) ||
                           (code_point >= 0x100000 && code_point <= 0x10FFFD);
  return code_point < 0xA0 || private_use || contains(unicode_8_format, code_point);
}

/// What becomes a token of its own: every ASCII character that is neither letter, digit, blank nor control (so `$`,
/// `+`,
/// `~` too, which Unicode calls symbols), and the punctuation categories beyond ASCII.
inline bool is_punctuation(std::uint32_t code_point, tokenizer_rules rules) {
  if (code_point < 0x80) {
    return (code_point >= 33 && code_point <= 47) || (code_point >= 58 && code_point <= 64) ||
           (code_point >= 91 && code_point <= 96) || (code_point >= 123 && code_point <= 126);
  }
  if (rules == tokenizer_rules::fast) return contains(unicode_8_punctuation, code_point);
  const utf8proc_category_t c = category(code_point);
  return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

/// What stripping accents deletes: category Mn.
inline bool is_nonspacing_mark(std::uint32_t code_point, tokenizer_rules rules) {
  if (code_point < 0x300) return false;
  if (rules == tokenizer_rules::fast) return contains(unicode_8_nonspacing_marks, code_point);
  return category(code_point) == UTF8PROC_CATEGORY_MN;
}

/// Ideographs that are set apart by spaces; kana and Hangul are not among them. The fast tokenizers leave out
/// U+2B820..2B91F (their range of extension E starts 0x100 too late), and so do the fast rules.
inline bool is_cjk(std::uint32_t code_point, tokenizer_rules rules) {
  if (code_point < 0x3400) return false;
  const std::uint32_t extension_e = rules == tokenizer_rules::fast ? 0x2B920 : 0x2B820;
  return (code_point >= 0x4E00 && code_point <= 0x9FFF) || code_point <= 0x4DBF ||
         (code_point >= 0xF900 && code_point <= 0xFAFF) || (code_point >= 0x20000 && code_point <= 0x2A6DF) ||
         (code_point >= 0x2A700 && code_point <= 0x2B73F) || (code_point >= 0x2B740 && code_point <= 0x2B81F) ||
         (code_point >= extension_e && code_point <= 0x2CEAF) || (code_point >= 0x2F800 && code_point <= 0x2FA1F);
}

/// One or two code points.
struct lowered_point {
  std::uint32_t first;
  std::uint32_t second;  // 0: none
};

/// Lower case of one code point, without context (no final sigma). U+0130 alone has two: i and a combining dot.
inline lowered_point to_lower(std::uint32_t code_point) {
  if (code_point == 0x130) return {'i', 0x307};
  return {static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))), 0};
}

/// `text` with every code point in lower case, without context; bytes that are no UTF-8 stay. Allocates.
inline std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (index_t i = 0; i < static_cast<index_t>(text.size());) {
    const decoded_point point = decode(text, i);
    const lowered_point lower = to_lower(point.code_point);
    if (!point.valid || lower.first == point.code_point) {
      out.append(text.substr(static_cast<std::size_t>(i), static_cast<std::size_t>(point.length)));
    } else {
      append_utf8(out, lower.first);
      if (lower.second != 0) append_utf8(out, lower.second);
    }
    i += point.length;
  }
  return out;
}

/// Canonical combining class; 0 for starters.
inline int combining_class(std::uint32_t code_point) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point))->combining_class;
}

}  // namespace unicode
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
