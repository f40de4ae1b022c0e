// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <string>

#include "inhibitor/attention/attention.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace inhibitor;

namespace {

row_matrix<double> random_matrix(test::random_numbers& random, index_t rows, index_t cols) {
  const auto x = random.numbers<double>(rows * cols);
  return Eigen::Map<const row_matrix<double>>(x.data(), rows, cols);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "nothing thrown";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("attention: agrees with the reference", "[attention]") {
  test::random_numbers random(31);
  const auto q = random_matrix(random, 5, 4), k = random_matrix(random, 7, 4), v = random_matrix(random, 7, 3);
  const auto g = random_matrix(random, 5, 3);
  attention_parameters<double> parameters;
  parameters.score_scale = 0.8;
  parameters.shift = 0.3;
  parameters.output_scale = 1.7;
  const std::vector<std::uint8_t> key_mask{1, 0, 1, 1, 1, 1, 0};
  parameters.mask.key_mask = key_mask.data();

  reference::attention_problem p;
  p.queries = 5;
  p.keys = 7;
  p.head_size = 4;
  p.value_size = 3;
  std::vector<std::uint8_t> attend;
  for (int i = 0; i < 5; ++i) attend.insert(attend.end(), key_mask.begin(), key_mask.end());
  p.attend = attend.data();
  row_matrix<double> out(5, 3), dq(5, 4), dk(7, 4), dv(7, 3);
  dq.setZero();
  dk.setZero();
  dv.setZero();
  reference::attention_scalars<double> ds{0, 0, 0};
  reference::attention_forward(out.data(), q.data(), k.data(), v.data(), {0.8, 0.3, 1.7}, p);
  reference::attention_backward(dq.data(), dk.data(), dv.data(), ds, g.data(), q.data(), k.data(), v.data(),
                                {0.8, 0.3, 1.7}, p);

  CHECK(attention(q, k, v, parameters).isApprox(out, 1e-13));
  attention_workspace workspace;
  row_matrix<double> dq2 = dq, dk2 = dk, dv2 = dv;  // gradients are added
  attention_scalar_gradients<double> ds2;
  attention_backward(dq2, dk2, dv2, ds2, g, q, k, v, parameters, workspace);
  CHECK(dq2.isApprox(2 * dq, 1e-12));
  CHECK(dk2.isApprox(2 * dk, 1e-12));
  CHECK(dv2.isApprox(2 * dv, 1e-12));
  CHECK(std::abs(ds2.score_scale - ds.score_scale) < 1e-12);
  CHECK(std::abs(ds2.shift - ds.shift) < 1e-12);
  CHECK(std::abs(ds2.output_scale - ds.output_scale) < 1e-12);
}

TEST_CASE("attention_forward: reads and writes blocks in place", "[attention]") {
  test::random_numbers random(32);
  const auto all = random_matrix(random, 20, 15);
  const row_matrix<double> q = all.block(0, 0, 6, 4), k = all.block(0, 4, 9, 4), v = all.block(0, 8, 9, 5);
  row_matrix<double> target = row_matrix<double>::Constant(8, 9, 44);
  attention_workspace workspace;
  attention_forward(target.block(1, 2, 6, 5), all.block(0, 0, 6, 4), all.block(0, 4, 9, 4), all.block(0, 8, 9, 5), {},
                    workspace);
  CHECK(target.block(1, 2, 6, 5) == attention(q, k, v));
  target.block(1, 2, 6, 5).setConstant(44);
  CHECK((target.array() == 44).all());
}

TEST_CASE("attention: errors name both shapes", "[attention]") {
  const row_matrix<float> q(3, 4), k(5, 6), k4(5, 4), v(7, 2), v5(5, 2);
  row_matrix<float> out(3, 3), dk(4, 5);
  attention_workspace workspace;
  auto message = message_of([&] { attention(q, k, v5); });
  CHECK(contains(message, "(3, 4)"));
  CHECK(contains(message, "(5, 6)"));
  message = message_of([&] { attention(q, k4, v); });
  CHECK(contains(message, "(5, 4)"));
  CHECK(contains(message, "(7, 2)"));
  message = message_of([&] { attention_forward(out, q, k4, v5, {}, workspace); });
  CHECK(contains(message, "output is (3, 3)"));
  CHECK(contains(message, "need (3, 2)"));
  attention_scalar_gradients<float> ds;
  message = message_of([&] { attention_backward(q, dk, v5, ds, v5.topRows(3), q, k4, v5, {}, workspace); });
  CHECK(contains(message, "key gradient is (4, 5)"));
  CHECK(contains(message, "key matrix is (5, 4)"));
  message = message_of([&] { attention(row_matrix<float>(3, 0), row_matrix<float>(5, 0), v5); });
  CHECK(contains(message, "head size at least 1"));
}
