// SPDX-License-Identifier: Apache-2.0

#include "classify/text_rows.hpp"

#include <unistd.h>

#include <array>

#include "support/catch.hpp"
#include "support/gzip_text.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  line_source source(path);
  std::vector<std::string> lines;
  for (std::string line; source.next(line);) lines.push_back(line);
  return lines;
}

/// Both ends of a pipe; the reading one by a name that line_source can open.
struct pipe_ends {
  std::array<int, 2> ends{};
  pipe_ends() { REQUIRE(::pipe(ends.data()) == 0); }
  ~pipe_ends() {
    ::close(ends[0]);
    close_input();
  }
  std::string path() const { return "/dev/fd/" + std::to_string(ends[0]); }
  void write(const std::string& text) {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<::ssize_t>(text.size()));
  }
  void close_input() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

}  // namespace

TEST_CASE("line_source: line ends, byte order mark, empty lines", "[programs]") {
  temp_folder folder;
  const auto lines = [&](const std::string& content) { return lines_of(folder.write("f", content)); };
  using list = std::vector<std::string>;
  CHECK(lines("").empty());
  CHECK(lines("\n") == list{""});
  CHECK(lines("a") == list{"a"});
  CHECK(lines("a\nb") == list{"a", "b"});
  CHECK(lines("a\r\n\r\nb\r") == list{"a", "", "b"});
  CHECK(lines("\xEF\xBB\xBF"
              "a\n\xEF\xBB\xBF"
              "b\n") == list{"a",
                             "\xEF\xBB\xBF"
                             "b"});
  // Longer than what is read at once, with line ends on both sides of the border.
  list long_lines;
  std::string content;
  for (const std::size_t size : {65535U, 65536U, 65537U, 200000U, 0U, 3U}) {
    long_lines.emplace_back(size, static_cast<char>('a' + long_lines.size()));
    content += long_lines.back() + "\n";
  }
  CHECK(lines(content) == long_lines);
  CHECK_THROWS_WITH(lines_of(folder.file("absent")), contains_text("cannot be opened"));
  CHECK_THROWS_AS(lines_of(folder.path()), file_error);
}

TEST_CASE("line_source: ready is true exactly when a line can be had without waiting", "[programs]") {
  pipe_ends pipe;
  line_source source(pipe.path());
  std::string line;
  CHECK_FALSE(source.ready());
  pipe.write("one\ntw");
  CHECK(source.ready());
  REQUIRE(source.next(line));
  CHECK(line == "one");
  CHECK_FALSE(source.ready());  // half a line
  pipe.write("o\n");
  CHECK(source.ready());
  REQUIRE(source.next(line));
  CHECK(line == "two");
  CHECK(source.line() == 2);
  pipe.write("last");
  CHECK_FALSE(source.ready());
  pipe.close_input();
  CHECK(source.ready());  // the end makes it a line
  REQUIRE(source.next(line));
  CHECK(line == "last");
  CHECK_FALSE(source.ready());
  CHECK_FALSE(source.next(line));
}

TEST_CASE("line_source: what is no UTF-8 text is named, a name in .gz is unpacked", "[programs]") {
  temp_folder folder;
  CHECK_THROWS_WITH(lines_of(folder.write("f", "\xFF\xFEt")), contains_text("f: is UTF-16 text"));
  CHECK_THROWS_WITH(lines_of(folder.write("f", "version https://git-lfs.github.com/spec/v1\noid x\n")),
                    contains_text("f: is a Git LFS pointer"));
  CHECK_THROWS_WITH(lines_of(folder.write("f", "a\rb\r")), contains_text("f: ends its lines with CR alone"));
  CHECK(lines_of(folder.write("f", "a\rb\n")) == std::vector<std::string>{"a\rb"});
  CHECK(lines_of(folder.write("f.txt.gz", gzip("a\nb"))) == std::vector<std::string>{"a", "b"});
  CHECK_THROWS_WITH(lines_of(folder.write("g.txt.gz", "a\nb")), contains_text("g.txt.gz: is no gzip file"));
}

namespace {

/// Rows as "text" or "text|pair".
std::vector<std::string> rows_of(const std::string& path, row_options options) {
  row_reader rows(path, std::move(options));
  std::vector<std::string> out;
  for (text_row row; rows.next(row);) out.push_back(row.text + (row.pair ? "|" + *row.pair : ""));
  return out;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("row_reader: the columns that glue takes, or those that are named, in every format", "[programs]") {
  temp_folder folder;
  const auto rows = [&](const std::string& content, row_format format, const std::string& text = "",
                        const std::string& pair = "") {
    return rows_of(folder.write("f", content), {format, text, pair});
  };
  CHECK(rows("a\tb\n", row_format::text) == list{"a\tb"});
  CHECK(rows("id\ttext\tlabel\n1\t\"quoted\tx\n2\t\ty\n\n\n", row_format::tsv) == list{"\"quoted", ""});
  CHECK(rows("question\tsentence\tlabel\nx\ty\tz\n", row_format::tsv) == list{"x|y"});
  CHECK(rows("x\tsentence2\tsentence1\n1\tb\ta\n", row_format::tsv) == list{"a|b"});
  CHECK(rows("p\th\na\tb\n", row_format::tsv, "p", "h") == list{"a|b"});
  CHECK(rows("p\th\na\tb\n", row_format::tsv, "h") == list{"b"});
  CHECK(rows("p\th\na\tb\n", row_format::tsv, "", "h") == list{"a|b"});
  CHECK(rows("text\na\n\nb\n", row_format::tsv) == list{"a", "", "b"});
  CHECK(rows("sentence,label\n\"clever, \"\"very\"\" clever\nsecond line\",1\n", row_format::csv) ==
        list{"clever, \"very\" clever\nsecond line"});
  for (const char* name : {"", "Unnamed: 0"}) {
    CHECK(rows(std::string(name) + ",text,label\n0,a,1\n", row_format::csv) == list{"a"});
  }
  CHECK(rows("[{\"text\": \"a\"},\n{\"text\": \"b\"}]", row_format::json) == list{"a", "b"});
  CHECK(rows("{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n", row_format::json) == list{"a", "b"});
  CHECK(rows("\n{\"text\": \"a\\tb\"}\n \n{\"label\": 1, \"text\": \"c\"}\n\n", row_format::jsonl) ==
        list{"a\tb", "c"});
  CHECK(rows("\n[{\"text\": \"a\"},\n{\"text\": \"b\"}]", row_format::jsonl) == list{"a", "b"});
  CHECK(rows("{\"p\": \"a\", \"h\": 1.5}", row_format::jsonl, "p", "h") == list{"a|1.5"});
}

TEST_CASE("row_reader: by the ending, packed or not, the same rows", "[programs]") {
  temp_folder folder;
  const std::pair<const char*, const char*> files[] = {{"f.txt", "a\nb\n"},
                                                       {"f.tsv", "text\na\nb\n"},
                                                       {"f.csv", "text\n\"a\"\nb\n"},
                                                       {"f.json", "[{\"text\": \"a\"}, {\"text\": \"b\"}]"},
                                                       {"f.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n"}};
  for (const auto& [name, content] : files) {
    INFO(name);
    const std::string plain = folder.write(name, content);
    const std::string packed = folder.write(std::string(name) + ".gz", gzip(content));
    for (const std::string& path : {plain, packed})
      CHECK(rows_of(path, {format_of_file(path), "", ""}) == list{"a", "b"});
  }
}

TEST_CASE("row_reader: rows know their line; a guess is told", "[programs]") {
  temp_folder folder;
  row_reader rows(folder.write("f", "title,review,label\n\"a\nb\",c,1\nd,e,0\n"), {row_format::csv, "", ""});
  text_row row;
  REQUIRE(rows.next(row));
  CHECK(row.line == 2);
  REQUIRE(rows.next(row));
  CHECK(row.line == 4);
  CHECK_FALSE(rows.ready());
  CHECK(rows.guess() == "texts from \"title\" and \"review\"");
  for (const char* header : {"text", "sentence,label", "sentence1,sentence2"}) {
    CHECK(row_reader(folder.write("f", std::string(header) + "\n"), {row_format::csv, "", ""}).guess().empty());
  }
  CHECK(row_reader(folder.write("f", "a,b\n"), {row_format::csv, "a", ""}).guess().empty());
}

TEST_CASE("row_reader: refusals name the line and the columns", "[programs]") {
  temp_folder folder;
  const auto refuse = [&](const std::string& content, const row_options& options, const std::string& message) {
    INFO(content);
    CHECK_THROWS_WITH(rows_of(folder.write("f", content), options), contains_text(message));
  };
  refuse("", {row_format::tsv, "", ""}, "is empty");
  refuse("", {row_format::csv, "", ""}, "is empty");
  refuse("id\tlabel\n", {row_format::tsv, "", ""},
         ":1: found the columns \"id, label\"; expected one or two with text");
  refuse("a\tb\n", {row_format::tsv, "a", "c"}, ":1: found the columns \"a, b\"; expected \"c\"");
  refuse("a\tb\n", {row_format::tsv, "", "a"}, "would be both texts");
  refuse("text;label\n", {row_format::tsv, "", ""}, "separated by semicolons");
  refuse("a\tb\n1\t2\n1\t2\t3\n", {row_format::tsv, "a", ""}, ":3: found 3 columns; expected 2");
  refuse("a\tb\n1\t2\n\n1\t2\n", {row_format::tsv, "a", ""}, ":3: found 1 columns; expected 2");
  refuse("a,b\n\"1\n\",2\n1\n", {row_format::csv, "a", ""}, ":4: found 1 columns; expected 2");
  refuse("{\"text\": \"a\"}\n{", {row_format::jsonl, "", ""}, ":2: is not valid JSON");
  refuse("{\"text\": \"\xFF\"}", {row_format::jsonl, "", ""}, ":1: is not valid JSON");
  refuse("{}", {row_format::jsonl, "", ""}, ":1: is no JSON object with fields");
  refuse("{\"id\": 1}", {row_format::jsonl, "", ""}, ":1: found the columns \"id\"");
  refuse("{\"a\": 1}\n\n{\"b\": 1}", {row_format::jsonl, "a", ""}, ":3: found the keys \"b\"; expected \"a\"");
  refuse("{\"a\": 1}\n[{\"a\": 1}, {\"a\": 2}]", {row_format::jsonl, "a", ""}, ":2: is no JSON object");
  refuse("{\"a\": [1]}", {row_format::jsonl, "a", ""}, "is no text or number");
  CHECK_THROWS_AS(rows_of(folder.write("f", "a"), {row_format::text, "a", ""}), std::invalid_argument);
}

TEST_CASE("format_of_file: by the ending; an unknown one is refused with those that are known", "[programs]") {
  CHECK(format_of_file("dev.tsv") == row_format::tsv);
  CHECK(format_of_file("x.y/dev.jsonl") == row_format::jsonl);
  CHECK(format_of_file("dev.json.gz") == row_format::json);
  CHECK(format_of_file("dev.csv") == row_format::csv);
  for (const char* name : {"dev.txt", "dev.txt.gz", "-", "tsv", "x.y/pipe", "/dev/fd/63"}) {
    CHECK(format_of_file(name) == row_format::text);
  }
  for (const char* name : {"dev.xlsx", "dev.parquet", "dev.csv.zip", "dev.CSV"}) {
    CHECK_THROWS_WITH(format_of_file(name), contains_text(".txt, .tsv, .csv, .json or .jsonl"));
  }
}
