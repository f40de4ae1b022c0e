// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <complex>

#include "inhibitor/reference/attention.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::reference;
using namespace inhibitor::test;

namespace {

std::vector<double> forward(const std::vector<double>& q, const std::vector<double>& k, const std::vector<double>& v,
                            const attention_scalars<double>& scalars, const attention_problem& p) {
  std::vector<double> out(static_cast<std::size_t>(p.queries * p.value_size), 99.0);
  attention_forward(out.data(), q.data(), k.data(), v.data(), scalars, p);
  return out;
}

}  // namespace

TEST_CASE("reference attention_forward: numbers worked out by hand", "[reference]") {
  attention_problem p;
  p.queries = 1;
  p.keys = 2;
  p.head_size = 4;
  p.value_size = 2;
  p.center = centered::no;
  const std::vector<double> q{0, 0, 0, 0}, k{1, 0, -1, 0, 2, 2, 0, 0}, v{3, -0.5, -4, 5};
  // Distances 2 and 4, times 1/sqrt(4): 1 and 2. Signed: (3-1) + (-4+2) = 0 and 0 + (5-2) = 3.
  CHECK(forward(q, k, v, {}, p) == std::vector<double>{0, 3});
  // Unsigned: (3-1) + 0 = 2 and 0 + 3.
  p.aggregate = aggregation::unsigned_relu;
  CHECK(forward(q, k, v, {}, p) == std::vector<double>{2, 3});
  // Centered: scores -0.5 and 0.5, plus shift 1: 0.5 and 1.5, output doubled: 2 ((3-.5) + (-4+1.5)) and 2 (0 + 3.5).
  p.aggregate = aggregation::signed_relu;
  p.center = centered::attended_keys;
  CHECK(forward(q, k, v, {1, 1, 2}, p) == std::vector<double>{0, 7});
  // Only the second key: its centered score is 0, so the threshold is the shift. Over all keys it stays 1.5.
  const std::vector<std::uint8_t> second{0, 1};
  p.attend = second.data();
  CHECK(forward(q, k, v, {1, 1, 1}, p) == std::vector<double>{-3, 4});
  p.center = centered::all_keys;
  CHECK(forward(q, k, v, {1, 1, 1}, p) == std::vector<double>{-2.5, 3.5});
}

TEST_CASE("reference attention_forward: length normalization divides by the attended keys", "[reference]") {
  random_numbers random(1);
  attention_problem p;
  p.queries = 3;
  p.keys = 4;
  p.head_size = 2;
  p.value_size = 2;
  const std::vector<std::uint8_t> attend{1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0};
  p.attend = attend.data();
  const auto q = random.numbers<double>(6), k = random.numbers<double>(8), v = random.numbers<double>(8);
  const auto plain = forward(q, k, v, {}, p);
  p.normalize_by_length = true;
  const auto divided = forward(q, k, v, {}, p);
  for (std::size_t x = 0; x < 2; ++x) {
    CHECK(divided[x] == plain[x] / 4);
    CHECK(divided[2 + x] == plain[2 + x] / 2);
    CHECK(divided[4 + x] == 0.0);  // attends to nothing
  }
}

TEST_CASE("reference attention_backward: agrees with the complex step for every policy pair", "[reference]") {
  const auto score = GENERATE(scoring::manhattan, scoring::dot_product);
  const auto aggregate = GENERATE(aggregation::signed_relu, aggregation::unsigned_relu, aggregation::softmax);
  const auto center = GENERATE(centered::no, centered::attended_keys, centered::all_keys);
  const bool masked = GENERATE(false, true);
  attention_problem p;
  p.queries = 4;
  p.keys = 5;
  p.head_size = 3;
  p.value_size = 2;
  p.score = score;
  p.aggregate = aggregate;
  p.center = center;
  p.normalize_by_length = masked;
  // Row 2 attends to nothing.
  const std::vector<std::uint8_t> attend{1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0};
  if (masked) p.attend = attend.data();
  random_numbers random(7);
  // q, k, v and the three scalars in one list. Random numbers: no ties, so the function is smooth around the point.
  std::vector<double> x = random.numbers<double>(12 + 15 + 10);
  x.insert(x.end(), {0.7, 0.3, 1.4});
  const auto g = random.numbers<double>(8);
  const auto loss = [&](const std::vector<std::complex<double>>& z) {
    std::vector<std::complex<double>> out(8);
    attention_forward(out.data(), &z[0], &z[12], &z[27], {z[37], z[38], z[39]}, p);
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += g[i] * out[i];
    return sum;
  };
  const auto expected = complex_step_gradient(loss, x);
  constexpr double start = 10;  // gradients are added to what is there
  std::vector<double> d(40, start);
  attention_scalars<double> ds{start, start, start};
  attention_backward(&d[0], &d[12], &d[27], ds, g.data(), &x[0], &x[12], &x[27], {x[37], x[38], x[39]}, p);
  d[37] = ds.score_scale;
  d[38] = ds.shift;
  d[39] = ds.output_scale;
  for (std::size_t i = 0; i < x.size(); ++i) {
    INFO("input " << i);
    CHECK(std::abs(d[i] - start - expected[i]) < 1e-13);
  }
}

TEST_CASE("trap 19: reference attention_backward: ties have no slope", "[reference]") {
  attention_problem p;
  p.queries = 1;
  p.keys = 2;
  p.head_size = 1;
  p.value_size = 1;
  p.center = centered::no;
  const double g = 1, q = 1;
  // q equals the first key: distance 0 and no direction. Threshold 0 has no slope. |v| = 2 equals the second threshold.
  const std::vector<double> k{1, 3}, v{5, 2};
  double dq = 0;
  std::vector<double> dk(2), dv(2);
  attention_scalars<double> ds{0, 0, 0};
  attention_backward(&dq, dk.data(), dv.data(), ds, &g, &q, k.data(), v.data(), {1, 0, 1}, p);
  CHECK(dq == 0);
  CHECK(dk == std::vector<double>{0, 0});
  CHECK(dv == std::vector<double>{1, 0});
  CHECK(ds.shift == 0);
  CHECK(ds.score_scale == 0);
  CHECK(ds.output_scale == 5);
}
