// SPDX-License-Identifier: Apache-2.0

// base/: buffers, executors, checks, files, counter-based random numbers.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/random.hpp"
#include "inhibitor/base/random_permutation.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/base/trim.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"
#include "support/threads.hpp"

using namespace inhibitor;

TEST_CASE("aligned_buffer: starts on a cache line, begins with zeros, keeps its numbers while they fit") {
  aligned_buffer<float> buffer(5);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
  for (const float x : buffer) CHECK(x == 0);
  for (index_t i = 0; i < 5; ++i) buffer[i] = static_cast<float>(i);
  const float* const place = buffer.data();
  buffer.resize(2);
  buffer.resize(5);
  CHECK(buffer.data() == place);
  CHECK(buffer[4] == 4);
  buffer.resize(1000);
  CHECK(buffer[4] == 0);  // new storage

  buffer[7] = 7;
  const aligned_buffer<float> copy = buffer;
  buffer[7] = 8;
  CHECK(copy[7] == 7);
  const aligned_buffer<float> moved = std::move(buffer);
  CHECK(moved[7] == 8);
  CHECK(moved.size() == 1000);
}

TEST_CASE("executor: every item once, by workers that exist; without a pool in order on the calling thread") {
  std::vector<executor> executors{executor(), test::thread_executor(1), test::thread_executor(3)};
#if defined(_OPENMP)
  executors.push_back(openmp_executor(2));
#endif
  for (const executor& workers : executors) {
    for (const index_t items : {0, 1, 2, 7}) {
      std::vector<int> seen(static_cast<std::size_t>(items));
      std::vector<index_t> by(static_cast<std::size_t>(items), -1);
      workers.for_each(items, [&](index_t item, index_t worker) {
        ++seen[static_cast<std::size_t>(item)];
        by[static_cast<std::size_t>(item)] = worker;
      });
      for (const int times : seen) CHECK(times == 1);
      for (const index_t worker : by) CHECK((worker >= 0 && worker < workers.workers()));
    }
  }
  std::vector<index_t> order;
  executor().for_each(4, [&](index_t item, index_t) { order.push_back(item); });
  CHECK(order == std::vector<index_t>{0, 1, 2, 3});
}

#if defined(_OPENMP)
TEST_CASE("openmp_executor: what a task throws arrives at the caller") {
  const auto fails = [](index_t item, index_t) {
    if (item == 5) throw std::runtime_error("item 5");
  };
  CHECK_THROWS_WITH(openmp_executor(3).for_each(9, fails), "item 5");
}
#endif

TEST_CASE("check: texts are built only when they are needed") {
  int built = 0;
  const auto text = [&] {
    ++built;
    return std::string("wrong");
  };
  check(true, text);
  CHECK(built == 0);
  CHECK_THROWS_WITH(check(false, text), "wrong");
  CHECK_THROWS_AS(check(false, "wrong"), std::invalid_argument);
}

TEST_CASE("read_file, file_error: bytes as they are, and which file and line is at fault") {
  const test::temp_folder folder;
  const std::string bytes("a\r\n\0b", 5);
  CHECK(read_file(folder.write("bytes", bytes)) == bytes);
  CHECK_THROWS_WITH(read_file(folder.file("none")), contains_text(folder.file("none") + ": cannot be opened"));
  CHECK_THROWS_AS(read_file(folder.path()), file_error);
  CHECK(std::string(file_error("x.tsv", 3, "found this").what()) == "x.tsv:3: found this");
}

TEST_CASE("random_bits: a pure function of stream and index, as often below a threshold as it says") {
  const random_stream stream{7, 3, 2};
  const std::uint32_t key = stream_key(stream);
  CHECK(random_bits(key, 11) == random_bits(stream_key({7, 3, 2}), 11));
  CHECK(stream_key(stream.at(2)) == key);
  for (const random_stream& other : {random_stream{8, 3, 2}, random_stream{7, 4, 2}, random_stream{7, 3, 1},
                                     random_stream{7 + (1ULL << 40), 3, 2}, random_stream{7, 3 + (1ULL << 40), 2}}) {
    CHECK(stream_key(other) != key);
  }
  constexpr std::uint32_t draws = 100000;
  for (const double probability : {0.0, 0.1, 0.5}) {
    std::uint32_t below = 0;
    for (std::uint32_t i = 0; i < draws; ++i) below += random_bits(key, i) < random_threshold(probability) ? 1 : 0;
    CHECK(std::abs(below / double(draws) - probability) < 0.005);
  }
}

TEST_CASE("random_permutation: every place once, another order for another stream") {
  for (const std::uint64_t size : {1U, 2U, 3U, 17U, 64U, 1000U}) {
    INFO("size " << size);
    const random_permutation order(size, {7, 1, 0}), other(size, {7, 2, 0});
    std::vector<int> seen(size);
    std::uint64_t moved = 0, differing = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      REQUIRE(order[i] < size);
      ++seen[order[i]];
      moved += order[i] != i ? 1 : 0;
      differing += order[i] != other[i] ? 1 : 0;
    }
    CHECK(seen == std::vector<int>(size, 1));
    if (size >= 64) CHECK(moved > size * 9 / 10);
    if (size >= 64) CHECK(differing > size * 9 / 10);
  }
}

TEST_CASE("ends_with: the whole text and nothing too, but no longer ending") {
  CHECK(ends_with("model.safetensors", ".safetensors"));
  CHECK(ends_with("a", "a"));
  CHECK(ends_with("a", ""));
  CHECK_FALSE(ends_with("a", "ba"));
  CHECK_FALSE(ends_with("model.safetensors.tmp", ".safetensors"));
}

TEST_CASE("trim: blanks at both ends and not within") {
  CHECK(trim(" \ta b\t ", " \t") == "a b");
  CHECK(trim("a", " ") == "a");
  CHECK(trim("  ", " ").empty());
  CHECK(trim("", " ").empty());
  CHECK(trim("\ta", " ") == "\ta");
}
