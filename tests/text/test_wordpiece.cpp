// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/text/wordpiece.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace std::string_literals;
using ids = std::vector<std::int32_t>;
using words = std::vector<std::string>;

namespace {

const words golden_tokens{"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "want", "##want", "##ed",
                          "wa",    "un",    "runn",  "##ing", ",",      "low",  "lowest"};

/// The basic tokens of a text: what remains of it after normalizing and splitting. A vocabulary without any word makes
/// every word one [UNK]; its bytes in the source are shown.
words source_words(const std::string& text, wordpiece_options options = {}) {
  const wordpiece tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, options);
  words out;
  for (const token_span& span : tokenizer.tokenize_with_offsets(text)) {
    out.push_back(text.substr(static_cast<std::size_t>(span.begin), static_cast<std::size_t>(span.end - span.begin)));
  }
  return out;
}

/// Whether `text` becomes exactly the words `expected`: they alone are the vocabulary.
bool becomes(const std::string& text, const words& expected, wordpiece_options options = {}) {
  words tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  tokens.insert(tokens.end(), expected.begin(), expected.end());
  const wordpiece tokenizer(tokens, options);
  words found;
  for (const std::int32_t id : tokenizer.tokenize(text)) found.push_back(tokenizer.token(id));
  return found == expected;
}

wordpiece_options cased() {
  wordpiece_options options;
  options.lower_case = false;
  return options;
}

wordpiece_options slow(wordpiece_options options = {}) {
  options.rules = tokenizer_rules::slow;
  return options;
}

wordpiece_options keep_accents() {
  wordpiece_options options;
  options.strip_accents = false;
  return options;
}

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string utf8(std::uint32_t c) {
  std::string out;
  unicode::append_utf8(out, c);
  return out;
}

/// The real uncased vocabulary, where the shared data are at hand.
const char* shared_data() {
  const char* folder = std::getenv("INHIBITOR_SHARED_DATA");
  if (folder == nullptr) std::cout << "skipped: INHIBITOR_SHARED_DATA is not set\n";
  return folder;
}

}  // namespace

TEST_CASE("tokenize: golden cases of the small vocabulary") {
  const wordpiece tokenizer(golden_tokens);
  CHECK(tokenizer.tokenize("UNwant\u00E9d,running") == ids{9, 6, 7, 12, 10, 11});
  CHECK(wordpiece(golden_tokens, cased()).tokenize("unwantedX running") == ids{0, 10, 11});
  CHECK(tokenizer.encode("", 16) == ids{1, 2});
  CHECK(tokenizer.encode(" \t\n \r ", 16) == ids{1, 2});
  CHECK(tokenizer.tokenize("lowest") == ids{14});  // the longest, not low + something
  CHECK(tokenizer.tokenize("lower") == ids{0});    // low + nothing: the piece found is thrown away
  CHECK(tokenizer.tokenize("want wants") == ids{5, 0});
}

TEST_CASE("tokenize: golden basic tokens") {
  CHECK(becomes("ah\u535A\u63A8zz", {"ah", "\u535A", "\u63A8", "zz"}));
  CHECK(becomes(" \tHeLLo!how  \n Are yoU?  ", {"hello", "!", "how", "are", "you", "?"}));
  CHECK(becomes("H\u00E9llo", {"h\u00E9llo"}, keep_accents()));
  CHECK(becomes("H\u00E9llo", {"hello"}));
  CHECK(becomes("He\u0301llo", {"hello"}));
  CHECK(becomes("H\u00E9llo", {"H\u00E9llo"}, cased()));
  wordpiece_options stripped = cased();
  stripped.strip_accents = true;
  CHECK(becomes("H\u00E9llo", {"Hello"}, stripped));
  CHECK(becomes("$1+2=3^~`|", {"$", "1", "+", "2", "=", "3", "^", "~", "`", "|"}));
  CHECK(becomes("a\u2014b\u00BFc", {"a", "\u2014", "b", "\u00BF", "c"}));
  CHECK(becomes("\u037E", {";"}));  // only decomposing makes it punctuation
  wordpiece_options joined;
  joined.split_cjk = false;
  CHECK(becomes("ah\u535A\u63A8zz", {"ah\u535A\u63A8zz"}, joined));
  CHECK(
      becomes("\uD55C\uAE00 \u30AB\u30CA", {"\u1112\u1161\u11AB\u1100\u1173\u11AF", "\u30AB\u30CA"}));  // not set apart
}

TEST_CASE("trap 5: longest_first ties") {
  const auto fast = [](index_t a, index_t b, index_t m) {
    const pair_lengths kept = truncate_pair(a, b, m, pair_truncation::longest_first, tokenizer_rules::fast);
    return std::vector<index_t>{kept.first, kept.second};
  };
  const auto one_by_one = [](index_t a, index_t b, index_t m) {
    while (a + b > m) --(a > b ? a : b);
    return std::vector<index_t>{a, b};
  };
  using lengths = std::vector<index_t>;
  CHECK(fast(100, 100, 125) == lengths{62, 63});
  CHECK(fast(101, 100, 125) == lengths{63, 62});
  CHECK(fast(30, 200, 125) == lengths{30, 95});
  CHECK(fast(200, 30, 125) == lengths{95, 30});
  CHECK(one_by_one(100, 100, 125) == lengths{63, 62});
  int differences = 0;
  for (const index_t m : {0, 1, 2, 5, 6, 61, 125, 126}) {
    for (index_t a = 0; a < 140; a += 1) {
      for (index_t b = 0; b < 140; b += 1) {
        const pair_lengths kept = truncate_pair(a, b, m, pair_truncation::longest_first, tokenizer_rules::slow);
        REQUIRE(lengths{kept.first, kept.second} == one_by_one(a, b, m));
        const bool differ = fast(a, b, m) != one_by_one(a, b, m);
        REQUIRE(differ == (m % 2 == 1 && a <= b && a > m / 2));
        differences += differ ? 1 : 0;
      }
    }
  }
  CHECK(differences > 0);
}

TEST_CASE("truncate_pair: one-sided strategies") {
  const auto first = pair_truncation::only_first;
  const auto second = pair_truncation::only_second;
  CHECK(truncate_pair(10, 5, 12, first, tokenizer_rules::fast).first == 7);
  CHECK(truncate_pair(10, 5, 12, second, tokenizer_rules::fast).second == 2);
  CHECK(truncate_pair(1, 1, 12, second, tokenizer_rules::fast).second == 1);
  CHECK_THROWS_AS(truncate_pair(3, 20, 12, first, tokenizer_rules::fast), std::invalid_argument);
  CHECK_THROWS_AS(truncate_pair(20, 8, 12, second, tokenizer_rules::fast), std::invalid_argument);
}

TEST_CASE("trap 6: CJK extensions B and E, U+2B820") {
  for (const std::uint32_t c : {0x20000u, 0x2B920u}) {
    CHECK(source_words("a" + utf8(c) + "b") == words{"a", utf8(c), "b"});
    CHECK(source_words("a" + utf8(c) + "b", slow()) == words{"a", utf8(c), "b"});
  }
  for (const std::uint32_t c : {0x2B820u, 0x2B91Fu}) {
    CHECK(source_words("a" + utf8(c) + "b").size() == 1);
    CHECK(source_words("a" + utf8(c) + "b", slow()) == words{"a", utf8(c), "b"});
  }
}

TEST_CASE("trap 7: control characters vanish, blanks split") {
  for (const auto& options : {wordpiece_options{}, slow()}) {
    CHECK(becomes("a\u000Bb", {"ab"}, options));
    CHECK(becomes("a\u2028b", {"a", "b"}, options));
    CHECK(becomes("a\u00ADb", {"ab"}, options));
    CHECK(becomes("a\u200Bb", {"ab"}, options));
    CHECK(becomes("a\u0085b", {"ab"}, options));
    CHECK(becomes("a\u00A0b\u3000c", {"a", "b", "c"}, options));
    CHECK(becomes("a\0b"s, {"ab"}, options));
    CHECK(becomes("a\uFFFDb", {"ab"}, options));
    CHECK(becomes("\uFEFFa", {"a"}, options));
  }
}

TEST_CASE("trap 8: U+0130 with lower-casing, accents kept") {
  CHECK(becomes("\u0130x", {"i\u0307x"}, keep_accents()));
  CHECK(becomes("\u0130x", {"ix"}));
  CHECK(becomes("\u03A3\u0391\u03A3", {"\u03C3\u03B1\u03C3"}));  // no final sigma
}

TEST_CASE("trap 9: special token text") {
  const words tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "[", "]", "sep", "##b"};
  const wordpiece tokenizer(tokens);
  CHECK(tokenizer.tokenize("a [SEP] b") == ids{5, 3, 6});
  CHECK(tokenizer.tokenize("a[SEP]b[MASK][CLS]") == ids{5, 3, 6, 4, 2});
  CHECK(tokenizer.tokenize("a [sep] [SEP") == ids{5, 7, 9, 8, 7, 9});
  CHECK(tokenizer.tokenize("[[PAD]][UNK]") == ids{7, 0, 8, 1});
  wordpiece_options plain;
  plain.special_tokens_in_text = false;
  CHECK(wordpiece(tokens, plain).tokenize("a [SEP] b") == ids{5, 7, 9, 8, 6});
  // In cased text the slow rules see one that the clean-up makes; the fast rules never do.
  const words cased_tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "[", "]", "SEP"};
  CHECK(wordpiece(cased_tokens, cased()).tokenize("a [SE\x07P]") == ids{5, 6, 8, 7});
  CHECK(wordpiece(cased_tokens, slow(cased())).tokenize("a [SE\x07P]") == ids{5, 3});
  CHECK(wordpiece(cased_tokens, slow(cased())).tokenize("[SE\x07P]a") == ids{6, 8, 7, 5});
  CHECK(wordpiece(tokens, slow()).tokenize("[SE\x07P]") == ids{7, 9, 8});
}

TEST_CASE("trap 10: words of 100 and 101 code points") {
  const wordpiece tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "\u00F8", "##\u00F8", "\u1112",
                             "##\u1161", "##\u11AB", "##\u1112"});
  CHECK(tokenizer.tokenize(repeat("a", 100)).size() == 100);
  CHECK(tokenizer.tokenize(repeat("a", 101)) == ids{1});
  CHECK(tokenizer.tokenize(repeat("\u00F8", 100)).size() == 100);
  CHECK(tokenizer.tokenize(repeat("\u00F8", 101)) == ids{1});
  // Counted after normalizing: a syllable of three letters counts three times, a stripped accent not at all.
  CHECK(tokenizer.tokenize(repeat("\uD55C", 33)).size() == 99);
  CHECK(tokenizer.tokenize(repeat("\uD55C", 34)) == ids{1});
  CHECK(tokenizer.tokenize(repeat("\u00E1", 100)).size() == 100);
  CHECK(tokenizer.tokenize(repeat("a\u0301", 101)) == ids{1});
  // The limit is per word, not per text.
  CHECK(tokenizer.tokenize(repeat("a", 100) + " " + repeat("a", 101) + "\u00E1").size() == 101);
}

TEST_CASE("tokenize: bytes that are not UTF-8 vanish, or are refused with their offset") {
  CHECK(
      becomes("ab\x80"
              "cd",
              {"abcd"}));
  CHECK(
      becomes("ab\xE2\x82"
              "cd",
              {"abcd"}));
  CHECK(becomes("\xFF\xFE", {}));
  CHECK(becomes("caf\xC3", {"caf"}));
  CHECK(becomes("a \xED\xA0\x80 b", {"a", "b"}));
  wordpiece_options strict;
  strict.strict_utf8 = true;
  const wordpiece tokenizer(golden_tokens, strict);
  CHECK(tokenizer.tokenize("want\u00E9d") == ids{5, 7});
  try {
    tokenizer.tokenize("want \u00E9\xC3(");
    FAIL("accepted");
  } catch (const utf8_error& error) {
    CHECK(error.offset() == 7);
    CHECK(std::string(error.what()).find("byte 7") != std::string::npos);
  }
}

TEST_CASE("tokenize: slow rules, NFC where accents are kept") {
  CHECK(becomes("e\u0301", {"\u00E9"}, slow(cased())));
  CHECK(becomes("e\u0301", {"e\u0301"}, cased()));
  CHECK(becomes("E\u0301", {"\u00E9"}, slow(keep_accents())));
  CHECK(becomes("\u1112\u1161\u11AB", {"\uD55C"}, slow(cased())));
  CHECK(becomes("\u212B", {"\u00C5"}, slow(cased())));
  CHECK(becomes("q\u0307\u0323", {"q\u0323\u0307"}, slow(cased())));  // canonical order
  CHECK(becomes("x<\u0338y", {"x\u226Ey"}, slow(cased())));
  CHECK(becomes("e\u0301", {"e"}, slow()));
}

TEST_CASE("tokenize: unassigned code points stay by the fast rules and vanish by the slow ones") {
  CHECK(becomes("a\u0378b", {"a\u0378b"}));
  CHECK(becomes("a\u0378b", {"ab"}, slow()));
}

TEST_CASE("tokenize_with_offsets: bytes of the source") {
  const wordpiece tokenizer(golden_tokens);
  const std::string text = " UNwant\u00E9d,running x";
  std::vector<std::vector<index_t>> spans;
  for (const token_span& s : tokenizer.tokenize_with_offsets(text)) spans.push_back({s.id, s.begin, s.end});
  CHECK(spans == std::vector<std::vector<index_t>>{
                     {9, 1, 3}, {6, 3, 7}, {7, 7, 10}, {12, 10, 11}, {10, 11, 15}, {11, 15, 18}, {0, 19, 20}});
  CHECK(source_words("ab\u535Ac") == words{"ab", "\u535A", "c"});
  CHECK(source_words("x [SEP] y") == words{"x", "[SEP]", "y"});
  CHECK(source_words("a\u200Bb") == words{"a\u200Bb"});         // dropped inside a word: covered
  CHECK(source_words("\u200Bab\u200B c") == words{"ab", "c"});  // at its edges: not
  CHECK(source_words("cafe\u0301 x") == words{"cafe", "x"});
  CHECK(source_words("caf\u00E9 x") == words{"caf\u00E9", "x"});
  CHECK(source_words("e\u0301a", slow(cased())) == words{"e\u0301a"});
}

TEST_CASE("encode: special tokens and length") {
  const wordpiece tokenizer(golden_tokens);
  const std::string text = "want low want low want";
  CHECK(tokenizer.encode(text, 512) == ids{1, 5, 13, 5, 13, 5, 2});
  CHECK(tokenizer.encode(text, 7).size() == 7);
  CHECK(tokenizer.encode(text, 5) == ids{1, 5, 13, 5, 2});
  CHECK(tokenizer.encode(text, 2) == ids{1, 2});
  CHECK_THROWS_AS(tokenizer.encode(text, 1), std::invalid_argument);
}

TEST_CASE("encode_pair: layout, token types and truncation") {
  const wordpiece tokenizer(golden_tokens);
  const encoded_text pair = tokenizer.encode_pair("want low", "lowest", 16);
  CHECK(pair.ids == ids{1, 5, 13, 2, 14, 2});
  CHECK(pair.token_types == ids{0, 0, 0, 0, 1, 1});
  // Both texts give way to an odd budget of 5: the fast rules favor the second, the slow ones the first.
  const std::string four = "want want want want";
  CHECK(tokenizer.encode_pair(four, "low low low low", 8).ids == ids{1, 5, 5, 2, 13, 13, 13, 2});
  CHECK(wordpiece(golden_tokens, slow()).encode_pair(four, "low low low low", 8).ids == ids{1, 5, 5, 5, 2, 13, 13, 2});
  CHECK(tokenizer.encode_pair(four, "low", 6, pair_truncation::only_first).ids == ids{1, 5, 5, 2, 13, 2});
  CHECK(tokenizer.encode_pair("", "", 3).ids == ids{1, 2, 2});
  CHECK_THROWS_AS(tokenizer.encode_pair("", "", 2), std::invalid_argument);
}

TEST_CASE("decode: glued pieces, closed-up punctuation, unknown ids") {
  const wordpiece tokenizer(
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "'", "s", "un", "##want", "##ed", ",", "do", "n't", "."});
  CHECK(tokenizer.decode({2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 3}) == "[CLS] it's unwanted, don't. [SEP]");
  CHECK(tokenizer.decode({2, 5, 3, 0}, true) == "it");
  CHECK(tokenizer.decode({}).empty());
  CHECK(tokenizer.decode({9}) == "##want");
  CHECK_THROWS_AS(tokenizer.decode({15}), std::invalid_argument);
  CHECK_THROWS_AS(tokenizer.decode({-1}), std::invalid_argument);
}

TEST_CASE("load: line ends, repeated lines, trailing blanks") {
  const test::temp_folder folder;
  const std::string specials = "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\n";
  const wordpiece tokenizer = wordpiece::load(folder.write("vocab.txt", specials + "low\r\nwant \u00A0\r\n\r\nlow"));
  CHECK(tokenizer.size() == 9);
  CHECK(tokenizer.tokenize("low want") == ids{8, 6});  // of equal lines the last counts
  CHECK(tokenizer.token(5) == "low");
  CHECK(tokenizer.pad_id() == 0);
  CHECK(tokenizer.mask_id() == 4);
  CHECK(tokenizer.find("##x") == -1);
  // The slow rules keep blanks, so that the line names a token no text has.
  CHECK(wordpiece::load(folder.file("vocab.txt"), slow()).tokenize("want") == ids{1});
}

TEST_CASE("load: what is wrong with a file is said with its name") {
  const test::temp_folder folder;
  const auto message = [](const std::string& file) -> std::string {
    try {
      wordpiece::load(file);
    } catch (const file_error& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string missing = folder.file("absent.txt");
  CHECK(message(missing).rfind(missing + ": cannot be opened", 0) == 0);
  CHECK(message(folder.path()).rfind(folder.path() + ": cannot be", 0) == 0);
  const std::string empty = folder.write("empty.txt", "");
  CHECK(message(empty).rfind(empty + ": is empty", 0) == 0);
  const std::string no_mask = folder.write("no_mask.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nlow\n");
  CHECK(message(no_mask).rfind(no_mask + ": ", 0) == 0);
  CHECK(message(no_mask).find("[MASK]") != std::string::npos);
  const std::string binary = folder.write("binary.txt", "[PAD]\n[UNK]\nab\xFF\n");
  CHECK(message(binary).rfind(binary + ":3: byte 2", 0) == 0);
  CHECK_THROWS_AS(wordpiece(words{"[PAD]"}), std::invalid_argument);
}

TEST_CASE("tokenize: the real uncased vocabulary") {
  if (const char* data = shared_data()) {
    const wordpiece tokenizer = wordpiece::load(std::string(data) + "/bert-base-uncased/vocab.txt");
    CHECK(tokenizer.size() == 30522);
    CHECK(tokenizer.pad_id() == 0);
    CHECK(tokenizer.unk_id() == 100);
    CHECK(tokenizer.cls_id() == 101);
    CHECK(tokenizer.sep_id() == 102);
    CHECK(tokenizer.mask_id() == 103);
    // The token ids stored beside the reference activations of a real encoder.
    CHECK(tokenizer.encode("unflinchingly bleak and desperate", 512) ==
          ids{101, 4895, 10258, 2378, 8450, 2135, 21657, 1998, 7143, 102});
    const std::string text = "Nuovo Cinema Paradiso has been an incredible movie! A gem in the italian culture.";
    CHECK(tokenizer.encode(text, 512) == ids{101,  16371, 16059, 5988,  11498, 10521, 2080, 2038, 2042, 2019, 9788,
                                             3185, 999,   1037,  17070, 1999,  1996,  3059, 3226, 1012, 102});
    const auto is_word = [](const std::string& token) {
      return std::all_of(token.begin(), token.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    };
    index_t checked = 0;
    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      if (!is_word(tokenizer.token(id))) continue;
      ++checked;
      if (tokenizer.tokenize(tokenizer.token(id)) != ids{id}) FAIL_CHECK("token " << id << " is not found in text");
    }
    CHECK(checked > 20000);
  }
}
