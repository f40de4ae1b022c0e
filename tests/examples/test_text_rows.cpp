// SPDX-License-Identifier: Apache-2.0

#include "classify/text_rows.hpp"

#include <unistd.h>

#include <array>

#include "support/catch.hpp"
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

TEST_CASE("text_rows: columns are found by name", "[programs]") {
  temp_folder folder;
  const auto rows_of = [&](const std::string& content, row_options options) {
    text_rows rows(folder.write("f", content), std::move(options));
    std::vector<std::string> out;
    for (text_row row; rows.next(row);) out.push_back(row.text + (row.pair ? "|" + *row.pair : ""));
    return out;
  };
  using list = std::vector<std::string>;
  CHECK(rows_of("a\tb\n", {}) == list{"a\tb"});
  CHECK(rows_of("text\tsentence\nx\ty\n", {row_format::tsv, "", ""}) == list{"y"});
  CHECK(rows_of("id\ttext\n1\t\"quoted\n2\t\n", {row_format::tsv, "", ""}) == list{"\"quoted", ""});
  CHECK(rows_of("p\th\na\tb\n", {row_format::tsv, "p", "h"}) == list{"a|b"});
  CHECK(rows_of("{\"text\": \"a\\tb\"}\n{\"sentence\": \"c\", \"text\": \"d\"}", {row_format::jsonl, "", ""}) ==
        list{"a\tb", "c"});
  CHECK(rows_of(R"({"p": "a", "h": "b"})", {row_format::jsonl, "p", "h"}) == list{"a|b"});

  const auto refuse = [&](const std::string& content, const row_options& options, const std::string& message) {
    INFO(content);
    CHECK_THROWS_WITH(rows_of(content, options), contains_text(message));
  };
  refuse("", {row_format::tsv, "", ""}, "is empty");
  refuse("a\tb\n", {row_format::tsv, "", ""}, ":1: has neither");
  refuse("a\tb\n", {row_format::tsv, "a", "c"}, "expected \"c\"");
  refuse("a\tb\n1\t2\n1\t2\t3\n", {row_format::tsv, "a", ""}, ":3: found 3");
  refuse("{\"text\": \"a\"}\n{", {row_format::jsonl, "", ""}, ":2: is not a JSON object");
  refuse("{\"text\": \"\xFF\"}", {row_format::jsonl, "", ""}, ":1: is not a JSON object in UTF-8");
  refuse("{}", {row_format::jsonl, "", ""}, ":1: has neither");
  refuse("{\"a\": null}", {row_format::jsonl, "a", ""}, "is not a string");
  CHECK_THROWS_AS(rows_of("a", {row_format::text, "a", ""}), std::invalid_argument);
}

TEST_CASE("format_of_file: by the ending", "[programs]") {
  CHECK(format_of_file("dev.tsv") == row_format::tsv);
  CHECK(format_of_file("x/dev.jsonl") == row_format::jsonl);
  CHECK(format_of_file("dev.txt") == row_format::text);
  CHECK(format_of_file("-") == row_format::text);
  CHECK(format_of_file("tsv") == row_format::text);
}
