// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/data/dataset_cache.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;

namespace {

std::vector<std::string> vocabulary() { return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"}; }

labeled_examples pairs() {
  labeled_examples out;
  out.first = {"a", "a b", ""};
  out.second = {"b b", "b", "a"};
  out.scores = {2.5F, 0, 5};
  return out;
}

bool equal(const token_dataset& x, const token_dataset& y) {
  return x.ids == y.ids && x.first_lengths == y.first_lengths && x.labels == y.labels && x.scores == y.scores;
}

}  // namespace

TEST_CASE("tokenize_cached: what is read back is what was made") {
  const test::temp_folder folder;
  const wordpiece tokenizer(vocabulary());
  const std::string cache = folder.file("cache");
  const token_dataset made = tokenize(tokenizer, pairs(), 16);
  CHECK(equal(tokenize_cached(cache, "dev", tokenizer, pairs(), 16, {}), made));
  REQUIRE(std::distance(std::filesystem::directory_iterator(cache), {}) == 1);
  const std::string file = std::filesystem::directory_iterator(cache)->path().string();
  CHECK(std::filesystem::path(file).filename().string().rfind("dev-", 0) == 0);
  const auto written = std::filesystem::last_write_time(file);
  CHECK(equal(tokenize_cached(cache, "dev", tokenizer, pairs(), 16, {}), made));
  CHECK(std::filesystem::last_write_time(file) == written);
  labeled_examples empty;
  CHECK(tokenize_cached(cache, "none", tokenizer, empty, 16, {}).size() == 0);
  CHECK(tokenize_cached(cache, "none", tokenizer, empty, 16, {}).size() == 0);
}

TEST_CASE("tokenize_cached: every setting and every text has a file of its own") {
  const test::temp_folder folder;
  const auto run = [&](const wordpiece& tokenizer, const labeled_examples& examples, index_t length) {
    const token_dataset cached = tokenize_cached(folder.path(), "x", tokenizer, examples, length, {});
    CHECK(equal(cached, tokenize(tokenizer, examples, length)));
    return folder.names().size();
  };
  const wordpiece plain(vocabulary());
  CHECK(run(plain, pairs(), 16) == 1);
  CHECK(run(plain, pairs(), 5) == 2);
  wordpiece_options slow;
  slow.rules = tokenizer_rules::slow;
  CHECK(run(wordpiece(vocabulary(), slow), pairs(), 5) == 3);
  auto swapped = vocabulary();
  std::swap(swapped[5], swapped[6]);
  CHECK(run(wordpiece(swapped), pairs(), 5) == 4);
  labeled_examples moved = pairs();
  moved.first[0] = "ab";  // the same bytes, another border
  moved.second[0] = " b";
  CHECK(run(plain, moved, 16) == 5);
  labeled_examples scored = pairs();
  scored.scores[1] = 1;
  CHECK(run(plain, scored, 16) == 6);
}

TEST_CASE("tokenize_cached: a damaged file is rejected and made again") {
  const test::temp_folder folder;
  const wordpiece tokenizer(vocabulary());
  const token_dataset made = tokenize_cached(folder.path(), "dev", tokenizer, pairs(), 16, {});
  const std::string file = folder.file(folder.names().at(0));
  const std::string good = test::file_content(file);
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x01);
    folder.write(folder.names().at(0), bad);
    CHECK(equal(tokenize_cached(folder.path(), "dev", tokenizer, pairs(), 16, {}), made));
    REQUIRE(test::file_content(file) == good);
  }
  folder.write(folder.names().at(0), good.substr(0, good.size() / 2));
  CHECK(equal(tokenize_cached(folder.path(), "dev", tokenizer, pairs(), 16, {}), made));
  CHECK(test::file_content(file) == good);
}

TEST_CASE("tokenize_cached: works without a cache where none can be kept") {
  const test::temp_folder folder;
  const wordpiece tokenizer(vocabulary());
  const std::string blocked = folder.write("file", "");
  CHECK(tokenize_cached(blocked, "dev", tokenizer, pairs(), 16, {}).size() == 3);
  CHECK(tokenize_cached("", "dev", tokenizer, pairs(), 16, {}).size() == 3);
  CHECK(folder.names().size() == 1);
}
