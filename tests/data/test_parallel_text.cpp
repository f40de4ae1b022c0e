// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include "inhibitor/data/parallel_text.hpp"
#include "support/catch.hpp"
#include "support/gzip_text.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::temp_folder;

TEST_CASE("read_text_lines: LF or CRLF, empty lines, a last line without an end, gzip") {
  const temp_folder folder;
  const std::vector<std::string> expected{"ein Hund", "", " zwei", "drei"};
  CHECK(read_text_lines(folder.write("unix", "ein Hund\n\n zwei\ndrei")) == expected);
  CHECK(read_text_lines(folder.write("dos", "ein Hund\r\n\r\n zwei\r\ndrei\r\n")) == expected);
  CHECK(read_text_lines(folder.write("packed.gz", test::gzip("ein Hund\n\n zwei\ndrei\n"))) == expected);
  CHECK(read_text_lines(folder.write("nothing", "")).empty());
}

TEST_CASE("read_text_lines: names the line that is no UTF-8, and what is no text") {
  const temp_folder folder;
  CHECK_THROWS_WITH(read_text_lines(folder.write("broken", "gut\nschl\xFF\n")),
                    contains_text("broken:2: byte 4 of the line is not valid UTF-8"));
  CHECK_THROWS_WITH(read_text_lines(folder.write("zip", "PK\x03\x04....")), contains_text("is a zip archive"));
  CHECK_THROWS_AS(read_text_lines(folder.file("missing")), file_error);
}

TEST_CASE("read_parallel_text: refuses files of different line counts, with both") {
  const temp_folder folder;
  const std::string one = folder.write("one.de", "a\n"), two = folder.write("two.en", "b\nc\n");
  const parallel_text text = read_parallel_text(one, one);
  CHECK(text.source == std::vector<std::string>{"a"});
  CHECK_THROWS_WITH(read_parallel_text(two, one),
                    contains_text("one.de: has 1 lines; expected as many as " + two + ", 2"));
}
