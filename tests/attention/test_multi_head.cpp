// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "support/attention_case.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

std::vector<std::uint8_t> random_mask(random_numbers& random, index_t n) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(n));
  for (auto& m : mask) m = random.index(3) != 0 ? 1 : 0;
  return mask;
}

reference::attention_problem problem_of(const inhibitor_options& o) {
  reference::attention_problem p;
  p.aggregate = o.is_signed ? reference::aggregation::signed_relu : reference::aggregation::unsigned_relu;
  p.center = o.center == centering::none            ? reference::centered::no
             : o.center == centering::attended_keys ? reference::centered::attended_keys
                                                   : reference::centered::all_keys;
  p.normalize_by_length = o.normalize_by_length;
  return p;
}

reference::attention_problem dot_product_problem() {
  reference::attention_problem p;
  p.score = reference::scoring::dot_product;
  p.aggregate = reference::aggregation::softmax;
  return p;
}

template <class R, class E>
void compare(const R& actual, const E& expected, double bound) {
  CHECK(largest_difference(actual.out, expected.out) <= bound);
  CHECK(largest_difference(actual.dq, expected.dq) <= bound);
  CHECK(largest_difference(actual.dk, expected.dk) <= bound);
  CHECK(largest_difference(actual.dv, expected.dv) <= bound);
  CHECK(largest_difference(actual.dscalars, expected.dscalars) <= bound * 10);
}

}  // namespace

TEST_CASE("multi_head_attention: inhibitor agrees with the reference for every option and mask", "[attention]") {
  const auto center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const bool is_signed = GENERATE(true, false), causal = GENERATE(false, true), masked = GENERATE(false, true);
  inhibitor_options options;
  options.center = center;
  options.is_signed = is_signed;
  options.normalize_by_length = causal;
  random_numbers random(21);
  for (const auto& lengths : {std::pair<index_t, index_t>{13, 13}, {3, 21}, {21, 6}}) {
    attention_case<double> c;
    c.shape = {2, 3, lengths.first, lengths.second, 5, 7};
    c.causal = causal;
    c.offset = 1;
    c.gap = is_signed ? 2 : 0;
    c.order = masked ? layout::bhld : layout::blhd;
    if (masked) c.key_mask = random_mask(random, 2 * lengths.second);
    if (masked) std::fill_n(c.key_mask.begin(), lengths.second, std::uint8_t{0});  // batch item 0 attends to nothing
    c.fill(random, false);
    if (center == centering::none) {
      for (auto& s : c.shift) s -= 1.5;
    }
    INFO(c.text());
    const auto expected = c.expected(problem_of(options));
    CHECK(largest_magnitude(expected.out) > 0);
    compare(c.run(c.inhibitor(options)), expected, 1e-12);
  }
}

TEST_CASE("multi_head_attention: dot product agrees with the reference for every mask", "[attention]") {
  const bool causal = GENERATE(false, true), masked = GENERATE(false, true);
  random_numbers random(22);
  for (const auto& lengths : {std::pair<index_t, index_t>{13, 13}, {3, 21}, {21, 6}}) {
    attention_case<double> c;
    c.shape = {2, 3, lengths.first, lengths.second, 5, 7};
    c.causal = causal;
    if (masked) c.key_mask = random_mask(random, 2 * lengths.second);
    if (masked) std::fill_n(c.key_mask.begin(), lengths.second, std::uint8_t{0});
    c.fill(random, false);
    INFO(c.text());
    compare(c.run(dot_product_attention<double>{}), c.expected(dot_product_problem()), 1e-12);
  }
}

TEST_CASE("multi_head_attention: float at the size of a model", "[attention]") {
  random_numbers random(23);
  attention_case<float> c;
  c.shape = {1, 2, 96, 160, 64, 64};
  c.key_mask = random_mask(random, 160);
  c.fill(random, false);
  const auto expected = c.expected(problem_of({}));
  CHECK(largest_difference(c.run(c.inhibitor({})).out, expected.out) <= 2e-5 * largest_magnitude(expected.out));
  const auto dot = c.expected(dot_product_problem());
  const auto actual = c.run(dot_product_attention<float>{});
  CHECK(largest_difference(actual.out, dot.out) <= 2e-5 * largest_magnitude(dot.out));
  CHECK(largest_difference(actual.dq, dot.dq) <= 2e-5 * largest_magnitude(dot.dq));
  CHECK(largest_difference(actual.dk, dot.dk) <= 2e-5 * largest_magnitude(dot.dk));
  CHECK(largest_difference(actual.dv, dot.dv) <= 2e-5 * largest_magnitude(dot.dv));
}

TEST_CASE("multi_head_attention: the same bits for 1 to 8 workers", "[attention]") {
  random_numbers random(24);
  attention_case<float> c;
  c.shape = {3, 4, 37, 41, 19, 21};
  c.key_mask = random_mask(random, 3 * 41);
  c.fill(random, false);
  const auto one = c.run(c.inhibitor({}));
  for (index_t workers = 2; workers <= 8; ++workers) {
    const auto many = c.run(c.inhibitor({}), thread_executor(workers));
    CHECK(many.out == one.out);
    CHECK(many.dq == one.dq);
    CHECK(many.dk == one.dk);
    CHECK(many.dv == one.dv);
    CHECK(many.dscalars == one.dscalars);
  }
}

TEST_CASE("multi_head_attention: padding and what it holds change no bit", "[attention]") {
  const bool causal = GENERATE(false, true);
  random_numbers random(25);
  attention_case<float> c;
  c.shape = {1, 2, 9, 23, 6, 5};
  c.causal = causal;
  c.fill(random, false);
  const auto plain = c.run(c.inhibitor({}));
  const auto plain_dot = c.run(dot_product_attention<float>{});
  // The same keys with padding in front that is not a number.
  attention_case<float> padded = c;
  constexpr index_t extra = 8;
  padded.shape.keys += extra;
  padded.key_mask.assign(23 + extra, 1);
  std::fill_n(padded.key_mask.begin(), extra, std::uint8_t{0});
  padded.k.insert(padded.k.begin(), extra * 2 * 6, std::numeric_limits<float>::quiet_NaN());
  padded.v.insert(padded.v.begin(), extra * 2 * 5, std::numeric_limits<float>::quiet_NaN());
  const auto with_padding = padded.run(padded.inhibitor({}));
  CHECK(with_padding.out == plain.out);
  CHECK(with_padding.dq == plain.dq);
  CHECK(with_padding.dscalars == plain.dscalars);
  CHECK(padded.run(dot_product_attention<float>{}).out == plain_dot.out);
  const auto tail = [](const std::vector<double>& x, index_t rows, index_t width) {  // rows after the padding, per head
    std::vector<double> y;
    for (index_t h = 0; h < 2; ++h) {
      const auto end = x.begin() + (h + 1) * rows * width;
      y.insert(y.end(), end - 23 * width, end);
    }
    return y;
  };
  CHECK(tail(with_padding.dk, 23 + extra, 6) == plain.dk);
  CHECK(tail(with_padding.dv, 23 + extra, 5) == plain.dv);
}

TEST_CASE("multi_head_attention_backward: adds to the gradients", "[attention]") {
  random_numbers random(26);
  attention_case<double> c;
  c.shape = {2, 2, 7, 9, 4, 3};
  c.key_mask = random_mask(random, 18);
  c.fill(random, false);
  auto expected = c.run(c.inhibitor({}));
  const auto added = c.run(c.inhibitor({}), {}, 16.0);
  for (auto* x : {&expected.dq, &expected.dk, &expected.dv, &expected.dscalars}) {
    for (double& value : *x) value += 16.0;
  }
  compare(added, expected, 1e-13);
}

TEST_CASE("trap 20: a query that sees no key gives zeros, no NaN and no gradients", "[attention]") {
  random_numbers random(28);
  attention_case<double> c;
  c.shape = {2, 2, 3, 4, 5, 6};
  c.fill(random, false);
  c.key_mask.assign(2 * 4, 1);
  std::fill_n(c.key_mask.begin(), 4, std::uint8_t{0});  // the first batch entry sees nothing
  const auto first_half = [](const std::vector<double>& x) {
    return std::vector<double>(x.begin(), x.begin() + static_cast<index_t>(x.size() / 2));
  };
  for (const auto& r : {c.run(c.inhibitor({})), c.run(dot_product_attention<double>{})}) {
    for (const auto* x : {&r.out, &r.dq, &r.dk, &r.dv}) {
      CHECK(largest_magnitude(first_half(*x)) == 0);
      CHECK(largest_magnitude(*x) > 0);
    }
  }
}

TEST_CASE("multi_head_attention: empty extents", "[attention]") {
  random_numbers random(27);
  attention_case<double> c;
  SECTION("no keys: zeros and no gradients") {
    c.shape = {2, 2, 3, 0, 4, 5};
    c.fill(random, false);
    for (const auto& r : {c.run(c.inhibitor({})), c.run(dot_product_attention<double>{})}) {
      CHECK(r.out == std::vector<double>(2 * 2 * 3 * 5, 0.0));
      CHECK(largest_magnitude(r.dq) == 0);
    }
  }
  SECTION("no queries") {
    c.shape = {2, 2, 0, 3, 4, 5};
    c.fill(random, false);
    CHECK(largest_magnitude(c.run(c.inhibitor({})).dk) == 0);
  }
  SECTION("no values") {
    c.shape = {1, 2, 3, 4, 5, 0};
    c.fill(random, false);
    CHECK(largest_magnitude(c.run(c.inhibitor({})).dq) == 0);
    CHECK(largest_magnitude(c.run(dot_product_attention<double>{}).dk) == 0);
  }
  SECTION("no heads, no pointers") {
    attention_workspace workspace;
    multi_head_attention_forward<float>({}, {}, {}, {}, {0, 0, 0, 0, 4, 4}, {}, dot_product_attention<float>{},
                                        workspace, {});
    multi_head_attention_forward<float>({}, {}, {}, {}, {2, 2, 0, 0, 4, 4}, {}, dot_product_attention<float>{},
                                        workspace, {});
  }
}

TEST_CASE("multi_head_attention: refuses shapes and pointers that mean nothing", "[attention]") {
  attention_workspace workspace;
  std::vector<float> x(64);
  const heads_view<float> view{x.data(), 0, 4, 4};
  const auto forward = [&](const attention_shape& shape, const heads_view<float>& q) {
    multi_head_attention_forward<float>(view, q, view, view, shape, {}, dot_product_attention<float>{}, workspace, {});
  };
  CHECK_THROWS_AS(forward({1, 1, -1, 1, 4, 4}, view), std::invalid_argument);
  CHECK_THROWS_AS(forward({1, 1, 1, 1, 0, 4}, view), std::invalid_argument);
  CHECK_THROWS_AS(forward({1, 1, 1, 1, 4, 4}, {}), std::invalid_argument);
  CHECK_THROWS_AS(multi_head_attention_forward<float>(view, view, view, view, {1, 1, 1, 1, 4, 4}, {},
                                                      inhibitor_attention<float>{}, workspace, {}),
                  std::invalid_argument);
  CHECK_NOTHROW(forward({1, 1, 1, 1, 4, 4}, view));
}

TEST_CASE("attention_workspace: stops growing, and stays within a tile of scores", "[attention]") {
  random_numbers random(28);
  attention_workspace workspace;
  constexpr index_t L = 512, S = 512, D = 64;
  auto q = random.numbers<float>(L * D), k = random.numbers<float>(S * D), v = random.numbers<float>(S * D);
  std::vector<float> out(L * D);
  const auto view = [](std::vector<float>& x) { return heads_view<float>{x.data(), 0, D, 0}; };
  const auto forward = [&](index_t rows) {
    multi_head_attention_forward<float>(view(out), view(q), view(k), view(v), {1, 1, rows, rows, D, D}, {},
                                        dot_product_attention<float>{}, workspace, {});
  };
  forward(L);
  const index_t size = workspace.size();
  CHECK(size <= static_cast<index_t>(sizeof(float)) * (64 * S + 2 * S * D + 4 * 64 * D) + 16 * (L + S));
  forward(100);
  forward(L);
  CHECK(workspace.size() == size);
}
