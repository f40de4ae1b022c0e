// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "inhibitor/io/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

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
