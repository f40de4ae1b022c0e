// SPDX-License-Identifier: Apache-2.0
#include "common/glue_reader.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;

namespace {

std::vector<labelled_sentence> parse(const std::string& content) { return sst2_sentences(tsv_table("x.tsv", content)); }

/// What a malformed table is refused with.
std::string refusal(const std::string& content) {
  try {
    parse(content);
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

}  // namespace

TEST_CASE("read_sst2: training layout") {
  const test::temp_folder folder;
  const auto rows = read_sst2(folder.write("train.tsv", "sentence\tlabel\nhide new secretions \t0\na gem\t1\n"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].text == "hide new secretions ");  // blanks at the end stay
  CHECK(rows[0].label == 0);
  CHECK(rows[1].text == "a gem");
  CHECK(rows[1].label == 1);
}

TEST_CASE("read_sst2: test layout has no labels") {
  const auto rows = parse("index\tsentence\n0\tuneasy mishmash\n1\tgood");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].text == "uneasy mishmash");
  CHECK(rows[0].label == -1);
  CHECK(rows[1].text == "good");  // no line end after the last line
}

TEST_CASE("read_sst2: columns are found by name") {
  const auto rows = parse("id\tlabel\tsentence\n7\t1\tyes\n");
  CHECK(rows[0].text == "yes");
  CHECK(rows[0].label == 1);
}

TEST_CASE("trap 11: quotes are text") {
  const auto rows = parse("sentence\tlabel\n\"unbalanced\t1\nso-called \"fun\"\t0\n\"\t1\n");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].text == "\"unbalanced");
  CHECK(rows[1].text == "so-called \"fun\"");
  CHECK(rows[2].text == "\"");
}

TEST_CASE("read_sst2: lines end at line feeds alone, CRLF and a byte order mark are tolerated") {
  const auto rows = parse("\xEF\xBB\xBFsentence\tlabel\r\na\u2028b\u0085c\rd\x0B\x0C\t1\r\ne\t0\r\n");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].text == "a\u2028b\u0085c\rd\x0B\x0C");
  CHECK(rows[1].label == 0);
}

TEST_CASE("read_sst2: bytes that are not UTF-8 are passed on") {
  CHECK(parse("sentence\tlabel\na\xFFz\t1\n")[0].text == "a\xFFz");
}

TEST_CASE("read_sst2: refusals name file and line") {
  CHECK(starts_with(refusal(""), "x.tsv: is empty"));
  CHECK(starts_with(refusal("\xEF\xBB\xBF"), "x.tsv: is empty"));
  CHECK(starts_with(refusal("sentence\tlabel\n"), "x.tsv: holds a header only"));
  CHECK(starts_with(refusal("text\tlabel\na\t1\n"), "x.tsv:1: found the columns \"text, label\""));
  CHECK(starts_with(refusal("sentence\na\n"), "x.tsv:1: "));
  CHECK(
      starts_with(refusal("sentence\tlabel\na\t1\nno label\n"), "x.tsv:3: found 1 tab-separated columns; expected 2"));
  CHECK(starts_with(refusal("sentence\tlabel\na\t1\tmore\n"), "x.tsv:2: found 3 tab-separated columns; expected 2"));
  CHECK(starts_with(refusal("sentence\tlabel\n\na\t1\n"), "x.tsv:2: found 1"));
  for (const char* label : {"2", "-1", "", " 1", "1.0", "positive", "11"}) {
    CHECK(starts_with(refusal("sentence\tlabel\na\t1\nb\t" + std::string(label) + "\n"),
                      "x.tsv:3: found the label \"" + std::string(label) + "\"; expected 0"));
  }
  const test::temp_folder folder;
  const std::string absent = folder.file("dev.tsv");
  try {
    read_sst2(absent);
    FAIL("accepted");
  } catch (const file_error& error) {
    CHECK(starts_with(error.what(), absent + ": cannot be opened"));
  }
}

TEST_CASE("read_sst2: the real files have their published row counts") {
  const char* data = std::getenv("INHIBITOR_SHARED_DATA");
  if (data == nullptr) {
    std::cout << "skipped: INHIBITOR_SHARED_DATA is not set\n";
    return;
  }
  const std::string folder = std::string(data) + "/glue/SST-2/";
  const auto positive = [](const std::vector<labelled_sentence>& rows) {
    index_t count = 0;
    for (const auto& row : rows) count += row.label == 1 ? 1 : 0;
    return count;
  };
  const auto train = read_sst2(folder + "train.tsv");
  CHECK(train.size() == 67349);
  CHECK(positive(train) == 37569);
  const auto dev = read_sst2(folder + "dev.tsv");
  CHECK(dev.size() == 872);
  CHECK(positive(dev) == 444);
  const auto test = read_sst2(folder + "test.tsv");
  CHECK(test.size() == 1821);
  CHECK(test[0].label == -1);
}
