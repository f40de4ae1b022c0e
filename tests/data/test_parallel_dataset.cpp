// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "inhibitor/data/parallel_dataset.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace inhibitor;
using inhibitor::test::random_numbers;

namespace {

parallel_dataset random_pairs(index_t count) {
  random_numbers random(1);
  parallel_dataset d;
  for (index_t i = 0; i < count; ++i) {
    d.source.emplace_back(static_cast<std::size_t>(1 + random.index(30)), 5);
    d.target.emplace_back(static_cast<std::size_t>(random.index(30)), 6);
  }
  return d;
}

}  // namespace

TEST_CASE("make_parallel_batch: shifts targets, ends labels, pads both sides") {
  parallel_dataset d;
  d.source = {{4, 5, 6}, {7}};
  d.target = {{8}, {9, 10}};
  seq2seq_config c;
  c.pad_token_id = 3;
  c.eos_token_id = 1;
  c.decoder_start_token_id = 2;
  const parallel_batch b = make_parallel_batch(d, {1, 0}, c);
  CHECK(b.source_ids == std::vector<std::int32_t>{7, 3, 3, 4, 5, 6});
  CHECK(b.source_key_mask == std::vector<std::uint8_t>{1, 0, 0, 1, 1, 1});
  CHECK(b.target_ids == std::vector<std::int32_t>{2, 9, 10, 2, 8, 3});
  CHECK(b.target_key_mask == std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0});
  CHECK(b.labels == std::vector<std::int32_t>{9, 10, 1, 8, 1, 3});
  CHECK(b.target_tokens == 5);
  CHECK(b.view().source.length == 3);
  CHECK(b.view().target.length == 3);
  CHECK(b.view().target.batch == 2);
  CHECK_THROWS_WITH(make_parallel_batch(d, {2}, c), contains_text("row outside the data set"));
  d.source[0].clear();
  CHECK_THROWS_WITH(make_parallel_batch(d, {0}, c), contains_text("source 0 has no tokens"));
  d.target.pop_back();
  CHECK_THROWS_WITH(make_parallel_batch(d, {1}, c), contains_text("there are 2 sources and 1 targets"));
}

TEST_CASE("token_budget_batches: every pair once, within the budget, as many batches in every epoch") {
  const parallel_dataset d = random_pairs(500);
  const index_t budget = 200;
  const token_budget_batches batches(d, budget, 7);
  std::set<std::vector<std::vector<index_t>>> orders;
  for (const index_t e : {0, 1, 2}) {
    const auto epoch = batches.epoch(e);
    CHECK(static_cast<index_t>(epoch.size()) == batches.batches_per_epoch());
    std::vector<index_t> seen;
    index_t cells = 0;
    for (const auto& rows : epoch) {
      index_t longest = 0;
      for (const index_t row : rows) longest = std::max(longest, d.longer(row));
      CHECK(static_cast<index_t>(rows.size()) * longest <= budget);
      cells += static_cast<index_t>(rows.size()) * longest;
      seen.insert(seen.end(), rows.begin(), rows.end());
    }
    std::sort(seen.begin(), seen.end());
    std::vector<index_t> all(500);
    std::iota(all.begin(), all.end(), index_t{0});
    CHECK(seen == all);
    CHECK(cells > budget * 8 / 10 * (batches.batches_per_epoch() - 1));  // the budget is used
    orders.insert(epoch);
  }
  CHECK(orders.size() == 3);
  CHECK(token_budget_batches(d, budget, 7).epoch(2) == batches.epoch(2));
  CHECK(token_budget_batches(d, budget, 8).epoch(2) != batches.epoch(2));
}

TEST_CASE("token_budget_batches: a pair beyond the budget is a batch of its own") {
  const parallel_dataset d = random_pairs(20);
  CHECK(token_budget_batches(d, 1, 1).batches_per_epoch() == 20);
  CHECK_THROWS_AS(token_budget_batches(d, 0, 1), std::invalid_argument);
}
