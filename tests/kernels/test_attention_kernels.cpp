// SPDX-License-Identifier: Apache-2.0
// The float kernels of one head against the scalar reference, every pair of policies, on the instruction set of this
// file's compiler flags; other sets run what is compiled into programs, under the public calls.
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/attention/backward.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/catch.hpp"
#include "support/guarded_buffer.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using Isa = best_isa;

template <class Score>
constexpr reference::scoring scoring_of =
    std::is_same_v<Score, kernels::dot_product> ? reference::scoring::dot_product : reference::scoring::manhattan;
template <class Aggregate>
constexpr reference::aggregation aggregation_of =
    std::is_same_v<Aggregate, kernels::softmax>         ? reference::aggregation::softmax
    : std::is_same_v<Aggregate, kernels::unsigned_relu> ? reference::aggregation::unsigned_relu
                                                        : reference::aggregation::signed_relu;

template <class S, class A>
struct policies {
  using score = S;
  using aggregate = A;
};
// The product, the baseline, and the pairs that nobody wrote a loop for.
using all_policies =
    std::tuple<policies<kernels::manhattan_by_max, kernels::signed_relu>,
               policies<kernels::manhattan_by_max, kernels::unsigned_relu>,
               policies<kernels::manhattan_by_difference, kernels::signed_relu>,
               policies<kernels::manhattan_by_max, kernels::softmax>, policies<kernels::dot_product, kernels::softmax>,
               policies<kernels::dot_product, kernels::signed_relu>>;

struct head_case {
  index_t L, S, D, Dv;
  bool causal = false;
  bool center = true;
  bool normalize = false;
};

template <class T>
struct head_results {
  std::vector<T> out, dq, dk, dv;
  kernels::option_gradients<T> d;
};

/// Runs forward and backward of one head on contiguous arrays.
template <class T, class P>
head_results<T> run_head(const head_case& c, const std::vector<T>& q, const std::vector<T>& k, const std::vector<T>& v,
                         const std::vector<T>& g, const kernels::weight_options<T>& options) {
  using score = typename P::score;
  using aggregate = typename P::aggregate;
  std::vector<index_t> limits(static_cast<std::size_t>(c.L));
  for (index_t i = 0; i < c.L; ++i) {
    const index_t causal = i + c.S - c.L + 1;
    limits[static_cast<std::size_t>(i)] = !c.causal ? c.S : causal < 0 ? 0 : causal;
  }
  kernels::head_inputs<T> in{};
  in.q = q.data();
  in.k = k.data();
  in.v = v.data();
  in.q_stride = in.k_stride = c.D;
  in.v_stride = c.Dv;
  in.queries = c.L;
  in.head_size = c.D;
  in.value_size = c.Dv;
  in.scored = in.attended = c.S;
  in.limits = limits.data();
  const kernels::forward_scratch<Isa, T> forward(nullptr, c.L, c.S, c.D, c.Dv);
  const kernels::backward_scratch<Isa, T, aggregate> backward(nullptr, c.L, c.S, c.D, c.Dv);
  aligned_buffer<T> memory(std::max(forward.size, backward.size));
  for (T& x : memory) x = std::numeric_limits<T>::quiet_NaN();  // nothing may be read before it is written
  head_results<T> r;
  const auto n = [](index_t rows, index_t width) { return static_cast<std::size_t>(rows * width); };
  r.out.assign(n(c.L, c.Dv), T(55));
  r.dq.assign(n(c.L, c.D), T(0));
  r.dk.assign(n(c.S, c.D), T(0));
  r.dv.assign(n(c.S, c.Dv), T(0));
  kernels::attention_forward<Isa, T, score, aggregate>(r.out.data(), c.Dv, in, options, memory.data());
  for (T& x : memory) x = std::numeric_limits<T>::quiet_NaN();
  const kernels::head_gradients<T> out{r.dq.data(), c.D, r.dk.data(), c.D, r.dv.data(), c.Dv};
  r.d = kernels::attention_backward<Isa, T, score, aggregate>(out, g.data(), c.Dv, in, options, memory.data());
  return r;
}

template <class T, class P>
void compare_with_reference(const head_case& c, random_numbers& random) {
  const auto q = random.numbers<T>(c.L * c.D), k = random.numbers<T>(c.S * c.D), v = random.numbers<T>(c.S * c.Dv);
  const auto g = random.numbers<T>(c.L * c.Dv);
  const bool softmax = std::is_same_v<typename P::aggregate, kernels::softmax>;
  // A negative scale makes near keys heavy under exp; uncentered scores are all positive and need a negative shift.
  const double gamma = softmax && scoring_of<typename P::score> == reference::scoring::manhattan ? -0.8 : 0.8;
  const double shift = c.center ? 0.4 : 0.3 - gamma * 0.6 * std::sqrt(static_cast<double>(c.D));
  kernels::weight_options<T> options = kernels::plain_weights<T>();
  options.scale = static_cast<T>(gamma / std::sqrt(static_cast<double>(c.D)));
  options.shift = static_cast<T>(shift);
  options.output_scale = T(1.5);
  options.center = c.center && !softmax;
  options.normalize_by_length = c.normalize && !softmax;
  const auto actual = run_head<T, P>(c, q, k, v, g, options);

  reference::attention_problem p;
  p.queries = c.L;
  p.keys = c.S;
  p.head_size = c.D;
  p.value_size = c.Dv;
  p.score = scoring_of<typename P::score>;
  p.aggregate = aggregation_of<typename P::aggregate>;
  p.center = options.center ? reference::centered::attended_keys : reference::centered::no;
  p.normalize_by_length = options.normalize_by_length;
  std::vector<std::uint8_t> attend(static_cast<std::size_t>(c.L * c.S), 1);
  for (index_t i = 0; i < c.L && c.causal; ++i) {
    for (index_t j = 0; j < c.S; ++j) attend[static_cast<std::size_t>(i * c.S + j)] = j <= i + c.S - c.L;
  }
  p.attend = attend.data();
  const std::vector<double> qd(q.begin(), q.end()), kd(k.begin(), k.end()), vd(v.begin(), v.end()),
      gd(g.begin(), g.end());
  const double root = std::sqrt(static_cast<double>(c.D));
  const reference::attention_scalars<double> scalars{static_cast<double>(options.scale) * root,
                                                     static_cast<double>(options.shift), 1.5};
  std::vector<double> out(actual.out.size()), dq(q.size()), dk(k.size()), dv(v.size());
  reference::attention_scalars<double> ds{0, 0, 0};
  reference::attention_forward(out.data(), qd.data(), kd.data(), vd.data(), scalars, p);
  reference::attention_backward(dq.data(), dk.data(), dv.data(), ds, gd.data(), qd.data(), kd.data(), vd.data(),
                                scalars, p);
  INFO("L " << c.L << " S " << c.S << " D " << c.D << " Dv " << c.Dv << " causal " << c.causal);
  // |v| <= 1 and thresholds that move by D eps: sums over S keys. Measured errors are 20 to 100 times smaller.
  const double forward = reduction<T>(c.S + c.D, static_cast<double>(c.S));
  CHECK(largest_difference(actual.out, out) <= forward);
  if constexpr (std::is_same_v<T, double>) {  // in float a value may fall on the other side of its threshold
    const double backward = reduction<T>(c.L + c.S + c.D + c.Dv, static_cast<double>((c.L + c.S) * (c.Dv + c.D)));
    CHECK(largest_difference(actual.dq, dq) <= backward);
    CHECK(largest_difference(actual.dk, dk) <= backward);
    CHECK(largest_difference(actual.dv, dv) <= backward);
    if (!softmax) {
      CHECK(std::abs(actual.d.shift - ds.shift) <= backward * static_cast<double>(c.L));
      CHECK(std::abs(actual.d.output_scale - ds.output_scale) <= backward * static_cast<double>(c.L));
    }
    CHECK(std::abs(actual.d.scale / root - ds.score_scale) <= backward * static_cast<double>(c.L));
  }
}

template <class T>
std::vector<index_t> lengths() {
  constexpr index_t N = lanes<Isa, T>;
  return {0, 1, 3, 7, N - 1, N, N + 1, 2 * N - 1, 2 * N, 3 * N + 1, 4 * N, 4 * N + 3};
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("attention kernels: any number of keys and queries, every policy pair", "[kernels]",
                        all_policies) {
  random_numbers random(11);
  for (const index_t S : lengths<double>()) {
    for (const index_t L : {index_t{1}, index_t{4}, index_t{7}}) {
      for (const bool causal : {false, true}) compare_with_reference<double, TestType>({L, S, 5, 3, causal}, random);
    }
  }
  for (const index_t S : lengths<float>()) compare_with_reference<float, TestType>({6, S, 9, 5}, random);
  for (const index_t L : {index_t{0}, index_t{2}, index_t{64}, index_t{67}, index_t{131}}) {
    compare_with_reference<double, TestType>({L, 9, 4, 4, true}, random);
  }
}

TEMPLATE_LIST_TEST_CASE("attention kernels: any head size and value size, every policy pair", "[kernels]",
                        all_policies) {
  random_numbers random(12);
  for (const index_t width : lengths<double>()) {
    const index_t D = width > 0 ? width : 1;
    compare_with_reference<double, TestType>({5, 11, D, 6, false, false}, random);
    compare_with_reference<double, TestType>({5, 11, 6, width, true, true, true}, random);
  }
  for (const index_t width : lengths<float>()) {
    compare_with_reference<float, TestType>({5, 21, width > 0 ? width : 1, width + 1, true}, random);
  }
}

TEMPLATE_LIST_TEST_CASE("attention kernels: several key blocks and query tiles", "[kernels]", all_policies) {
  random_numbers random(13);
  compare_with_reference<float, TestType>({70, 300, 32, 80}, random);
  compare_with_reference<double, TestType>({70, 300, 16, 70, true}, random);
  // Rows of scores for which a tile holds fewer than 64 queries, packed data beyond the level-2 cache.
  compare_with_reference<double, TestType>({35, 4500, 16, 17, true}, random);
}

TEST_CASE("attention kernels: gradients in float where nothing rounds", "[kernels]") {
  // Numbers on a grid of quarters, D = 16, powers of two everywhere: distances, thresholds and comparisons are exact
  // and full of ties, so float must decide every tie as the reference does.
  using P = policies<kernels::manhattan_by_max, kernels::signed_relu>;
  random_numbers random(14);
  const head_case c{33, 37, 16, 19, true, false};
  const auto q = random.grid<float>(c.L * c.D), k = random.grid<float>(c.S * c.D), v = random.grid<float>(c.S * c.Dv);
  const auto g = random.grid<float>(c.L * c.Dv);
  kernels::weight_options<float> options = kernels::plain_weights<float>();
  options.scale = 0.25F;
  options.shift = -2.0F;
  options.output_scale = 2.0F;
  const auto actual = run_head<float, P>(c, q, k, v, g, options);
  reference::attention_problem p;
  p.queries = c.L;
  p.keys = c.S;
  p.head_size = c.D;
  p.value_size = c.Dv;
  p.center = reference::centered::no;
  std::vector<std::uint8_t> attend(static_cast<std::size_t>(c.L * c.S));
  for (index_t i = 0; i < c.L; ++i) {
    for (index_t j = 0; j < c.S; ++j) attend[static_cast<std::size_t>(i * c.S + j)] = j <= i + c.S - c.L;
  }
  p.attend = attend.data();
  std::vector<float> out(actual.out.size()), dq(q.size()), dk(k.size()), dv(v.size());
  reference::attention_scalars<float> ds{0, 0, 0};
  reference::attention_forward(out.data(), q.data(), k.data(), v.data(), {1.0F, -2.0F, 2.0F}, p);
  reference::attention_backward(dq.data(), dk.data(), dv.data(), ds, g.data(), q.data(), k.data(), v.data(),
                                {1.0F, -2.0F, 2.0F}, p);
  CHECK(largest_magnitude(dq) > 0);
  CHECK(actual.out == out);
  CHECK(actual.dq == dq);
  CHECK(actual.dk == dk);
  CHECK(actual.dv == dv);
  CHECK(actual.d.shift == ds.shift);
  CHECK(actual.d.scale / 4 == ds.score_scale);
  CHECK(actual.d.output_scale == ds.output_scale);
}

TEMPLATE_TEST_CASE("score_tile: every lane its own key, equal vectors at distance 0", "[kernels]", float, double) {
  using T = TestType;
  constexpr index_t S = 4 * lanes<Isa, T> * 4 + 5, D = 7, L = 6;
  random_numbers random(15);
  // Key j is (j, ..., j): the distance to the zero query is D j, different in every lane.
  std::vector<T> k(S * D), q(L * D, T(0));
  for (index_t j = 0; j < S; ++j) std::fill_n(k.begin() + j * D, D, static_cast<T>(j));
  aligned_buffer<T> packed(kernels::packed_keys_size<Isa, T>(S, D)), sums(round_up(S, lanes<Isa, T>));
  const index_t pitch = round_up(S, lanes<Isa, T>);
  aligned_buffer<T> scores(L * pitch), q_sums(L);
  const auto run = [&](auto score) {
    kernels::pack_keys<Isa, T>(packed.data(), k.data(), D, nullptr, S, D);
    kernels::packed_key_sums<Isa, T>(sums.data(), packed.data(), S, D);
    kernels::row_sums<Isa, T>(q_sums.data(), q.data(), D, L, D);
    kernels::score_tile<Isa, T, decltype(score)>(
        scores.data(), pitch, {q.data(), D, q_sums.data(), sums.data(), packed.data(), S, D, 0}, L, S);
  };
  run(kernels::manhattan_by_max{});
  for (index_t i = 0; i < L; ++i) {
    for (index_t j = 0; j < S; ++j) CHECK(scores[i * pitch + j] == static_cast<T>(D * j));
  }
  // Numbers that round: a query equal to a key is at distance exactly 0, whichever form computes it.
  k = random.numbers<T>(S * D, -1000, 1000);
  for (index_t i = 0; i < L; ++i) std::copy_n(k.begin() + (i * 3) * D, D, q.begin() + i * D);
  run(kernels::manhattan_by_max{});
  for (index_t i = 0; i < L; ++i) CHECK(scores[i * pitch + i * 3] == T(0));
  run(kernels::manhattan_by_difference{});
  for (index_t i = 0; i < L; ++i) CHECK(scores[i * pitch + i * 3] == T(0));
}

TEST_CASE("attention kernels: an offset that queries and keys share costs no digits", "[kernels]") {
  using P = policies<kernels::manhattan_by_max, kernels::signed_relu>;
  const double offset = GENERATE(0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0);
  const auto signs = GENERATE(0, 1, 2);  // all features up, all down, each its own way
  const head_case c{37, 150, 64, 24};
  random_numbers random(19);
  auto q = random.numbers<float>(c.L * c.D, -1.7, 1.7), k = random.numbers<float>(c.S * c.D, -1.7, 1.7);
  const auto v = random.numbers<float>(c.S * c.Dv), g = random.numbers<float>(c.L * c.Dv);
  for (index_t x = 0; x < c.D; ++x) {
    const bool down = signs == 1 || (signs == 2 && random.index(2) == 1);
    for (auto* rows : {&q, &k}) {
      for (std::size_t i = static_cast<std::size_t>(x); i < rows->size(); i += static_cast<std::size_t>(c.D)) {
        (*rows)[i] = static_cast<float>((*rows)[i] + (down ? -offset : offset));
      }
    }
  }
  kernels::weight_options<float> options = kernels::plain_weights<float>();
  options.scale = 0.125F;
  options.shift = 0.25F;
  options.center = true;
  const auto actual = run_head<float, P>(c, q, k, v, g, options);

  reference::attention_problem p;
  p.queries = c.L;
  p.keys = c.S;
  p.head_size = c.D;
  p.value_size = c.Dv;
  const std::vector<double> qd(q.begin(), q.end()), kd(k.begin(), k.end()), vd(v.begin(), v.end());
  std::vector<double> out(actual.out.size());
  reference::attention_forward(out.data(), qd.data(), kd.data(), vd.data(), {1.0, 0.25, 1.0}, p);
  INFO("offset " << offset << " signs " << signs);
  CHECK(largest_difference(actual.out, out) <= 3e-6 * largest_magnitude(out));
  // The backward pass weighs as the forward pass did: out is linear in output_scale.
  double sum = 0, magnitude = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    sum += static_cast<double>(g[i]) * out[i];
    magnitude += std::abs(static_cast<double>(g[i]) * out[i]);
  }
  CHECK(std::abs(static_cast<double>(actual.d.output_scale) - sum) <= 3e-6 * magnitude);
}

TEST_CASE("attention kernels: a row near its keys does not depend on rows computed with it", "[kernels]") {
  using P = policies<kernels::manhattan_by_max, kernels::signed_relu>;
  const head_case c{11, 45, 16, 9};
  random_numbers random(20);
  auto q = random.numbers<float>(c.L * c.D), k = random.numbers<float>(c.S * c.D, 49, 51);
  for (const index_t row : {0, 1, 2, 3, 5, 10}) {  // a whole register tile, a part of one, a single row
    for (index_t x = 0; x < c.D; ++x) q[static_cast<std::size_t>(row * c.D + x)] += 50.0F;
  }
  const auto v = random.numbers<float>(c.S * c.Dv), g = random.numbers<float>(c.L * c.Dv);
  kernels::weight_options<float> options = kernels::plain_weights<float>();
  options.scale = 0.25F;
  options.center = true;
  const auto together = run_head<float, P>(c, q, k, v, g, options);
  for (index_t i = 0; i < c.L; ++i) {
    const std::vector<float> row(q.begin() + i * c.D, q.begin() + (i + 1) * c.D);
    const auto alone = run_head<float, P>({1, c.S, c.D, c.Dv}, row, k, v, g, options);
    INFO("row " << i);
    CHECK(std::equal(alone.out.begin(), alone.out.end(), together.out.begin() + i * c.Dv));
  }
}

TEMPLATE_TEST_CASE("attention kernels: full inhibition gives exactly 0, none gives the sum", "[kernels]", float,
                   double) {
  using T = TestType;
  const bool causal = GENERATE(false, true);
  const head_case c{13, 70, 8, 21, causal, false};
  random_numbers random(16);
  const auto q = random.numbers<T>(c.L * c.D), k = random.numbers<T>(c.S * c.D), v = random.numbers<T>(c.S * c.Dv);
  const auto g = random.numbers<T>(c.L * c.Dv);
  kernels::weight_options<T> options = kernels::plain_weights<T>();
  options.shift = T(1);  // |v| < 1
  const auto signed_form =
      run_head<T, policies<kernels::manhattan_by_max, kernels::signed_relu>>(c, q, k, v, g, options);
  const auto unsigned_form =
      run_head<T, policies<kernels::manhattan_by_max, kernels::unsigned_relu>>(c, q, k, v, g, options);
  for (const auto* x : {&signed_form.out, &unsigned_form.out, &signed_form.dq, &signed_form.dk, &signed_form.dv}) {
    CHECK(largest_magnitude(*x) == 0);
  }
  CHECK(signed_form.d.output_scale == 0);
  options.shift = T(-1000);
  const auto open = run_head<T, policies<kernels::manhattan_by_max, kernels::signed_relu>>(c, q, k, v, g, options);
  for (index_t i = 0; i < c.L; ++i) {
    for (index_t x = 0; x < c.Dv; ++x) {
      T sum(0);
      for (index_t j = 0; j < c.S && (!causal || j <= i + c.S - c.L); ++j)
        sum += v[static_cast<std::size_t>(j * c.Dv + x)];
      CHECK(std::abs(static_cast<double>(open.out[static_cast<std::size_t>(i * c.Dv + x)] - sum)) <=
            reduction<T>(c.S, 30));
    }
  }
}

TEST_CASE("attention kernels: non-finite numbers reach the rows that use them", "[kernels]") {
  using P = policies<kernels::manhattan_by_max, kernels::signed_relu>;
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  const int where = GENERATE(0, 1, 2);
  const head_case c{9, 40, 6, 20, true};
  random_numbers random(17);
  auto q = random.numbers<float>(c.L * c.D), k = random.numbers<float>(c.S * c.D),
       v = random.numbers<float>(c.S * c.Dv);
  const auto g = random.numbers<float>(c.L * c.Dv);
  kernels::weight_options<float> options = kernels::plain_weights<float>();
  options.center = true;
  const auto clean = run_head<float, P>(c, q, k, v, g, options);
  constexpr index_t row = 5, key = 5 + 40 - 9;  // key is the last one that query `row` sees
  (where == 0 ? q[row * 6 + 2] : where == 1 ? k[key * 6 + 2] : v[key * 20 + 2]) = bad;
  const auto dirty = run_head<float, P>(c, q, k, v, g, options);
  for (index_t i = 0; i < c.L; ++i) {
    for (index_t x = 0; x < c.Dv; ++x) {
      const auto at = static_cast<std::size_t>(i * c.Dv + x);
      const bool touched = where == 0 ? i == row : i >= row && (where == 1 || x == 2);
      INFO("row " << i << " column " << x << " where " << where);
      if (touched) {
        CHECK_FALSE(std::isfinite(dirty.out[at]));
      } else {
        CHECK(dirty.out[at] == clean.out[at]);
      }
    }
  }
}

TEST_CASE("attention kernels: nothing outside the caller's arrays is touched", "[kernels]") {
  using P = policies<kernels::manhattan_by_max, kernels::signed_relu>;
  const auto where = GENERATE(guarded_buffer<float>::flush::end, guarded_buffer<float>::flush::start);
  const head_case c{5, 2 * lanes<Isa, float> + 1, 7, 3};
  random_numbers random(18);
  const guarded_buffer<float> q(random.numbers<float>(c.L * c.D), where), k(random.numbers<float>(c.S * c.D), where),
      v(random.numbers<float>(c.S * c.Dv), where), g(random.numbers<float>(c.L * c.Dv), where),
      out(std::vector<float>(static_cast<std::size_t>(c.L * c.Dv)), where), dq(q.values(), where),
      dk(k.values(), where), dv(v.values(), where);
  const std::vector<index_t> limits(static_cast<std::size_t>(c.L), c.S);
  kernels::head_inputs<float> in{};
  in.q = q.data();
  in.k = k.data();
  in.v = v.data();
  in.q_stride = in.k_stride = c.D;
  in.v_stride = c.Dv;
  in.queries = c.L;
  in.head_size = c.D;
  in.value_size = c.Dv;
  in.scored = in.attended = c.S;
  in.limits = limits.data();
  const kernels::forward_scratch<Isa, float> forward(nullptr, c.L, c.S, c.D, c.Dv);
  const kernels::backward_scratch<Isa, float, kernels::signed_relu> backward(nullptr, c.L, c.S, c.D, c.Dv);
  aligned_buffer<float> memory(std::max(forward.size, backward.size));
  kernels::weight_options<float> options = kernels::plain_weights<float>();
  options.center = true;
  kernels::attention_forward<Isa, float, P::score, P::aggregate>(out.data(), c.Dv, in, options, memory.data());
  kernels::attention_backward<Isa, float, P::score, P::aggregate>({dq.data(), c.D, dk.data(), c.D, dv.data(), c.Dv},
                                                                  g.data(), c.Dv, in, options, memory.data());
  const auto packed = run_head<float, P>(c, q.values(), k.values(), v.values(), g.values(), options);
  CHECK(out.values() == packed.out);
}
