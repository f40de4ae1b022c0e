// SPDX-License-Identifier: Apache-2.0

// measure/: nothing here asserts how long something takes or what the machine is.

#include <cstdio>
#include <vector>

#include "inhibitor/measure/machine.hpp"
#include "inhibitor/measure/memory.hpp"
#include "inhibitor/measure/proc_field.hpp"
#include "inhibitor/measure/time.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;

TEST_CASE("seconds_now: never goes back, and counts work") {
  for (const int threads : {1, 2}) {
    const double start = seconds_now(threads);
    double now = start, before = start;
    // Until the clock moves: a clock that stands still would hang here and fail by the time limit.
    while (now == start) {
      before = now;
      now = seconds_now(threads);
      REQUIRE(now >= before);
    }
    CHECK(now > start);
  }
}

TEST_CASE("proc_field: the first line of that very name, without blanks around the value") {
  const test::temp_folder folder;
  const std::string file =
      folder.write("fields", "model name\t: A Processor\nmodel\t\t: 7\nmodel\t\t: 8\nempty:\nno colon\n");
  CHECK(proc_field(file, "model name") == "A Processor");
  CHECK(proc_field(file, "model") == "7");
  CHECK(proc_field(file, "empty").empty());
  CHECK(proc_field(file, "no colon").empty());
  CHECK(proc_field(file, "mode").empty());
  CHECK(proc_field(folder.file("no such file"), "model").empty());
}

TEST_CASE("peak_resident_bytes: covers memory that was touched, and stays when it is given back") {
  constexpr std::size_t size = std::size_t{32} << 20;
  const index_t before = peak_resident_bytes();
  CHECK(before > 0);
  {
    std::vector<char> touched(size, 1);
    // A compiler may leave out memory that nobody looks at (clang does), so every page is read through a volatile.
    const volatile char* const bytes = touched.data();
    index_t ones = 0;
    for (std::size_t i = 0; i < size; i += 4096) ones += bytes[i];
    CHECK(ones == static_cast<index_t>(size / 4096));
  }
  const index_t after = peak_resident_bytes();
  CHECK(after >= static_cast<index_t>(size));
  CHECK(after >= before);
  CHECK(peak_memory_mib() >= 32);
  reset_peak_resident_bytes();  // what the system makes of it is its own
  CHECK(peak_resident_bytes() > 0);
}

TEST_CASE("cpu_model, cpu_description, load_average: say something on every machine") {
  CHECK_FALSE(cpu_model().empty());
  CHECK(cpu_description().compare(0, cpu_model().size(), cpu_model()) == 0);
  CHECK((load_average() >= 0 || load_average() == -1));
}
