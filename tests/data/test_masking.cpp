// SPDX-License-Identifier: Apache-2.0

// What a masked-LM guesses: masks, windows of a corpus, token frequencies.

#include "inhibitor/data/masking.hpp"

#include <cmath>
#include <map>
#include <set>

#include "inhibitor/data/masked_batch.hpp"
#include "inhibitor/data/unigram.hpp"
#include "support/catch.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using ids = std::vector<std::int32_t>;

namespace {

const std::vector<std::string>& tokens() {
  static const std::vector<std::string> list{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "##c", "d", "e"};
  return list;
}

struct masked {
  ids tokens;
  std::vector<index_t> positions;
  ids labels;
};

masked mask(const ids& sample, const masking& how, const random_stream& stream, index_t offset = 0) {
  const wordpiece tokenizer(tokens());
  masked m{sample, {}, {}};
  mask_tokens(m.tokens.data(), static_cast<index_t>(sample.size()), masking_vocabulary(tokenizer), how, stream, offset,
              m.positions, m.labels);
  return m;
}

}  // namespace

TEST_CASE("mask_tokens: an exact number of pieces, never special ones, and labels say what stood there") {
  const ids sample{2, 5, 6, 8, 1, 9, 8, 5, 9, 3, 0, 0};  // eight that can be masked
  for (std::uint64_t step = 0; step < 50; ++step) {
    const masked m = mask(sample, {mask_unit::piece, 0.4}, {1, step, 2}, 100);
    REQUIRE(m.positions.size() == 3);
    REQUIRE(m.labels.size() == 3);
    CHECK(std::is_sorted(m.positions.begin(), m.positions.end()));
    std::set<index_t> chosen;
    for (std::size_t i = 0; i < 3; ++i) {
      const index_t at = m.positions[i] - 100;
      chosen.insert(at);
      CHECK(sample[static_cast<std::size_t>(at)] == m.labels[i]);
      CHECK(m.labels[i] >= 5);
      CHECK(m.tokens[static_cast<std::size_t>(at)] >= 4);
    }
    CHECK(chosen.size() == 3);
    for (index_t i = 0; i < static_cast<index_t>(sample.size()); ++i) {
      if (chosen.count(i) == 0) CHECK(m.tokens[static_cast<std::size_t>(i)] == sample[static_cast<std::size_t>(i)]);
    }
  }
  CHECK(mask(sample, {mask_unit::piece, 0.01}, {1, 1, 2}).positions.size() == 1);
  CHECK(mask({2, 3, 0, 1}, {mask_unit::piece, 0.5}, {1, 1, 2}).positions.empty());
}

TEST_CASE("mask_tokens: words are masked whole, one that would exceed the number is passed over") {
  const ids sample{2, 7, 5, 6, 7, 8, 1, 7, 9, 3};  // ##c | a ##b ##c | d | ##c after [UNK] | e
  const std::vector<std::set<index_t>> words{{1}, {2, 3, 4}, {5}, {7}, {8}};
  bool was_long = false;
  for (std::uint64_t step = 0; step < 100; ++step) {
    const masked m = mask(sample, {mask_unit::word, 0.5}, {1, step, 2});
    const std::set<index_t> chosen(m.positions.begin(), m.positions.end());
    CHECK(chosen.size() == 4);  // 7 * 0.5, rounded
    for (const auto& word : words) {
      index_t inside = 0;
      for (const index_t i : word) inside += chosen.count(i) > 0 ? 1 : 0;
      CHECK((inside == 0 || inside == static_cast<index_t>(word.size())));
      was_long = was_long || inside == 3;
    }
    CHECK(mask(sample, {mask_unit::word, 0.15}, {1, step, 2}).positions.size() == 1);
  }
  CHECK(was_long);
}

TEST_CASE("mask_tokens: 80 % become [MASK], 10 % another token, 10 % stay, and the stream alone decides") {
  const ids sample(1000, 9);
  std::map<std::int32_t, int> found;
  for (std::uint64_t step = 0; step < 20; ++step) {
    const masked m = mask(sample, {mask_unit::piece, 0.5}, {1, step, 2});
    for (const index_t at : m.positions) ++found[m.tokens[static_cast<std::size_t>(at)]];
    const masked again = mask(sample, {mask_unit::piece, 0.5}, {1, step, 2});
    CHECK(again.tokens == m.tokens);
    CHECK(again.positions == m.positions);
    CHECK(mask(sample, {mask_unit::piece, 0.5}, {1, step, 3}).positions != m.positions);
    CHECK(mask(sample, {mask_unit::piece, 0.5}, {2, step, 2}).positions != m.positions);
  }
  CHECK_THAT(found[4] / 10000.0, WithinAbs(0.8, 0.02));
  CHECK_THAT(found[9] / 10000.0, WithinAbs(0.12, 0.02));  // a fifth of the random tokens is what was there
  for (const std::int32_t id : {5, 6, 7, 8}) CHECK_THAT(found[id] / 10000.0, WithinAbs(0.02, 0.01));
  CHECK(found.size() == 6);
}

TEST_CASE("window_order: an epoch reads every window once, the next one cuts elsewhere") {
  const window_order order(103, 10, 7, 0);
  CHECK(order.windows_per_epoch() == 9);
  std::vector<std::set<index_t>> starts(2);
  for (index_t sample = 0; sample < 18; ++sample) {
    const index_t begin = order.begin_of(sample);
    CHECK(begin >= 0);
    CHECK(begin + 10 <= 103);
    starts[static_cast<std::size_t>(sample / 9)].insert(begin);
  }
  for (const auto& epoch : starts) {
    CHECK(epoch.size() == 9);
    CHECK(*epoch.rbegin() - *epoch.begin() == 80);
  }
  CHECK(starts[0] != starts[1]);
  CHECK(window_order(103, 10, 7, 0).begin_of(5) == order.begin_of(5));
  CHECK_THROWS_AS(window_order(19, 10, 7, 0), std::invalid_argument);
}

TEST_CASE("masked_batch_maker: [CLS] tokens [SEP], padded, positions counted over the batch") {
  const std::vector<std::uint16_t> text{5, 6, 8, 9, 5, 3, 8};
  const wordpiece tokenizer(tokens());
  const masked_batch_maker maker({text.data(), static_cast<index_t>(text.size())}, tokenizer);
  masked_batch batch;
  masked_batch_maker::begin(batch, 6);
  maker.append(batch, 1, 4, {mask_unit::piece, 0.2}, {1, 1, 1});
  maker.append(batch, 4, 2, {mask_unit::piece, 0.2}, {1, 1, 2});
  CHECK(batch.batch == 2);
  CHECK(batch.key_mask == std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0});
  REQUIRE(batch.positions.size() == 2);
  CHECK(batch.positions[0] < 6);
  CHECK(batch.positions[1] == 7);
  for (std::size_t i = 0; i < 2; ++i) batch.ids[static_cast<std::size_t>(batch.positions[i])] = batch.labels[i];
  CHECK(batch.ids == ids{2, 6, 8, 9, 5, 3, 2, 5, 3, 3, 0, 0});
}

TEST_CASE("sample_width: as many samples are shortened as asked for, evenly from eight tokens on") {
  int shortened = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const index_t width = sample_width(30, 0.25, {1, i, 5});
    CHECK(width >= 8);
    CHECK(width <= 30);
    shortened += width < 30 ? 1 : 0;
    CHECK(sample_width(30, 0, {1, i, 5}) == 30);
    CHECK(sample_width(8, 1, {1, i, 5}) == 8);
  }
  CHECK_THAT(shortened / 2000.0, WithinAbs(0.25, 0.03));
}

TEST_CASE("unigram_cross_entropy: by hand") {
  const std::vector<std::uint16_t> text{1, 1, 2};
  const std::vector<index_t> counts = count_tokens(text.data(), 3, 3);
  CHECK(counts == std::vector<index_t>{0, 2, 1});
  const std::vector<double> frequencies = log_frequencies(counts);
  CHECK_THAT(frequencies[0], WithinAbs(std::log(1.0 / 6), 1e-15));
  CHECK_THAT(frequencies[1], WithinAbs(std::log(3.0 / 6), 1e-15));
  CHECK_THAT(unigram_cross_entropy(counts, frequencies), WithinAbs((2 * std::log(2.0) + std::log(3.0)) / 3, 1e-15));
  CHECK_THAT(unigram_cross_entropy({4, 0, 0}, frequencies), WithinAbs(std::log(6.0), 1e-15));
  CHECK(unigram_cross_entropy({0, 0, 0}, frequencies) == 0);
}
