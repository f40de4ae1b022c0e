// SPDX-License-Identifier: Apache-2.0

// beam_search on logits that are written down. On those of a model: test_seq2seq_inference.cpp.

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "inhibitor/models/beam_search.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

namespace {

using tokens = std::vector<std::int32_t>;
constexpr index_t vocab = 5;  // padding 0, end 1, start 2, words 3 and 4

/// Probabilities of what follows a prefix.
using table = std::map<tokens, std::vector<double>>;

/// Searches one sentence; prefixes that are not in the table end for certain.
std::vector<hypothesis> search(const table& of, const beam_options& options, index_t max_length) {
  beam_search s({max_length}, {2, 1, 0}, options);
  std::vector<tokens> prefixes{{}};
  while (!s.is_done()) {
    std::vector<double> logits;
    for (const tokens& prefix : prefixes) {
      const auto found = of.find(prefix);
      const std::vector<double> p = found != of.end() ? found->second : std::vector<double>{0, 1, 0, 0, 0};
      for (const double x : p) logits.push_back(std::log(x));
    }
    s.advance(logits.data(), vocab, {});
    std::vector<tokens> next;
    for (std::size_t row = 0; row < s.ids().size(); ++row) {
      next.push_back(prefixes[static_cast<std::size_t>(s.parents()[row])]);
      next.back().push_back(s.ids()[row]);
    }
    prefixes = next;
  }
  return s.take_results()[0];
}

/// The greedy way loses here: 3 is likelier than 4, but what follows 4 is certain.
const table garden{{{}, {0, 0, 0, 0.6, 0.4}}, {{3}, {0, 0.3, 0.2, 0.3, 0.2}}, {{4}, {0, 1, 0, 0, 0}}};

}  // namespace

TEST_CASE("beam_search: one beam is greedy, two find what it misses") {
  beam_options options;
  options.beams = 1;
  options.alpha = 0;
  const auto greedy = search(garden, options, 5);
  REQUIRE(greedy.size() == 1);
  CHECK(greedy[0].tokens == tokens{3});  // 1 and 3 are equally likely: the lower token
  CHECK(std::abs(greedy[0].log_probability - std::log(0.18)) < 1e-12);
  options.beams = 2;
  const auto two = search(garden, options, 5);
  REQUIRE(two.size() == 2);
  CHECK(two[0].tokens == tokens{4});
  CHECK(std::abs(two[0].score - std::log(0.4)) < 1e-12);
  CHECK(two[1].tokens == tokens{3});
}

TEST_CASE("beam_search: the end counts only among the first B candidates") {
  // Third best of all: 0.1 against 0.5 and 0.4.
  const table of{{{}, {0, 0.1, 0, 0.5, 0.4}}, {{3}, {0, 1, 0, 0, 0}}, {{4}, {0, 1, 0, 0, 0}}};
  beam_options options;
  options.min_length = 0;
  options.alpha = 0;
  options.beams = 2;
  for (const hypothesis& h : search(of, options, 5)) CHECK_FALSE(h.tokens.empty());
  options.beams = 3;
  const auto three = search(of, options, 5);
  REQUIRE(three.size() == 3);
  CHECK(three[2].tokens.empty());
}

TEST_CASE("beam_search: scores divide by tokens and end, the larger alpha prefers the longer") {
  const beam_options defaults;
  CHECK(defaults.score(-6, 3) == -2);
  beam_options wu;
  wu.penalty = length_penalty::wu;
  wu.alpha = 0.6;
  CHECK(std::abs(wu.score(-6, 7) + 6 / std::pow(2, 0.6)) < 1e-15);
  const table of{{{}, {0, 0.5, 0, 0.5, 0}}, {{3}, {0, 0, 0, 0.8, 0}}, {{3, 3}, {0, 0.8, 0, 0.2, 0}}};
  beam_options options;
  options.min_length = 0;
  options.beams = 2;
  options.alpha = 0;
  CHECK(search(of, options, 5)[0].tokens.empty());
  options.alpha = 1;
  CHECK(search(of, options, 5)[0].tokens == tokens{3, 3});
}

TEST_CASE("beam_search: goes on past B finished translations as long as a beam can win") {
  // The good translation has three tokens; two bad ones end before.
  const table of{
      {{}, {0, 0, 0, 0.9, 0.1}}, {{3}, {0, 0.02, 0, 0.98, 0}}, {{4}, {0, 1, 0, 0, 0}}, {{3, 3}, {0, 0.01, 0, 0.99, 0}}};
  beam_options options;
  options.beams = 2;
  const auto decided = search(of, options, 5);
  REQUIRE(decided.size() == 2);
  CHECK(decided[0].tokens == tokens{3, 3, 3});
  options.stops_when_full = true;
  const auto full = search(of, options, 5);
  REQUIRE(full.size() == 2);
  CHECK(full[0].tokens == tokens{4});
  CHECK(full[1].tokens == tokens{3, 3});
}

TEST_CASE("beam_search: the end is forced after max_length tokens and forbidden before min_length") {
  const table endless{{{}, {0, 0.9, 0, 0.1, 0}}, {{3}, {0, 0.01, 0, 0.99, 0}}, {{3, 3}, {0, 0.01, 0, 0.99, 0}}};
  beam_options options;
  options.beams = 1;
  CHECK(search(endless, options, 2)[0].tokens == tokens{3, 3});
  CHECK(std::abs(search(endless, options, 2)[0].log_probability - std::log(0.1 * 0.99 * 0.01)) < 1e-9);
  CHECK(search(endless, options, 0)[0].tokens.empty());
  options.min_length = 0;
  CHECK(search(endless, options, 2)[0].tokens.empty());
}

TEST_CASE("beam_search: padding is no candidate, nor is what is not a number") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  beam_options options;
  options.beams = 2;
  const auto found = search({{{}, {0.9, 0, 0, 0.05, 0.05}}}, options, 3);
  REQUIRE(found.size() == 2);
  CHECK(found[0].tokens == tokens{3});
  CHECK(found[1].tokens == tokens{4});
  CHECK(search({{{}, {none, none, none, none, none}}}, options, 3).empty());
}

TEST_CASE("beam_options: validate names the field") {
  beam_options options;
  options.beams = 0;
  CHECK_THROWS_WITH(beam_search({1}, {}, options), contains_text("beams is 0; expected at least 1"));
}
