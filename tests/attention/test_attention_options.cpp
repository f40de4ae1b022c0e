// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/options_case.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

template <class T>
std::vector<double> doubles(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

template <class T>
void check_against_reference(const options_case<T>& c, double bound) {
  INFO(c.text());
  const auto actual = c.run();
  const auto expected = c.expected();
  CHECK(largest_difference(doubles(actual.out), expected.out) <= bound);
  CHECK(largest_difference(doubles(actual.dq), expected.dq) <= bound);
  CHECK(largest_difference(doubles(actual.dk), expected.dk) <= bound);
  CHECK(largest_difference(doubles(actual.dv), expected.dv) <= bound);
  CHECK(largest_difference(doubles(actual.dscalars), expected.dscalars) <= 10 * bound);
}

/// A case of 2 sequences, 6 heads in 3 groups, more keys than a register of floats has lanes.
template <class T>
options_case<T> some_case(index_t queries = 13, index_t keys = 21) {
  options_case<T> c;
  c.shape.batch = 2;
  c.shape.heads = 6;
  c.shape.kv_heads = 3;
  c.shape.queries = queries;
  c.shape.keys = keys;
  c.shape.head_size = 5;
  c.shape.value_size = 7;
  return c;
}

/// Every element of the rows of query i of sequence b in an array (rows, H, width).
template <class T>
bool row_is(const options_case<T>& c, const std::vector<T>& x, index_t b, index_t i, index_t width, double value) {
  const auto begin = x.begin() + (c.first_query(b) + i) * c.shape.heads * width;
  return std::all_of(begin, begin + c.shape.heads * width, [&](T e) { return static_cast<double>(e) == value; });
}

}  // namespace

TEST_CASE("multi_head_attention: grouped key/value heads agree with the reference", "[attention]") {
  const index_t kv_heads = GENERATE(1, 2, 3, 6);
  const bool dot_product = GENERATE(false, true), masked = GENERATE(false, true);
  random_numbers random(41);
  auto c = some_case<double>();
  c.shape.kv_heads = kv_heads;
  c.dot_product = dot_product;
  c.causal = masked;
  c.fill(random, masked, false, false, false);
  check_against_reference(c, 1e-12);
}

TEST_CASE("multi_head_attention: a boolean mask agrees with the reference for every option", "[attention]") {
  const auto center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const bool is_signed = GENERATE(true, false), causal = GENERATE(false, true), key_mask = GENERATE(false, true);
  random_numbers random(42);
  for (const auto& lengths : {std::pair<index_t, index_t>{13, 13}, {3, 45}, {70, 6}}) {
    auto c = some_case<double>(lengths.first, lengths.second);
    c.options.center = center;
    c.options.is_signed = is_signed;
    c.options.normalize_by_length = causal;
    c.options.skip_inhibited = key_mask;
    c.shared_mask = !is_signed;
    c.causal = causal;
    c.fill(random, key_mask, true, false, false);
    check_against_reference(c, 1e-12);
  }
}

TEST_CASE("multi_head_attention: a boolean mask on the dot product agrees with the reference", "[attention]") {
  const bool causal = GENERATE(false, true), key_mask = GENERATE(false, true);
  random_numbers random(43);
  auto c = some_case<double>(19, 37);
  c.dot_product = true;
  c.causal = causal;
  c.fill(random, key_mask, true, false, false);
  check_against_reference(c, 1e-12);
}

TEST_CASE("multi_head_attention: a query whose mask hides every key gives zeros and zero gradients", "[attention]") {
  const bool dot_product = GENERATE(false, true);
  const auto center = GENERATE(centering::attended_keys, centering::all_keys);
  random_numbers random(44);
  auto c = some_case<float>();
  c.dot_product = dot_product;
  c.options.center = center;
  c.shared_mask = true;
  c.fill(random, false, true, false, false);  // query 1
  const auto r = c.run();
  for (index_t b = 0; b < 2; ++b) {
    CHECK(row_is(c, r.out, b, 1, 7, 0));
    CHECK(row_is(c, r.dq, b, 1, 5, 0));
    CHECK_FALSE(row_is(c, r.out, b, 2, 7, 0));
  }
}

TEST_CASE("multi_head_attention: a boolean mask with the pattern of the others gives their result", "[attention]") {
  const bool dot_product = GENERATE(false, true);
  random_numbers random(45);
  auto c = some_case<double>(17, 17);
  c.dot_product = dot_product;
  c.causal = true;
  c.fill(random, true, false, false, false);
  const auto plain = c.run();
  auto masked = c;
  for (index_t b = 0; b < 2; ++b) {
    for (index_t i = 0; i < 17; ++i) {
      for (index_t j = 0; j < 17; ++j) masked.attend.push_back(c.attends(b, i, j) ? 1 : 0);
    }
  }
  masked.causal = false;
  masked.key_mask.clear();
  const auto r = masked.run();
  CHECK(largest_difference(doubles(r.out), doubles(plain.out)) <= 1e-13);
  CHECK(largest_difference(doubles(r.dq), doubles(plain.dq)) <= 1e-13);
  CHECK(largest_difference(doubles(r.dk), doubles(plain.dk)) <= 1e-13);
  CHECK(largest_difference(doubles(r.dv), doubles(plain.dv)) <= 1e-13);
}

TEST_CASE("multi_head_attention: what a boolean mask hides changes no bit", "[attention]") {
  const bool dot_product = GENERATE(false, true);
  random_numbers random(46);
  auto c = some_case<float>();
  c.dot_product = dot_product;
  c.fill(random, false, true, false, false);
  // Key 3 is hidden from every query of both sequences, key 5 from query 0 of the first alone.
  for (index_t row = 0; row < 2 * 13; ++row) c.attend[static_cast<std::size_t>(row * 21 + 3)] = 0;
  c.attend[5] = 0;
  const auto r = c.run();
  auto other = c;
  for (index_t x = 0; x < 3 * 7; ++x) {
    for (index_t b = 0; b < 2; ++b) {
      other.v[static_cast<std::size_t>((b * 21 + 3) * 3 * 7 + x)] = std::numeric_limits<float>::quiet_NaN();
    }
    other.v[static_cast<std::size_t>(5 * 3 * 7 + x)] = 1e6F;
  }
  for (index_t x = 0; x < 3 * 5; ++x) {
    other.k[static_cast<std::size_t>(3 * 3 * 5 + x)] = std::numeric_limits<float>::infinity();
    other.k[static_cast<std::size_t>(5 * 3 * 5 + x)] = -1e6F;
  }
  const auto hidden = other.run();
  const auto first_row = [](const std::vector<float>& x, index_t n) {
    return std::vector<float>(x.begin(), x.begin() + n);
  };
  CHECK(first_row(hidden.out, 6 * 7) == first_row(r.out, 6 * 7));
  CHECK(first_row(hidden.dq, 6 * 5) == first_row(r.dq, 6 * 5));
  CHECK(std::none_of(hidden.out.begin(), hidden.out.end(), [](float x) { return x != x; }));
}

TEST_CASE("multi_head_attention: packed sequences agree with the reference", "[attention]") {
  const bool dot_product = GENERATE(false, true), causal = GENERATE(false, true), masked = GENERATE(false, true);
  const bool queries = GENERATE(true, false), keys = GENERATE(true, false);
  random_numbers random(47);
  auto c = some_case<double>(9, 12);
  c.shape.batch = 5;
  c.dot_product = dot_product;
  c.causal = causal;
  c.fill(random, masked, masked, queries, keys);
  check_against_reference(c, 1e-12);
}

TEST_CASE("multi_head_attention: a packed batch has the bits of its sequences alone", "[attention]") {
  const bool causal = GENERATE(false, true);
  random_numbers random(48);
  auto c = some_case<float>(40, 50);
  c.shape.batch = 4;
  c.causal = causal;
  c.fill(random, false, false, true, true);
  const auto all = c.run();
  for (index_t b = 0; b < 4; ++b) {
    auto one = c;
    one.shape.batch = 1;
    one.shape.queries = c.queries_of(b);
    one.shape.keys = c.keys_of(b);
    one.query_starts.clear();
    one.key_starts.clear();
    const auto part = [](const std::vector<float>& x, index_t first, index_t n) {
      return std::vector<float>(x.begin() + first, x.begin() + first + n);
    };
    const index_t L = c.queries_of(b), S = c.keys_of(b), q0 = c.first_query(b), k0 = c.first_key(b);
    one.q = part(c.q, q0 * 30, L * 30 + 1);
    one.k = part(c.k, k0 * 15, S * 15 + 1);
    one.v = part(c.v, k0 * 21, S * 21 + 1);
    one.dout = part(c.dout, q0 * 42, L * 42 + 1);
    const auto r = one.run();
    CHECK(part(r.out, 0, L * 42) == part(all.out, q0 * 42, L * 42));
    CHECK(part(r.dq, 0, L * 30) == part(all.dq, q0 * 30, L * 30));
    CHECK(part(r.dk, 0, S * 15) == part(all.dk, k0 * 15, S * 15));
    CHECK(part(r.dv, 0, S * 21) == part(all.dv, k0 * 21, S * 21));
  }
}

TEST_CASE("multi_head_attention: row ranges compute those rows alone, as the whole call does", "[attention]") {
  const bool causal = GENERATE(false, true), masked = GENERATE(false, true), packed = GENERATE(false, true);
  random_numbers random(49);
  auto c = some_case<double>(30, 33);
  c.causal = causal;
  c.fill(random, masked, masked, packed, packed);
  for (const auto& range : {row_range{0, 11}, {11, 29}, {29, PTRDIFF_MAX}, {-3, 2}, {50, 60}, {20, 10}}) {
    c.shape.rows = range;
    check_against_reference(c, 1e-12);
  }
}

TEST_CASE("multi_head_attention: row ranges give the bits of the whole call", "[attention]") {
  const bool masked = GENERATE(false, true);
  random_numbers random(50);
  auto c = some_case<float>(70, 33);
  c.causal = !masked;
  c.fill(random, masked, masked, false, false);
  const auto whole = c.run();
  auto pieces = whole.out;
  std::fill(pieces.begin(), pieces.end(), 0.0F);
  const index_t cuts[] = {0, 4, 32, 48, 70};  // register tiles start at multiples of four in every piece
  for (int piece = 0; piece < 4; ++piece) {
    c.shape.rows = {cuts[piece], cuts[piece + 1]};
    const auto r = c.run();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (r.out[i] != 77.0F) pieces[i] = r.out[i];
    }
  }
  pieces.back() = 77.0F;
  CHECK(pieces == whole.out);
}

TEST_CASE("multi_head_attention: everything at once has the same bits for 1 to 8 workers", "[attention]") {
  random_numbers random(51);
  auto c = some_case<float>(37, 41);
  c.shape.batch = 3;
  c.shape.rows = {2, 35};
  c.causal = true;
  c.fill(random, true, true, true, true);
  const auto one = c.run();
  for (index_t workers = 2; workers <= 8; ++workers) CHECK(c.run(thread_executor(workers)) == one);
}

TEST_CASE("multi_head_attention: random combinations agree with the reference", "[attention]") {
  random_numbers random(52);
  for (int n = 0; n < 150; ++n) {
    options_case<double> c;
    c.shape.batch = random.index(4);
    c.shape.kv_heads = 1 + random.index(3);
    c.shape.heads = c.shape.kv_heads * (1 + random.index(3));
    c.shape.queries = random.index(20);
    c.shape.keys = random.index(40);
    c.shape.head_size = 1 + random.index(20);
    c.shape.value_size = random.index(20);
    if (random.index(2) == 0) c.shape.rows = {random.index(5), random.index(20)};
    c.dot_product = random.index(3) == 0;
    c.causal = random.index(2) == 0;
    c.shared_mask = random.index(2) == 0;
    c.options.center = static_cast<centering>(random.index(3));
    c.options.is_signed = random.index(2) == 0;
    c.options.normalize_by_length = random.index(2) == 0;
    c.options.skip_inhibited = random.index(2) == 0;
    const bool key_mask = random.index(2) == 0, mask = random.index(2) == 0;
    c.fill(random, key_mask, mask, random.index(2) == 0, random.index(2) == 0);
    check_against_reference(c, 1e-11);
  }
}
