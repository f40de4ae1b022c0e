// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/base/foreign_content.hpp"

#include "inhibitor/data/table_file.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/text/vocabulary.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using namespace std::string_literals;

namespace {

const std::string pointer =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 267832558\n";
const std::string page = "\n<!DOCTYPE html>\n<html><head><title>Not found</title></head></html>\n";

}  // namespace

TEST_CASE("foreign_content: what stands in place of a file, by its first bytes", "[base]") {
  CHECK_THAT(foreign_content(pointer), contains_text("Git LFS pointer"));
  CHECK_THAT(foreign_content(page), contains_text("HTML page"));
  CHECK_THAT(foreign_content("<HTML>"), contains_text("HTML page"));
  CHECK_THAT(foreign_content("\xFF\xFEt\0e\0"s), contains_text("UTF-16"));
  CHECK_THAT(foreign_content("\xFE\xFF\0t\0e"s), contains_text("UTF-16"));
  CHECK_THAT(foreign_content("\xFF\xFE\0\0t\0\0\0"s), contains_text("UTF-32"));
  CHECK_THAT(foreign_content("\x1F\x8B\x08"), contains_text("gzip"));
  CHECK_THAT(foreign_content("PK\x03\x04 sheet"), contains_text("zip archive"));
  CHECK_THAT(foreign_content("PAR1...."), contains_text("Parquet"));
  for (const std::string& start : {pointer, page}) {
    CHECK(foreign_content(start.substr(0, 8)) == foreign_content(start));
  }
  for (const char* text : {"", "{", "vers", "version", "version 2 of it", "<!-- note -->", "<b>bold</b>", "<", "PK",
                           "a\tb\n", "\xEF\xBB\xBF"}) {
    INFO(text);
    CHECK(foreign_content(text).empty());
  }
}

TEST_CASE("refuse_foreign_text: line ends of CR alone", "[base]") {
  CHECK_THROWS_WITH(refuse_foreign_text("f", "a\tb\r1\t2\r"), contains_text("f: ends its lines with CR alone"));
  for (const char* text : {"", "a", "a\r", "a\r\nb\r\n", "a\rb\n"}) CHECK_NOTHROW(refuse_foreign_text("f", text));
}

TEST_CASE("readers of models, vocabularies and tables name Git LFS pointers and HTML pages", "[base]") {
  for (const auto& [content, name] : {std::pair(pointer, "Git LFS pointer"), std::pair(page, "HTML page")}) {
    temp_folder folder;
    const auto file = [&, text = content](const std::string& as) { return folder.write(as, text); };
    CHECK_THROWS_WITH(safetensors_file::open(file("model.safetensors")), contains_text(name));
    CHECK_THROWS_WITH(safetensors_file::read(file("model.safetensors")), contains_text(name));
    CHECK_THROWS_WITH(read_json_file(file("config.json")), contains_text(name));
    CHECK_THROWS_WITH(read_vocabulary(file("vocab.txt")), contains_text(name));
    for (const char* table : {"t.tsv", "t.csv", "t.json", "t.jsonl", "t.tsv.gz", "t.txt"}) {
      INFO(table);
      CHECK_THROWS_WITH(read_table(file(table)), contains_text(name) && contains_text(table));
    }
  }
}

TEST_CASE("read_table: UTF-16, CR alone and other separators are named", "[base]") {
  temp_folder folder;
  std::string wide = "\xFF\xFE";
  for (const char c : "text,label\na,1\n"s) wide += std::string{c, '\0'};
  CHECK_THROWS_WITH(read_table(folder.write("t.csv", wide)), contains_text("t.csv: is UTF-16 text"));
  for (const char* name : {"t.tsv", "t.csv", "t.jsonl"}) {
    CHECK_THROWS_WITH(read_table(folder.write(name, "text\rgood\rbad\r")), contains_text("CR alone"));
  }
  CHECK_THROWS_WITH(read_table(folder.write("t.csv", "\ntext;label\na;1\n")),
                    contains_text("t.csv:2: is separated by semicolons; expected commas"));
  CHECK_THROWS_WITH(read_table(folder.write("t.csv", "text\tlabel\na\t1\n")), contains_text("separated by tabs"));
  CHECK_THROWS_WITH(read_table(folder.write("t.tsv", "text,label\na,1\n")), contains_text("separated by commas"));
  CHECK_THROWS_WITH(read_table(folder.write("t.tsv", "text;label\na;1\n")), contains_text("separated by semicolons"));
  CHECK(read_table(folder.write("t.tsv", "text\na, b; c\n")).rows() == 2);
  CHECK(read_table(folder.write("t.csv", "text,a;b\nx,1\n")).columns(0) == 2);
}
