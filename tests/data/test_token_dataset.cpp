// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/data/token_dataset.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "support/catch.hpp"

using namespace inhibitor;
using ids = std::vector<std::int32_t>;

namespace {

const wordpiece& tokenizer() {
  static const wordpiece w({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"});
  return w;
}

/// Texts of one class each.
labeled_examples examples_of(std::vector<std::string> texts, std::vector<std::int32_t> labels) {
  labeled_examples out;
  out.first = std::move(texts);
  out.labels = std::move(labels);
  return out;
}

/// `count` examples whose lengths differ; label = index modulo 2.
token_dataset some_examples(index_t count) {
  labeled_examples sentences;
  for (index_t i = 0; i < count; ++i) {
    std::string text;
    for (index_t n = 0; n < (i * 7919) % 23; ++n) text += "a ";
    sentences.first.push_back(text);
    sentences.labels.push_back(static_cast<std::int32_t>(i % 2));
  }
  return tokenize(tokenizer(), sentences, 64);
}

}  // namespace

TEST_CASE("tokenize: same ids for any number of workers") {
  labeled_examples sentences;
  for (int i = 0; i < 1000; ++i) {
    sentences.first.push_back(std::string(static_cast<std::size_t>(i % 9), 'b') + " a");
    sentences.labels.push_back(i % 2);
  }
  const token_dataset alone = tokenize(tokenizer(), sentences, 8);
  CHECK(alone.size() == 1000);
  CHECK(alone.ids[1] == ids{2, 6, 5, 3});
  CHECK(alone.first_lengths[1] == 4);
  CHECK(alone.labels[1] == 1);
#if defined(_OPENMP)
  const token_dataset together = tokenize(tokenizer(), sentences, 8, openmp_executor(3));
  CHECK(together.ids == alone.ids);
  CHECK(together.labels == alone.labels);
#endif
  CHECK_THROWS_AS(tokenize(tokenizer(), sentences, 1), std::invalid_argument);
}

TEST_CASE("trap 5: a pair of odd budget is cut as the fast tokenizer does") {
  labeled_examples pairs;
  pairs.first = {"a a a a", "a a a a a", "a", "a b"};
  pairs.second = {"b b b b", "b b b b", "b b b b b b", ""};
  const token_dataset dataset = tokenize(tokenizer(), pairs, 8);  // room for 5 word pieces
  CHECK(dataset.ids[0] == ids{2, 5, 5, 3, 6, 6, 6, 3});
  CHECK(dataset.ids[1] == ids{2, 5, 5, 5, 3, 6, 6, 3});
  CHECK(dataset.ids[2] == ids{2, 5, 3, 6, 6, 6, 6, 3});
  CHECK(dataset.ids[3] == ids{2, 5, 6, 3, 3});
  CHECK(dataset.first_lengths == ids{4, 5, 3, 4});
  CHECK_THROWS_AS(tokenize(tokenizer(), pairs, 2), std::invalid_argument);
}

TEST_CASE("make_batch: padding, mask, labels and rows") {
  const token_dataset dataset = tokenize(tokenizer(), examples_of({"a", "a b a", ""}, {1, 0, -1}), 16);
  const token_batch batch = make_batch(dataset, {2, 1}, 9);
  CHECK(batch.batch == 2);
  CHECK(batch.length == 5);
  CHECK(batch.ids == ids{2, 3, 9, 9, 9, 2, 5, 6, 5, 3});
  CHECK(batch.type_ids == ids(10, 0));
  CHECK(batch.key_mask == std::vector<std::uint8_t>{1, 1, 0, 0, 0, 1, 1, 1, 1, 1});
  CHECK(batch.labels == ids{-1, 0});
  CHECK(batch.scores.empty());
  CHECK(batch.rows == std::vector<index_t>{2, 1});
  CHECK(make_batch(dataset, {}, 9).batch == 0);
  CHECK_THROWS_AS(make_batch(dataset, {3}, 9), std::invalid_argument);
  CHECK_THROWS_AS(make_batch(dataset, {-1}, 9), std::invalid_argument);
}

TEST_CASE("make_batch: token types of pairs, scores of a regression") {
  labeled_examples pairs;
  pairs.first = {"a", "a b"};
  pairs.second = {"b b", "b"};
  pairs.scores = {2.5F, 0};
  const token_batch batch = make_batch(tokenize(tokenizer(), pairs, 16), {0, 1}, 0);
  CHECK(batch.ids == ids{2, 5, 3, 6, 6, 3, 2, 5, 6, 3, 6, 3});
  CHECK(batch.type_ids == ids{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  CHECK(batch.scores == std::vector<float>{2.5F, 0});
  CHECK(batch.labels.empty());
  pairs.first.push_back("a a a a a a");
  pairs.second.push_back("b");
  pairs.scores.push_back(1);
  const token_batch padded = make_batch(tokenize(tokenizer(), pairs, 16), {2, 0}, 0);
  CHECK(padded.type_ids == ids{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0});
}

TEST_CASE("length_bucketed_batches: every example once, batches full but for one") {
  for (const index_t count : {0, 1, 31, 32, 33, 5000}) {
    const token_dataset dataset = some_examples(count);
    const length_bucketed_batches batches(dataset, 32, 7);
    std::vector<index_t> seen;
    index_t partial = 0;
    const auto epoch = batches.epoch(0);
    CHECK(static_cast<index_t>(epoch.size()) == batches.batches_per_epoch());
    for (const auto& rows : epoch) {
      partial += rows.size() < 32 ? 1 : 0;
      seen.insert(seen.end(), rows.begin(), rows.end());
    }
    CHECK(partial == (count % 32 == 0 ? 0 : 1));
    std::sort(seen.begin(), seen.end());
    CHECK(static_cast<index_t>(seen.size()) == count);
    for (index_t i = 0; i < count; ++i) REQUIRE(seen[static_cast<std::size_t>(i)] == i);
  }
  CHECK_THROWS_AS(length_bucketed_batches(some_examples(3), 0, 1), std::invalid_argument);
}

TEST_CASE("length_bucketed_batches: order depends on seed and epoch alone") {
  const token_dataset dataset = some_examples(1000);
  const auto order = [&](std::uint64_t seed, index_t e) { return length_bucketed_batches(dataset, 16, seed).epoch(e); };
  CHECK(order(1, 0) == order(1, 0));
  CHECK(order(1, 0) != order(1, 1));
  CHECK(order(1, 0) != order(2, 0));
  CHECK(order(1, 0) != order(1 + (std::uint64_t{1} << 40), 0));
}

TEST_CASE("length_bucketed_batches: little padding, lengths in no order across batches") {
  const token_dataset dataset = some_examples(4096);
  const auto padding = [&](const std::vector<std::vector<index_t>>& batches) {
    index_t padded = 0;
    for (const auto& rows : batches) {
      const token_batch batch = make_batch(dataset, rows, 0);
      padded += std::count(batch.key_mask.begin(), batch.key_mask.end(), std::uint8_t{0});
    }
    return padded;
  };
  const auto epoch = length_bucketed_batches(dataset, 32, 3).epoch(0);
  std::vector<std::vector<index_t>> unsorted(epoch.size());
  for (index_t i = 0; i < 4096; ++i) unsorted[static_cast<std::size_t>(i % 128)].push_back(i);
  CHECK(10 * padding(epoch) < padding(unsorted));
  std::vector<index_t> lengths;
  for (const auto& rows : epoch) lengths.push_back(make_batch(dataset, rows, 0).length);
  CHECK_FALSE(std::is_sorted(lengths.begin(), lengths.end()));
}

TEST_CASE("length_sorted_batches: by length, ties in data order") {
  const token_dataset dataset = some_examples(100);
  const auto batches = length_sorted_batches(dataset, 8);
  CHECK(batches.size() == 13);
  std::vector<index_t> rows;
  for (const auto& batch : batches) rows.insert(rows.end(), batch.begin(), batch.end());
  CHECK(rows.size() == 100);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto before = dataset.ids[static_cast<std::size_t>(rows[i - 1])].size();
    const auto after = dataset.ids[static_cast<std::size_t>(rows[i])].size();
    CHECK((before < after || (before == after && rows[i - 1] < rows[i])));
  }
}
