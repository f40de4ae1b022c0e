// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/text/wordpiece_trainer.hpp"

#include <map>
#include <random>

#include "inhibitor/text/wordpiece_words.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;

namespace {

const strings special_tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

word_counter counted(const std::string& text, wordpiece_options options = {}, const executor& workers = {}) {
  word_counter words;
  count_wordpiece_words(text, wordpiece(special_tokens, options), words, workers);
  return words;
}

std::map<std::string, index_t> by_word(const word_counter& counter) {
  std::map<std::string, index_t> out;
  for (const word_count& entry : counter.words()) out[entry.word] = entry.count;
  return out;
}

strings train(const std::string& text, wordpiece_trainer_options options) {
  return train_wordpiece(counted(text), options);
}

/// What was merged: the vocabulary behind special tokens and characters.
strings pieces(const strings& vocabulary, std::size_t characters) {
  return {vocabulary.begin() + static_cast<index_t>(special_tokens.size() + characters), vocabulary.end()};
}

/// Merged pieces by the definition: all pairs counted anew before every merge. Lower-case ASCII words.
strings counted_anew(const std::map<std::string, index_t>& words, std::size_t most, index_t least) {
  std::map<strings, index_t> segmented;
  for (const auto& [word, count] : words) {
    strings units;
    for (const char c : word) units.push_back((units.empty() ? "" : "##") + std::string(1, c));
    segmented[units] += count;
  }
  strings out;
  while (out.size() < most) {
    std::map<std::pair<std::string, std::string>, index_t> counts;
    for (const auto& [units, n] : segmented) {
      for (std::size_t i = 0; i + 1 < units.size(); ++i) counts[{units[i], units[i + 1]}] += n;
    }
    index_t count = 0;
    std::pair<std::string, std::string> best;
    for (const auto& [pair, n] : counts) {
      if (n > count) {
        count = n;
        best = pair;
      }
    }
    if (count < least) break;
    const std::string merged = best.first + best.second.substr(2);
    if (std::find(out.begin(), out.end(), merged) == out.end()) out.push_back(merged);
    std::map<strings, index_t> next;
    for (const auto& [before, n] : segmented) {
      strings units = before;
      for (std::size_t i = 0; i + 1 < units.size(); ++i) {
        if (units[i] != best.first || units[i + 1] != best.second) continue;
        units[i] = merged;
        units.erase(units.begin() + static_cast<index_t>(i) + 1);
      }
      next[units] += n;
    }
    segmented = next;
  }
  return out;
}

std::string random_text(std::mt19937& random, const std::string& letters, int words, unsigned longest) {
  std::string text;
  for (int i = 0; i < words; ++i) {
    for (unsigned length = 1 + static_cast<unsigned>(random()) % longest; length > 0; --length) {
      text += letters[random() % letters.size()];
    }
    text += i % 7 == 6 ? '\n' : ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("for_each_word: cleaned, folded and split words as the tokenizer cuts them") {
  CHECK(by_word(counted("H\xC3\xA9llo, HELLO!\thello [SEP] \xE5\x8D\x9A\xE6\x8E\xA8")) ==
        std::map<std::string, index_t>{{"hello", 3}, {",", 1}, {"!", 1}, {"\xE5\x8D\x9A", 1}, {"\xE6\x8E\xA8", 1}});
  wordpiece_options cased;
  cased.lower_case = false;
  CHECK(by_word(counted("H\xC3\xA9llo Hello", cased)) ==
        std::map<std::string, index_t>{{"H\xC3\xA9llo", 1}, {"Hello", 1}});
  // Too long for any vocabulary; bytes that are not UTF-8 vanish, or are refused.
  CHECK(by_word(counted(std::string(101, 'a') + " b\xFF"
                                                "c")) == std::map<std::string, index_t>{{"bc", 1}});
  CHECK(by_word(counted(std::string(100, 'a'))).size() == 1);
  wordpiece_options strict;
  strict.strict_utf8 = true;
  CHECK_THROWS_AS(counted("b\xFF", strict), utf8_error);
}

TEST_CASE("count_wordpiece_words: the same counts for any number of threads, and as tokenizing finds them") {
  std::mt19937 random(3);
  const std::string text = random_text(random, "abc,D\xC3\xA4 ", 500000, 8);
  REQUIRE(text.size() > (std::size_t{2} << 20));
  const std::map<std::string, index_t> counts = by_word(counted(text));
#if defined(_OPENMP)
  CHECK(by_word(counted(text, {}, openmp_executor(3))) == counts);
#endif
  index_t words = 0;
  for (const auto& entry : counts) words += entry.second;
  CHECK(words == static_cast<index_t>(wordpiece(special_tokens).tokenize(text).size()));
}

TEST_CASE("train_wordpiece: special tokens, characters, continuing characters, pieces by count") {
  const strings vocabulary = train("low low low lower newer newer", {30, 2, 1000});
  CHECK(strings(vocabulary.begin(), vocabulary.begin() + 5) == special_tokens);
  CHECK(strings(vocabulary.begin() + 5, vocabulary.begin() + 11) == strings{"e", "l", "n", "o", "r", "w"});
  CHECK(strings(vocabulary.begin() + 11, vocabulary.begin() + 15) == strings{"##e", "##o", "##r", "##w"});
  // l ##o and ##o ##w occur 4 times each, ##e ##r and ##w ##e 3 times: the smaller pair first.
  CHECK(pieces(vocabulary, 10) == strings{"##ow", "low", "##er", "##ew", "##ewer", "newer"});
  CHECK(train("low low low lower newer newer", {17, 2, 1000}).size() == 17);
}

TEST_CASE("train_wordpiece: as counting anew before every merge") {
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    const std::string letters = round % 2 == 0 ? "ab" : "abcdef";
    const std::string text = random_text(random, letters, 60, 9);
    const index_t least = 1 + round % 3;
    const word_counter words = counted(text);
    const strings vocabulary = train_wordpiece(words, {60, least, 1000});
    std::size_t characters = 0;
    for (std::size_t i = 5; i < vocabulary.size(); ++i) {
      characters += vocabulary[i].size() == 1 || (vocabulary[i].size() == 3 && vocabulary[i][0] == '#') ? 1 : 0;
    }
    CHECK(pieces(vocabulary, characters) == counted_anew(by_word(words), 55 - characters, least));
  }
}

TEST_CASE("train_wordpiece: depends on the words alone, not on their order") {
  std::mt19937 random(9);
  const std::string text = random_text(random, "abcdefgh", 3000, 6);
  word_counter backwards;
  const word_counter words = counted(text);
  for (auto entry = words.words().rbegin(); entry != words.words().rend(); ++entry) {
    backwards.add(entry->word, entry->count);
  }
  CHECK(train_wordpiece(words, {500, 2, 1000}) == train_wordpiece(backwards, {500, 2, 1000}));
}

TEST_CASE("train_wordpiece: rare characters are left out, words go on without them") {
  const strings vocabulary =
      train("axb axb axb ab qqqqqqqqqqqq", {20, 2, 3});  // of x, a and b, 3 or 4 times each, x goes
  CHECK(strings(vocabulary.begin() + 5, vocabulary.begin() + 8) == strings{"a", "b", "q"});
  CHECK(std::find(vocabulary.begin(), vocabulary.end(), "ab") != vocabulary.end());
  CHECK(std::find(vocabulary.begin(), vocabulary.end(), "##x") == vocabulary.end());
  // Equally frequent: the smaller code point stays.
  CHECK(train("b a c", {20, 1, 2}) == strings{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"});
}

TEST_CASE("train_wordpiece: counts above 2^31") {
  word_counter words;
  words.add("ab", index_t{3} << 40);
  words.add("cd", index_t{2} << 40);
  CHECK(pieces(train_wordpiece(words, {50, 2, 1000}), 6) == strings{"ab", "cd"});
}

TEST_CASE("train_wordpiece: the vocabulary is one that the tokenizer reads and uses") {
  std::mt19937 random(1);
  const std::string text = random_text(random, "abcdefgh", 2000, 6);
  const strings vocabulary = train(text, {200, 2, 1000});
  const test::temp_folder folder;
  const wordpiece tokenizer = wordpiece::load(folder.write("vocab.txt", vocabulary_text(vocabulary)));
  REQUIRE(tokenizer.size() == 200);
  CHECK(tokenizer.pad_id() == 0);
  const std::vector<std::int32_t> ids = tokenizer.tokenize(text);
  CHECK(std::count(ids.begin(), ids.end(), tokenizer.unk_id()) == 0);
  CHECK(ids.size() < text.size() / 2);
}

TEST_CASE("train_wordpiece: what cannot be made is refused with the numbers") {
  CHECK_THROWS_WITH(train(" \n", {100, 2, 1000}), contains_text("no words"));
  CHECK_THROWS_WITH(train("abc", {8, 2, 1000}), contains_text("of 8 tokens has no room for the 10"));
  CHECK_THROWS_AS(train("abc", {0, 2, 1000}), std::invalid_argument);
  CHECK_THROWS_AS(train("abc", {100, -1, 1000}), std::invalid_argument);
  CHECK_THROWS_AS(train("abc", {100, 2, 0}), std::invalid_argument);
}

TEST_CASE("train_wordpiece: any bytes give a vocabulary of distinct valid tokens, or an error") {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += i % 3 == 0 ? "ab \xC3"[random() % 4] : static_cast<char>(random() % 256);
    try {
      strings vocabulary = train(text, {300, 1, 1000});
      for (const std::string& token : vocabulary) REQUIRE((!token.empty() && unicode::find_invalid_utf8(token) < 0));
      std::sort(vocabulary.begin(), vocabulary.end());
      REQUIRE(std::adjacent_find(vocabulary.begin(), vocabulary.end()) == vocabulary.end());
    } catch (const std::invalid_argument&) {
    }
  }
}
