// SPDX-License-Identifier: Apache-2.0

// Layers of nn/: linear, layer_norm, gelu, embedding, dropout. The attention inside transformer_block has tests of its
// own; the block as a whole is differentiated in test_encoder.cpp.

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/nn/dropout.hpp"
#include "inhibitor/nn/embedding.hpp"
#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/linear.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"

using namespace inhibitor;
using inhibitor::test::gradient_error;
using numbers = std::vector<double>;

namespace {

numbers draw(index_t size, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<double> normal;
  numbers x(static_cast<std::size_t>(size));
  for (double& v : x) v = normal(bits);
  return x;
}

double dot(const numbers& a, const numbers& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

numbers zeros(const numbers& like) { return numbers(like.size(), 0.0); }

#if defined(_OPENMP)
const std::vector<executor> executors{executor{}, openmp_executor(2), openmp_executor(5)};
#else
const std::vector<executor> executors{executor{}};
#endif

}  // namespace

TEST_CASE("linear_forward: equals the sum over inputs plus bias") {
  const index_t rows = 3, in = 5, out = 4;
  const numbers x = draw(rows * in, 1), w = draw(out * in, 2), b = draw(out, 3);
  numbers y(rows * out);
  linear_forward(y.data(), x.data(), w.data(), b.data(), rows, in, out, {});
  for (index_t i = 0; i < rows; ++i) {
    for (index_t o = 0; o < out; ++o) {
      double expected = b[static_cast<std::size_t>(o)];
      for (index_t k = 0; k < in; ++k)
        expected += x[static_cast<std::size_t>(i * in + k)] * w[static_cast<std::size_t>(o * in + k)];
      CHECK(std::abs(y[static_cast<std::size_t>(i * out + o)] - expected) < 1e-13);
    }
  }
}

TEST_CASE("linear_backward: agrees with finite differences and adds to what is there") {
  const index_t rows = 3, in = 5, out = 4;
  numbers x = draw(rows * in, 1), w = draw(out * in, 2), b = draw(out, 3);
  const numbers dy = draw(rows * out, 4);
  const auto loss = [&] {
    numbers y(rows * out);
    linear_forward(y.data(), x.data(), w.data(), b.data(), rows, in, out, {});
    return dot(y, dy);
  };
  numbers dx = zeros(x), dw = zeros(w), db = zeros(b);
  linear_backward(dx.data(), dw.data(), db.data(), dy.data(), x.data(), w.data(), rows, in, out, {});
  CHECK(gradient_error(loss, x.data(), dx.data(), rows * in) < 1e-8);
  CHECK(gradient_error(loss, w.data(), dw.data(), out * in) < 1e-8);
  CHECK(gradient_error(loss, b.data(), db.data(), out) < 1e-8);
  const double before = dw[7];
  linear_backward(dx.data(), dw.data(), db.data(), dy.data(), x.data(), w.data(), rows, in, out, {});
  CHECK(std::abs(dw[7] - 2 * before) < 1e-12);
}

TEST_CASE("linear_forward and linear_backward: bit-identical for any number of workers") {
  const index_t rows = 150, in = 70, out = 600;
  const numbers x = draw(rows * in, 1), w = draw(out * in, 2), b = draw(out, 3), dy = draw(rows * out, 4);
  std::vector<numbers> results;
  for (const executor& workers : executors) {
    numbers y(rows * out), dx = zeros(x), dw = zeros(w), db = zeros(b);
    linear_forward(y.data(), x.data(), w.data(), b.data(), rows, in, out, workers);
    linear_backward(dx.data(), dw.data(), db.data(), dy.data(), x.data(), w.data(), rows, in, out, workers);
    for (const auto* part : {&dx, &dw, &db}) y.insert(y.end(), part->begin(), part->end());
    results.push_back(y);
  }
  for (const numbers& r : results) CHECK(r == results.front());
}

TEST_CASE("layer_norm_forward: rows have mean bias and unit deviation before the weight") {
  const index_t rows = 70, cols = 33;
  const numbers x = draw(rows * cols, 5), weight(cols, 1.0), bias(cols, 0.25);
  numbers y(x.size()), mean(rows), rstd(rows);
  layer_norm_forward(y.data(), mean.data(), rstd.data(), x.data(), weight.data(), bias.data(), rows, cols, 1e-12, {});
  for (index_t i = 0; i < rows; ++i) {
    double sum = 0, squares = 0;
    for (index_t k = 0; k < cols; ++k) {
      const double v = y[static_cast<std::size_t>(i * cols + k)] - 0.25;
      sum += v;
      squares += v * v;
    }
    CHECK(std::abs(sum) < 1e-11);
    CHECK(std::abs(squares / cols - 1) < 1e-9);
  }
}

TEST_CASE("layer_norm_backward: agrees with finite differences, adds, and is the same for any number of workers") {
  const index_t rows = 4, cols = 7;
  numbers x = draw(rows * cols, 6), weight = draw(cols, 7), bias = draw(cols, 8);
  const numbers dy = draw(rows * cols, 9);
  numbers mean(rows), rstd(rows);
  const auto loss = [&] {
    numbers y(x.size());
    layer_norm_forward(y.data(), mean.data(), rstd.data(), x.data(), weight.data(), bias.data(), rows, cols, 1e-5, {});
    return dot(y, dy);
  };
  loss();
  numbers dx = zeros(x), dw = zeros(weight), db = zeros(bias);
  layer_norm_backward(dx.data(), dw.data(), db.data(), dy.data(), x.data(), mean.data(), rstd.data(), weight.data(),
                      rows, cols, {});
  CHECK(gradient_error(loss, x.data(), dx.data(), rows * cols) < 1e-7);
  CHECK(gradient_error(loss, weight.data(), dw.data(), cols) < 1e-7);
  CHECK(gradient_error(loss, bias.data(), db.data(), cols) < 1e-7);
  loss();
  const double before = dx[3];
  for (const executor& workers : executors) {
    numbers again = zeros(x), dw2 = zeros(weight), db2 = zeros(bias);
    layer_norm_backward(again.data(), dw2.data(), db2.data(), dy.data(), x.data(), mean.data(), rstd.data(),
                        weight.data(), rows, cols, workers);
    layer_norm_backward(again.data(), dw2.data(), db2.data(), dy.data(), x.data(), mean.data(), rstd.data(),
                        weight.data(), rows, cols, workers);
    CHECK(std::abs(again[3] - 2 * before) < 1e-12);
  }
}

TEST_CASE("gelu_forward: is x times the normal distribution function, for sizes around a vector") {
  for (index_t size : {0, 1, 3, 7, 8, 9, 15, 16, 17, 4095, 4097}) {
    const numbers x = draw(size, 10);
    numbers y = zeros(x);
    gelu_forward(y.data(), x.data(), size, {});
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(std::abs(y[i] - x[i] * 0.5 * std::erfc(-x[i] / std::sqrt(2.0))) < 1e-13);
    }
  }
}

TEST_CASE("gelu_backward: agrees with finite differences and adds") {
  numbers x = draw(37, 11);
  x[0] = 0;
  x[1] = -8;
  x[2] = 8;
  const numbers dy = draw(37, 12);
  const auto loss = [&] {
    numbers y = zeros(x);
    gelu_forward(y.data(), x.data(), 37, {});
    return dot(y, dy);
  };
  numbers dx = zeros(x);
  gelu_backward(dx.data(), dy.data(), x.data(), 37, {});
  CHECK(gradient_error(loss, x.data(), dx.data(), 37) < 1e-8);
  const double before = dx[20];
  gelu_backward(dx.data(), dy.data(), x.data(), 37, {});
  CHECK(dx[20] == 2 * before);
}

TEST_CASE("embedding_backward: agrees with finite differences, sums repeated ids, leaves the padding row alone") {
  const index_t batch = 2, length = 3, dim = 40, words = 5, positions = 4;
  const std::vector<std::int32_t> words_of{1, 4, 4, 2, 1, 0}, types_of{0, 0, 1, 1, 1, 0};
  const embedding_ids ids{words_of.data(), types_of.data()};
  numbers word = draw(words * dim, 13), position = draw(positions * dim, 14), type = draw(2 * dim, 16);
  const numbers dy = draw(batch * length * dim, 15);
  const auto loss = [&] {
    numbers y(dy.size());
    embedding_forward<double>(y.data(), ids, {word.data(), position.data(), type.data()}, batch, length, dim, {});
    return dot(y, dy);
  };
  numbers dword = zeros(word), dposition = zeros(position), dtype = zeros(type);
  embedding_backward<double>({dword.data(), dposition.data(), dtype.data()}, dy.data(), ids, 0, batch, length, dim, {});
  CHECK(gradient_error(loss, word.data() + dim, dword.data() + dim, (words - 1) * dim) < 1e-8);
  CHECK(gradient_error(loss, position.data(), dposition.data(), positions * dim) < 1e-8);
  CHECK(gradient_error(loss, type.data(), dtype.data(), 2 * dim) < 1e-8);
  for (index_t k = 0; k < dim; ++k) CHECK(dword[static_cast<std::size_t>(k)] == 0);
  for (const executor& workers : executors) {
    numbers dword2 = zeros(word), dposition2 = zeros(position), dtype2 = zeros(type);
    embedding_backward<double>({dword2.data(), dposition2.data(), dtype2.data()}, dy.data(), ids, 0, batch, length, dim,
                               workers);
    CHECK(dword2 == dword);
    CHECK(dposition2 == dposition);
    CHECK(dtype2 == dtype);
  }
}

TEST_CASE("embedding_forward: without types every token has type 0, without a table none is added") {
  const index_t length = 3, dim = 5;
  const std::vector<std::int32_t> words_of{1, 0, 1}, zeros_of{0, 0, 0};
  const numbers word = draw(2 * dim, 1), position = draw(length * dim, 2), type = draw(2 * dim, 3);
  const auto embed = [&](const std::int32_t* types, const double* table) {
    numbers y(static_cast<std::size_t>(length * dim));
    embedding_forward<double>(y.data(), {words_of.data(), types}, {word.data(), position.data(), table}, 1, length, dim,
                              {});
    return y;
  };
  CHECK(embed(nullptr, type.data()) == embed(zeros_of.data(), type.data()));
  CHECK(embed(zeros_of.data(), nullptr)[0] == word[5] + position[0]);
}

TEST_CASE("dropout: keeps the expected share, scales what it keeps, and repeats itself from the stream") {
  const index_t size = 200000;
  numbers x(static_cast<std::size_t>(size), 1.0);
  const random_stream stream{7, 3, 2};
  dropout(x.data(), size, 0.3, stream, {});
  double kept = 0;
  for (double v : x) {
    REQUIRE((v == 0 || std::abs(v - 1 / 0.7) < 1e-12));
    kept += v != 0 ? 1 : 0;
  }
  CHECK(std::abs(kept / static_cast<double>(size) - 0.7) < 0.005);
  for (const executor& workers : executors) {
    numbers again(x.size(), 1.0);
    dropout(again.data(), size, 0.3, stream, workers);
    CHECK(again == x);
  }
}

TEST_CASE("dropout: other seeds, steps and sites draw other decisions") {
  const index_t size = 1000;
  const auto draw_mask = [&](const random_stream& stream) {
    numbers x(static_cast<std::size_t>(size), 1.0);
    dropout(x.data(), size, 0.5, stream, {});
    return x;
  };
  const numbers base = draw_mask({1, 1, 1});
  for (const random_stream& other :
       {random_stream{2, 1, 1}, random_stream{1, 2, 1}, random_stream{1, 1, 2}, random_stream{1ULL << 40, 1, 1}}) {
    const numbers mask = draw_mask(other);
    int same = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) same += mask[i] == base[i] ? 1 : 0;
    CHECK(same > 400);
    CHECK(same < 600);
  }
}

TEST_CASE("dropout_keys: only clears, at the expected rate; probability 0 changes nothing") {
  std::vector<std::uint8_t> mask(100000, 1);
  for (std::size_t i = 0; i < mask.size(); i += 2) mask[i] = 0;
  const std::vector<std::uint8_t> before = mask;
  dropout_keys(mask.data(), static_cast<index_t>(mask.size()), 0.0, {1, 2, 3});
  CHECK(mask == before);
  dropout_keys(mask.data(), static_cast<index_t>(mask.size()), 0.2, {1, 2, 3});
  int left = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    REQUIRE(mask[i] <= before[i]);
    left += mask[i];
  }
  CHECK(std::abs(left / 50000.0 - 0.8) < 0.01);
}

TEMPLATE_TEST_CASE("layers: the same bits wherever a buffer lies", "", float, double) {
  using T = TestType;
  const auto sizes = GENERATE(std::array<index_t, 3>{9, 600, 128}, std::array<index_t, 3>{70, 37, 100},
                              std::array<index_t, 3>{5, 3, 2}, std::array<index_t, 3>{33, 130, 24});
  const auto [rows, in, out] = sizes;
  const numbers x = draw(rows * in, 1), w = draw(out * in, 2), b = draw(in + out, 3), dy = draw(rows * out, 4),
                dx_start = draw(rows * in, 5);
  std::vector<std::vector<T>> results;
  for (const index_t offset : {0, 1, 2, 3, 5, 7, 12}) {
    // Arrays that begin `offset` numbers after a 64-byte line.
    std::vector<aligned_buffer<T>> memory;
    memory.reserve(32);
    const auto place = [&](index_t size, const numbers& values = {}) {
      memory.emplace_back(size + 16);
      T* at = memory.back().data() + offset;
      std::transform(values.begin(), values.begin() + (values.empty() ? 0 : size), at,
                     [](double v) { return static_cast<T>(v); });
      return at;
    };
    T *px = place(rows * in, x), *pw = place(out * in, w), *pb = place(out, b), *pdy = place(rows * out, dy);
    T *y = place(rows * out), *dx = place(rows * in), *dw = place(out * in), *db = place(out);
    linear_forward(y, px, pw, pb, rows, in, out, {});
    linear_backward(dx, dw, db, pdy, px, pw, rows, in, out, {});
    T *weight = place(in, b), *bias = place(in), *normed = place(rows * in), *mean = place(rows), *rstd = place(rows);
    T *dnormed = place(rows * in, dx_start), *dinput = place(rows * in), *dweight = place(in), *dbias = place(in);
    layer_norm_forward(normed, mean, rstd, px, weight, bias, rows, in, T(1e-5), {});
    layer_norm_backward(dinput, dweight, dbias, dnormed, px, mean, rstd, weight, rows, in, {});
    T *activated = place(rows * in), *dactivated = place(rows * in);
    gelu_forward(activated, px, rows * in, {});
    gelu_backward(dactivated, dnormed, px, rows * in, {});
    std::vector<T> all;
    const auto keep = [&](const T* values, index_t size) { all.insert(all.end(), values, values + size); };
    for (const T* values : {dx, normed, dinput, activated, dactivated}) keep(values, rows * in);
    for (const T* values : {dweight, dbias}) keep(values, in);
    for (const T* values : {mean, rstd}) keep(values, rows);
    keep(y, rows * out);
    keep(dw, out * in);
    keep(db, out);
    results.push_back(std::move(all));
  }
  for (const std::vector<T>& r : results) CHECK(std::equal(r.begin(), r.end(), results.front().begin()));
}
