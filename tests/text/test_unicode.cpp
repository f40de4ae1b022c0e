// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/text/unicode.hpp"

#include <string>

#include "inhibitor/text/normal_form.hpp"
#include "support/catch.hpp"

namespace unicode = inhibitor::unicode;
using inhibitor::tokenizer_rules;

TEST_CASE("decode: well-formed sequences of every length, first and last of each") {
  for (const std::uint32_t c : {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text = "x";
    unicode::append_utf8(text, c);
    const unicode::decoded_point point = unicode::decode(text, 1);
    CHECK(point.valid);
    CHECK(point.code_point == c);
    CHECK(point.length == static_cast<inhibitor::index_t>(text.size()) - 1);
    CHECK(unicode::find_invalid_utf8(text) == -1);
  }
}

TEST_CASE("decode: bad bytes are one replacement character each") {
  using namespace std::string_literals;
  // Lone continuation, overlong, surrogate, beyond the last code point, cut short, never used.
  for (const std::string& bad : {"\x80"s, "\xC0\x80"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s, "\xE2\x82"s, "\xFF"s}) {
    const unicode::decoded_point point = unicode::decode(bad, 0);
    CHECK_FALSE(point.valid);
    CHECK(point.code_point == unicode::replacement_character);
    CHECK(point.length == 1);
    CHECK(unicode::find_invalid_utf8("\xC3\xA9" + bad + "z") == 2);
  }
}

TEST_CASE("character classes: sizes of the Unicode 8.0 tables") {
  int marks = 0;
  int punctuation = 0;
  int control = 0;
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    marks += unicode::is_nonspacing_mark(c, tokenizer_rules::fast) ? 1 : 0;
    punctuation += unicode::is_punctuation(c, tokenizer_rules::fast) ? 1 : 0;
    control += unicode::is_control(c, tokenizer_rules::fast) ? 1 : 0;
  }
  // 9 ASCII symbols count as punctuation beside the 717 of the P categories; of 65 Cc three are blanks; 150 Cf; 137,468
  // Co.
  CHECK(marks == 1567);
  CHECK(punctuation == 717 + 9);
  CHECK(control == 62 + 150 + 137468);
}

TEST_CASE("character classes: the fast rules keep Unicode 8.0's view, the slow rules the library's") {
  // Newer than 8.0: a mark, a punctuation, a format character.
  CHECK_FALSE(unicode::is_nonspacing_mark(0x1DF6, tokenizer_rules::fast));
  CHECK(unicode::is_nonspacing_mark(0x1DF6, tokenizer_rules::slow));
  CHECK_FALSE(unicode::is_punctuation(0x2E43, tokenizer_rules::fast));
  CHECK(unicode::is_punctuation(0x2E43, tokenizer_rules::slow));
  CHECK_FALSE(unicode::is_control(0x8E2, tokenizer_rules::fast));
  CHECK(unicode::is_control(0x8E2, tokenizer_rules::slow));
  // Changed since.
  CHECK(unicode::is_nonspacing_mark(0x1734, tokenizer_rules::fast));
  CHECK_FALSE(unicode::is_nonspacing_mark(0x1734, tokenizer_rules::slow));
  CHECK(unicode::is_punctuation(0x166D, tokenizer_rules::fast));
  CHECK_FALSE(unicode::is_punctuation(0x166D, tokenizer_rules::slow));
  CHECK(unicode::is_punctuation(0x111C9, tokenizer_rules::fast));
  CHECK_FALSE(unicode::is_punctuation(0x111C9, tokenizer_rules::slow));
  // Unassigned: U+0378.
  CHECK_FALSE(unicode::is_control(0x378, tokenizer_rules::fast));
  CHECK(unicode::is_control(0x378, tokenizer_rules::slow));
}

TEST_CASE("is_whitespace: blanks, and not the control characters among White_Space") {
  for (const std::uint32_t c :
       {0x20u, 0x9u, 0xAu, 0xDu, 0xA0u, 0x1680u, 0x2000u, 0x200Au, 0x2028u, 0x2029u, 0x202Fu, 0x205Fu, 0x3000u}) {
    CHECK(unicode::is_whitespace(c));
    CHECK_FALSE(unicode::is_control(c, tokenizer_rules::fast));
    CHECK_FALSE(unicode::is_control(c, tokenizer_rules::slow));
  }
  for (const std::uint32_t c : {0x0u, 0xBu, 0xCu, 0x1Cu, 0x1Fu, 0x7Fu, 0x85u, 0xADu, 0x200Bu, 0xFEFFu}) {
    CHECK_FALSE(unicode::is_whitespace(c));
    CHECK(unicode::is_control(c, tokenizer_rules::fast));
    CHECK(unicode::is_control(c, tokenizer_rules::slow));
  }
}

TEST_CASE("is_cjk: first and last of each range, the gap of the fast rules") {
  for (const std::uint32_t c : {0x3400u, 0x4DBFu, 0x4E00u, 0x9FFFu, 0xF900u, 0xFAFFu, 0x20000u, 0x2A6DFu, 0x2A700u,
                                0x2B73Fu, 0x2B740u, 0x2B81Fu, 0x2B920u, 0x2CEAFu, 0x2F800u, 0x2FA1Fu}) {
    CHECK(unicode::is_cjk(c, tokenizer_rules::fast));
    CHECK(unicode::is_cjk(c, tokenizer_rules::slow));
  }
  for (const std::uint32_t c : {0x2B820u, 0x2B91Fu}) {
    CHECK_FALSE(unicode::is_cjk(c, tokenizer_rules::fast));
    CHECK(unicode::is_cjk(c, tokenizer_rules::slow));
  }
  for (const std::uint32_t c : {0x33FFu, 0x4DC0u, 0x3042u, 0x30A2u, 0xAC00u, 0xA000u, 0x2A6E0u, 0x2CEB0u, 0x2FA20u}) {
    CHECK_FALSE(unicode::is_cjk(c, tokenizer_rules::slow));
  }
}

TEST_CASE("to_lower: one code point but for U+0130") {
  CHECK(unicode::to_lower('A').first == 'a');
  CHECK(unicode::to_lower(0xC9).first == 0xE9);
  CHECK(unicode::to_lower(0x3A3).first == 0x3C3);  // no final sigma
  CHECK(unicode::to_lower(0xDF).first == 0xDF);
  CHECK(unicode::to_lower(0x130).first == 'i');
  CHECK(unicode::to_lower(0x130).second == 0x307);
  CHECK(unicode::to_lower('A').second == 0);
}

TEST_CASE("lower_case: every code point, bytes that are no UTF-8 stay", "[text]") {
  CHECK(unicode::lower_case("").empty());
  CHECK(unicode::lower_case("Az [SEP] \u00c1\u03a3 \u1e9e\u4e00") == "az [sep] \u00e1\u03c3 \u00df\u4e00");
  CHECK(unicode::lower_case("\u0130") == "i\u0307");
  CHECK(unicode::lower_case("A\xff\xc3") == "a\xff\xc3");
}

TEST_CASE("is_normal_form_c: composed text is, what normalization changes is not") {
  using inhibitor::is_normal_form_c;
  for (const char* text :
       {"", "plain", "caf\u00e9", "\u201cquoted\u201d \u2014 dash", "\uac00", "\u0915\u093e", "\u20ac"}) {
    CHECK(is_normal_form_c(text));
  }
  for (const char* text : {"cafe\u0301", "\u1100\u1161", "\u212b", "\u2000", "a\u0323\u0307 \u0307\u0323"}) {
    CHECK_FALSE(is_normal_form_c(text));
  }
}
