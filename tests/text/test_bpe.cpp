// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/text/bpe.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "inhibitor/text/bpe_learner.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;

// Expected merges and units were taken from subword-nmt.

namespace {

bpe_codes learn(const std::string& text, bpe_learner_options options = {}) {
  word_counter words;
  count_bpe_words(text, words);
  return learn_bpe(words, options);
}

/// The merges of a text, "left right" each.
strings merges(const std::string& text, bpe_learner_options options = {}) {
  strings out;
  for (const auto& [left, right] : learn(text, options).merges) out.push_back(left + " " + right);
  return out;
}

const std::string low_text =
    "low low low low low lower lower newest newest newest newest newest newest widest widest widest\n";

/// Merges as they are learned by counting all pairs anew before every merge, ties to the larger pair.
strings counted_anew(const strings& words, std::size_t most) {
  std::vector<strings> segmented;
  for (const std::string& word : words) {
    strings units;
    for (const char c : word) units.emplace_back(1, c);
    units.back() += "</w>";
    segmented.push_back(units);
  }
  strings out;
  while (out.size() < most) {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const strings& units : segmented) {
      for (std::size_t i = 0; i + 1 < units.size(); ++i) ++counts[{units[i], units[i + 1]}];
    }
    std::pair<std::string, std::string> best;
    int count = 1;
    for (const auto& [pair, n] : counts) {
      if (n >= 2 && n >= count) {
        best = pair;
        count = n;
      }
    }
    if (count < 2) break;
    out.push_back(best.first + " " + best.second);
    for (strings& units : segmented) {
      for (std::size_t i = 0; i + 1 < units.size(); ++i) {
        if (units[i] != best.first || units[i + 1] != best.second) continue;
        units[i] += units[i + 1];
        units.erase(units.begin() + static_cast<index_t>(i) + 1);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("learn_bpe: the merges of subword-nmt") {
  CHECK(merges(low_text, {30, 2}) == strings{"s t</w>", "e st</w>", "l o", "w est</w>", "n e", "ne west</w>",
                                             "lo w</w>", "w i", "wi d", "wid est</w>", "w e", "we r</w>",
                                             "lo wer</w>"});
  CHECK(merges(low_text, {3, 2}) == strings{"s t</w>", "e st</w>", "l o"});
  CHECK(merges(low_text, {30, 5}) ==
        strings{"s t</w>", "e st</w>", "l o", "w est</w>", "n e", "ne west</w>", "lo w</w>"});
}

TEST_CASE("learn_bpe: equals go to the larger pair by code points, overlaps from left to right") {
  CHECK(merges("ab ab cd cd") == strings{"c d</w>", "a b</w>"});
  CHECK(merges("abz abz") == strings{"b z</w>", "a bz</w>"});
  CHECK(merges("xxxxx xxxxx") == strings{"x x", "xx xx", "xxxx x</w>"});
  CHECK(merges("az az \xC3\xA4z \xC3\xA4z") == strings{"\xC3\xA4 z</w>", "a z</w>"});
}

TEST_CASE("learn_bpe: as counting anew before every merge; the order of the words does not matter") {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    strings words;
    for (int i = 0; i < 40; ++i) {
      // Distinct letters: repeated ones reach subword-nmt's corners.
      std::string letters = "abcdefgh";
      std::shuffle(letters.begin(), letters.end(), random);
      words.push_back(letters.substr(0, 1 + random() % 5));
    }
    std::string text;
    for (const std::string& word : words) text += word + " ";
    CHECK(merges(text, {200, 2}) == counted_anew(words, 200));
    std::string backwards;
    for (const std::string& word : words) backwards = word + " " + backwards;
    CHECK(merges(backwards, {200, 2}) == merges(text, {200, 2}));
  }
}

TEST_CASE("learn_bpe: nothing to learn, bad options, bad text") {
  CHECK(merges("").empty());
  CHECK(merges("a b c a b c").empty());
  CHECK(merges(" \r\n\n  \n").empty());
  CHECK_THROWS_AS(learn("ab ab", {10, 0}), std::invalid_argument);
  word_counter words;
  CHECK_THROWS_AS(count_bpe_words("ab \xFF", words), utf8_error);
}

TEST_CASE("bpe: the units of subword-nmt") {
  const bpe low(learn(low_text, {30, 2}));
  CHECK(low.segment("low lowest newer wider slow") == "low lo@@ west ne@@ wer wid@@ e@@ r s@@ low");
  const bpe overlapping(learn("xxxxx xxxxx"));
  CHECK(overlapping.segment("xxxx xxxxxx") == "xx@@ x@@ x xxxx@@ x@@ x");
  CHECK(overlapping.units("x") == strings{"x"});
  CHECK(overlapping.units("").empty());
}

TEST_CASE("bpe: blanks around a line stay, several between words become one") {
  const bpe low(learn(low_text, {30, 2}));
  CHECK(low.segment("  low   low \r\n") == "  low low \r\n");
  CHECK(low.segment("") == "");
  CHECK(low.segment("  ") == "  ");
  CHECK(low.segment("low\tlow") == "lo@@ w@@ \t@@ low");  // a tab is part of the word
}

TEST_CASE("bpe: a lower rank that a merge brings about waits until the round is over") {
  // a b of rank 1 makes ab, and ab a has rank 0: both a b are merged first.
  bpe_codes codes;
  codes.merges = {{"ab", "a"}, {"a", "b"}, {"b", "a"}};
  CHECK(bpe(codes).units("abab!") == strings{"ab", "ab", "!"});
  codes.merges = {{"a", "b"}, {"b", "c"}, {"a", "b"}};  // the first of equal merges counts
  CHECK(bpe(codes).units("abc!") == strings{"ab", "c", "!"});
}

TEST_CASE("bpe: files without header mark the end of words by a unit of its own") {
  const bpe_codes codes = parse_bpe_codes("codes", "l o\nlo w\nlow </w>\nw </w>\n");
  CHECK(codes.version == bpe_version::v0_1);
  CHECK(bpe(codes).segment("low lowlow ow") == "low low@@ low o@@ w");
  CHECK(parse_bpe_codes("codes", bpe_codes_text(codes)).merges == codes.merges);
}

TEST_CASE("bpe: units outside the vocabulary are taken apart") {
  const bpe_codes codes = learn(low_text, {30, 2});
  bpe_options options;
  options.vocabulary = std::unordered_set<std::string>{"low", "ne@@", "est", "w@@", "wid@@"};
  const bpe filtered(codes, options);
  CHECK(filtered.segment("low newest widest lower") == "low ne@@ w@@ est wid@@ est l@@ o@@ w@@ e@@ r");
  CHECK(filtered.segment("z") == "z");
}

TEST_CASE("bpe: the cache changes nothing, long words stay fast, bad bytes are refused") {
  const bpe low(learn(low_text, {30, 2}));
  bpe_cache cache;
  for (int i = 0; i < 3; ++i) CHECK(low.segment("lowest slow lowest", cache) == low.segment("lowest slow lowest"));
  std::string longest;
  for (int i = 0; i < 100000; ++i) longest += "low";
  CHECK(low.units(longest).size() == 199999);  // lo w lo w ... low
  CHECK_THROWS_AS(low.segment("low \xC3"), utf8_error);
  try {
    low.segment("low \xC3");
  } catch (const utf8_error& error) {
    CHECK(error.offset() == 4);
  }
}

TEST_CASE("join_bpe_units: undoes the segmentation") {
  const bpe low(learn(low_text, {30, 2}));
  const std::string line = "low lowest newer wider slow";
  CHECK(join_bpe_units(low.segment(line)) == line);
  CHECK(join_bpe_units("a@@ b@@") == "ab");
  CHECK(join_bpe_units("a@@ b@@ ") == "ab");
  CHECK(join_bpe_units("a@@b c@@@ d") == "a@@b c@d");
  CHECK(join_bpe_units("") == "");
}

TEST_CASE("bpe_codes: written and read, also from a file") {
  const bpe_codes codes = learn(low_text, {3, 2});
  CHECK(bpe_codes_text(codes) == "#version: 0.2\ns t</w>\ne st</w>\nl o\n");
  const test::temp_folder folder;
  const bpe_codes read = read_bpe_codes(folder.write("codes", bpe_codes_text(codes)));
  CHECK(read.version == bpe_version::v0_2);
  CHECK(read.merges == codes.merges);
  CHECK(parse_bpe_codes("c", "#version: 0.2.0\na b\r\n\n\n").merges.size() == 1);
  CHECK(parse_bpe_codes("c", "#version: 0.2\n").merges.empty());
  CHECK_THROWS_WITH(read_bpe_codes(folder.file("absent")), contains_text("absent"));
}

TEST_CASE("bpe_codes: malformed files name file, line and what was expected") {
  CHECK_THROWS_WITH(parse_bpe_codes("codes", ""), contains_text("codes: is empty"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version: 0.2\na b\nab\n"), contains_text("codes:3: \"ab\" is no merge"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version: 0.2\na b c\n"), contains_text("codes:2:"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version: 0.2\n\na b\n"), contains_text("codes:2:"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "a  b\n"), contains_text("codes:1:"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "a b\n\xFF b\n"), contains_text("codes:2: byte 0"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version: 0.3\na b\n"), contains_text("version 0.1 or 0.2"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version: 0.2 byte\na b\n"), contains_text("version 0.1 or 0.2"));
  CHECK_THROWS_WITH(parse_bpe_codes("codes", "#version:\n"), contains_text("codes:1:"));
}

TEST_CASE("bpe: any bytes as codes file and text give an error or text that joins to what it was") {
  std::mt19937 random(11);
  const std::string alphabet = "aaabbb <>/w#\n\xC3";
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto bytes = [&](std::size_t size) {
      std::string out;
      for (std::size_t i = 0; i < size; ++i) out += alphabet[random() % alphabet.size()];
      return out;
    };
    try {
      std::string file = bytes(random() % 12);
      if (round % 2 == 0) file = "#version: 0.2\na b\nab a</w>\n" + file;
      bpe_options options;
      if (round % 3 == 0) options.vocabulary = std::unordered_set<std::string>{"a", "ab@@"};
      const bpe encoder(parse_bpe_codes("codes", file), options);
      std::string word = bytes(8);
      word.erase(std::remove_if(word.begin(), word.end(), [](char c) { return c == ' ' || c == '\n'; }), word.end());
      const std::string segmented = encoder.segment(word);
      ++accepted;
      if (segmented.empty() || segmented.back() != ' ') CHECK(join_bpe_units(segmented) == word);
    } catch (const file_error&) {
    } catch (const utf8_error&) {
    }
  }
  CHECK(accepted > 50);
}

TEST_CASE("bpe vocabulary: counted, written and read with a threshold") {
  word_counter words;
  count_bpe_words("b a b\r\n c  b a\n", words);
  CHECK(bpe_vocabulary_text(words) == "b 3\na 2\nc 1\n");
  CHECK(parse_bpe_vocabulary("v", bpe_vocabulary_text(words), 2) == std::unordered_set<std::string>{"a", "b"});
  CHECK(parse_bpe_vocabulary("v", "").empty());
  CHECK_THROWS_WITH(parse_bpe_vocabulary("v", "a 2\nb\n"), contains_text("v:2:"));
  CHECK_THROWS_WITH(parse_bpe_vocabulary("v", "a x\n"), contains_text("v:1:"));
  CHECK_THROWS_WITH(parse_bpe_vocabulary("v", "a 99999999999999999999\n"), contains_text("v:1:"));
  CHECK_THROWS_WITH(parse_bpe_vocabulary("v", "\xFF 2\n"), contains_text("v:1:"));
}
