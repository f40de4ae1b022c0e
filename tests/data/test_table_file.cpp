// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/data/table_file.hpp"
#include "support/catch.hpp"
#include "support/gzip_text.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using test::gzip;
using cells = std::vector<std::vector<std::string>>;

namespace {

cells cells_of(const text_table& table) {
  cells out;
  for (index_t row = 0; row < table.rows(); ++row) {
    out.emplace_back();
    for (index_t column = 0; column < table.columns(row); ++column) out.back().emplace_back(table.field(row, column));
  }
  return out;
}

std::vector<index_t> lines_of(const text_table& table) {
  std::vector<index_t> out;
  for (index_t row = 0; row < table.rows(); ++row) out.push_back(table.line(row));
  return out;
}

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("read_tsv: fields keep blanks and quotes, lines end at line feeds alone") {
  const text_table table = read_tsv("x.tsv",
                                    "\xEF\xBB\xBF"
                                    "a\tb\r\n\"one \t\"\"\r\n\u2028 \u0085\rx\t\n\t\n");
  CHECK(cells_of(table) == cells{{"a", "b"}, {"\"one ", "\"\""}, {"\u2028 \u0085\rx", ""}, {"", ""}});
  CHECK(table.line(3) == 4);
  CHECK(table.find_column("b") == 1);
  CHECK(table.find_column("c") == -1);
  CHECK(table.header() == "a, b");
}

TEST_CASE("read_tsv: a moved table stays valid; empty lines at the end are no rows") {
  text_table table = read_tsv("x.tsv", "a\n\nb\n\n\r\n");
  const text_table moved = std::move(table);
  CHECK(cells_of(moved) == cells{{"a"}, {""}, {"b"}});
  CHECK(refusal([] { read_tsv("x.tsv", ""); }).rfind("x.tsv: is empty", 0) == 0);
  CHECK(refusal([] { read_tsv("x.tsv", "\xEF\xBB\xBF\n\n"); }).rfind("x.tsv: is empty", 0) == 0);
}

TEST_CASE("read_csv: RFC 4180") {
  const text_table table = read_csv("x.csv",
                                    "\xEF\xBB\xBFtext,label\r\n"
                                    "\"a, \"\"b\"\"\r\nc\",1\r\n"
                                    "\r\n"
                                    "say \"x\",\r\n"
                                    "\"\",\"\"");
  CHECK(cells_of(table) == cells{{"text", "label"}, {"a, \"b\"\r\nc", "1"}, {"say \"x\"", ""}, {"", ""}});
  CHECK(lines_of(table) == std::vector<index_t>{1, 2, 5, 6});
  CHECK(cells_of(read_csv("x.csv", "a,\nb\n")) == cells{{"a", ""}, {"b"}});
}

TEST_CASE("read_csv: refusals name the line") {
  CHECK(refusal([] { read_csv("x.csv", "a,b\n\"c\n\n,1\n"); }) == "x.csv:2: opens a quote that is never closed");
  CHECK(refusal([] { read_csv("x.csv", "a,b\n\"c\nd\"e,1\n"); }).rfind("x.csv:3: has text after a closing quote", 0) ==
        0);
  CHECK(refusal([] { read_csv("x.csv", "\n\n"); }).rfind("x.csv: is empty", 0) == 0);
}

TEST_CASE("read_json_rows: lines or an array, columns in the order of the first object") {
  const cells expected{{"sentence", "label", "extra"}, {"a \"b\"", "1", ""}, {"\u00e9", "1.0", "true"}};
  const text_table lines =
      read_json_rows("x.jsonl",
                     "{\"sentence\": \"a \\\"b\\\"\", \"label\": 1, \"extra\": null}\n\n"
                     "{\"label\": 1.0, \"more\": 3, \"extra\": true, \"sentence\": \"\\u00e9\"}\r\n");
  CHECK(cells_of(lines) == expected);
  CHECK(lines_of(lines) == std::vector<index_t>{1, 1, 3});
  CHECK(cells_of(read_json_rows("x.json",
                                "\n [{\"sentence\": \"a \\\"b\\\"\", \"label\": 1, \"extra\": null},\n"
                                "{\"label\": 1.0, \"extra\": true, \"sentence\": \"\u00e9\"}]")) == expected);
}

TEST_CASE("read_json_rows: refusals name the line") {
  const auto parse = [](const std::string& text) { return refusal([&] { read_json_rows("x.jsonl", text); }); };
  CHECK(parse("{\"a\": 1}\n{\"a\": }\n") == "x.jsonl:2: is not valid JSON");
  CHECK(parse("{\"a\": 1}\n{\"b\": 1}\n").rfind("x.jsonl:2: has no \"a\"", 0) == 0);
  CHECK(parse("{\"a\": [1]}\n") == "x.jsonl:1: \"a\" is no text or number");
  CHECK(parse("\n3\n").rfind("x.jsonl:2: is no JSON object", 0) == 0);
  CHECK(parse("\n[[[[[[[[[[[[]]]]]]]]]]]]").rfind("x.jsonl:2: nests deeper", 0) == 0);
  CHECK(parse("\n").rfind("x.jsonl: is empty", 0) == 0);
  CHECK(parse("[]").rfind("x.jsonl: is empty", 0) == 0);
}

TEST_CASE("gunzip: one member or several, and what is cut off or damaged") {
  std::string text;
  for (int i = 0; i < 30000; ++i) text += std::to_string(i * 7919 % 1009) + ' ';
  const std::string packed = gzip(text);
  CHECK(gunzip("x.gz", packed) == text);
  CHECK(gunzip("x.gz", packed + gzip("more")) == text + "more");
  CHECK(gunzip("x.gz", gzip("")).empty());
  for (const std::size_t kept :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, packed.size() / 2, packed.size() - 1}) {
    CHECK_THAT(refusal([&] { gunzip("x.gz", packed.substr(0, kept)); }), contains_text("x.gz: is cut off"));
  }
  std::string damaged = packed;
  damaged[packed.size() / 2] = static_cast<char>(damaged[packed.size() / 2] ^ 0x55);
  CHECK_THAT(refusal([&] { gunzip("x.gz", damaged); }), contains_text("x.gz: is damaged"));
  CHECK_THAT(refusal([&] { gunzip("x.gz", packed, 1000); }), contains_text("more than 1000 bytes"));
}

TEST_CASE("read_table: the name decides the format") {
  const test::temp_folder folder;
  const cells expected{{"a", "b"}, {"1", "2"}};
  CHECK(cells_of(read_table(folder.write("t.tsv", "a\tb\n1\t2\n"))) == expected);
  CHECK(cells_of(read_table(folder.write("t.txt", "a\tb\n1\t2\n"))) == expected);
  CHECK(cells_of(read_table(folder.write("t.csv", "a,b\n1,2\n"))) == expected);
  CHECK(cells_of(read_table(folder.write("t.json", "{\"a\": 1, \"b\": 2}\n"))) == expected);
  CHECK(cells_of(read_table(folder.write("t.jsonl", "{\"a\": 1, \"b\": 2}\n"))) == expected);
  CHECK(cells_of(read_table(folder.write("t.csv.gz", gzip("a,b\n1,2\n")))) == expected);
  CHECK(cells_of(read_table(folder.write("t.tsv.gz", gzip("a\tb\n1\t2\n")))) == expected);
  CHECK_THAT(refusal([&] { read_table(folder.write("u.tsv.gz", "a\tb\n")); }),
             contains_text("u.tsv.gz: is no gzip file"));
  CHECK_THAT(refusal([&] { read_table(folder.file("absent.tsv")); }), contains_text("absent.tsv: cannot be opened"));
}
