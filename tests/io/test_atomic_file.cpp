// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/append_file.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const temp_folder& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("atomic_file: a regular file appears whole, replaced in one step, or not at all", "[io]") {
  temp_folder folder;
  const std::string path = folder.write("f", "old");
  {
    atomic_file file(path);
    file.write("half");
    CHECK(read_file(path) == "old");
  }
  CHECK(read_file(path) == "old");
  CHECK(entries(folder) == 1);
  write_file_atomically(path, "new");
  CHECK(read_file(path) == "new");
  write_file_atomically(folder.file("first"), "x");
  CHECK(read_file(folder.file("first")) == "x");
  CHECK(entries(folder) == 2);
}

TEST_CASE("atomic_file: a link stays a link, the file it leads to is replaced", "[io]") {
  temp_folder folder;
  const std::string target = folder.write("target", "old");
  fs::create_symlink("target", folder.file("link"));
  fs::create_symlink("link", folder.file("second"));
  write_file_atomically(folder.file("second"), "new");
  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(fs::is_symlink(folder.file("second")));
  CHECK(read_file(target) == "new");
  CHECK(entries(folder) == 3);
}

TEST_CASE("atomic_file: a link to nothing and a folder are refused and stay", "[io]") {
  temp_folder folder;
  fs::create_symlink("absent", folder.file("link"));
  CHECK_THROWS_WITH(write_file_atomically(folder.file("link"), "x"), contains_text("link: is a link to a file"));
  CHECK(fs::is_symlink(folder.file("link")));
  fs::create_directory(folder.file("d"));
  CHECK_THROWS_WITH(write_file_atomically(folder.file("d"), "x"), contains_text("d: is a folder"));
  CHECK(fs::is_directory(folder.file("d")));
  CHECK(entries(folder) == 2);
}

TEST_CASE("atomic_file: a pipe is written through and stays a pipe", "[io]") {
  temp_folder folder;
  const std::string pipe = folder.file("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file_atomically(pipe, "through");
  char received[16] = {};
  CHECK(::read(reader, received, sizeof received) == 7);
  CHECK(std::string(received) == "through");
  ::close(reader);
  CHECK(fs::is_fifo(pipe));
  CHECK(entries(folder) == 1);
}

TEST_CASE("remove_temporaries: what killed programs left goes, all else stays") {
  temp_folder folder;
  std::filesystem::create_directories(folder.file("below.tmp-1-0"));
  for (const char* name : {"a.tmp-123-0", "below.tmp-1-0/model.safetensors.tmp-77-12", "a", "b.tmp", "c.tmp-x-1",
                           "d.tmp-12", "e.tmp--1", "f.tmp-1-"}) {
    folder.write(name, "x");
  }
  remove_temporaries(folder.path());
  std::vector<std::string> names = folder.names();
  std::sort(names.begin(), names.end());
  CHECK(names ==
        std::vector<std::string>{"a", "b.tmp", "below.tmp-1-0", "c.tmp-x-1", "d.tmp-12", "e.tmp--1", "f.tmp-1-"});
  CHECK(std::filesystem::is_empty(folder.file("below.tmp-1-0")));
}

TEST_CASE("atomic_file: the temporary of a file in work is what remove_temporaries finds") {
  temp_folder folder;
  atomic_file file(folder.file("a"));
  CHECK(folder.names().size() == 1);
  remove_temporaries(folder.path());
  CHECK(folder.names().empty());
}

TEST_CASE("append_file: adds to what is there, also after it was moved, and refuses what is not there", "[io]") {
  const temp_folder folder;
  const std::string path = folder.write("log", "first\n");
  append_file file(path);
  file.append("second\n");
  append_file moved = std::move(file);
  CHECK(moved.is_open());
  moved.append("third\n");
  CHECK(read_file(path) == "first\nsecond\nthird\n");
  CHECK_THROWS_AS(append_file(folder.file("absent")), file_error);
}
