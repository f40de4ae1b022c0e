// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/text/token_map.hpp"

#include "support/catch.hpp"

using inhibitor::index_t;
using inhibitor::tokenizing::longest_word;
using inhibitor::tokenizing::token_map;
using inhibitor::tokenizing::word_piece;

namespace {

/// "id:begin-end" of every piece, "unknown" when the word cannot be cut.
std::string cut(const token_map& tokens, std::string_view word) {
  std::array<word_piece, longest_word> pieces;
  const index_t count = tokens.cut(word, pieces);
  std::string text;
  for (index_t i = 0; i < count; ++i) {
    const word_piece& p = pieces[static_cast<std::size_t>(i)];
    text += (i > 0 ? " " : "") + std::to_string(p.id) + ":" + std::to_string(p.begin) + "-" + std::to_string(p.end);
  }
  return count == 0 ? "unknown" : text;
}

}  // namespace

TEST_CASE("token_map: whole tokens, of equal ones the last") {
  const token_map tokens({"a", "##a", "ab", "a"});
  CHECK(tokens.find("a") == 3);
  CHECK(tokens.find("##a") == 1);
  CHECK(tokens.find("ab") == 2);
  CHECK(tokens.find("b") == -1);
  CHECK(tokens.find("") == -1);
  CHECK(token_map().find("a") == -1);
}

TEST_CASE("token_map: the longest piece first, inner pieces apart from beginnings") {
  const token_map tokens({"un", "##aff", "##able", "##a", "una", "able"});
  CHECK(cut(tokens, "unaffable") == "unknown");  // "una" is longer than "un", and no "##ff" follows it
  CHECK(cut(tokens, "unable") == "unknown");     // nor a "##ble"
  CHECK(cut(tokens, "able") == "5:0-4");
  CHECK(cut(tokens, "ununable") == "unknown");  // "un" begins words alone
  CHECK(cut(tokens, "ableaffable") == "5:0-4 1:4-7 2:7-11");
  CHECK(cut(tokens, "ablea") == "5:0-4 3:4-5");
}

TEST_CASE("token_map: a piece ends where a code point ends") {
  const token_map tokens({"\xC3", "\xC3\xA9", "##\xC3\xA9"});  // the first is half of the second
  CHECK(cut(tokens, "\xC3\xA9\xC3\xA9") == "1:0-2 2:2-4");
  CHECK(cut(tokens, "\xC3\xA8") == "unknown");
}

TEST_CASE("token_map: words of a hundred code points of four bytes, tokens longer than any word") {
  std::string word, token = "##";
  for (index_t i = 0; i < longest_word; ++i) word += "\xF0\x9F\x98\x80";
  for (index_t i = 0; i < 5 * longest_word; ++i) token += "\xF0\x9F\x98\x80";
  const token_map tokens({word, token, "\xF0\x9F\x98\x80", "##\xF0\x9F\x98\x80"});
  CHECK(cut(tokens, word) == "0:0-400");
  const std::string shorter = word.substr(4);
  std::array<word_piece, longest_word> pieces;
  CHECK(tokens.cut(shorter, pieces) == longest_word - 1);
}
