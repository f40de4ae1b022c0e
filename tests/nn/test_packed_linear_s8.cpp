// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/nn/packed_linear_s8.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/linear.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using numbers = std::vector<float>;

/// A linear layer of its own numbers.
struct some_layer {
  numbers weight, bias;
  linear_tensors<float> tensors;

  some_layer(random_numbers& random, index_t out, index_t in)
      : weight(random.numbers<float>(out * in)), bias(random.numbers<float>(out)), tensors(out, in) {
    tensors.weight.data = weight.data();
    tensors.bias.data = bias.data();
  }
  packed_linear_s8 packed() const { return packed_linear_s8({tensors}); }
};

template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("packed_linear_s8: near linear_forward, by the steps of weights and inputs") {
  random_numbers random(1);
  for (const index_t rows : {0, 1, 5, 130}) {
    const index_t in = 300, out = 70;
    const some_layer layer(random, out, in);
    const packed_linear_s8 packed = layer.packed();
    CHECK(packed.out() == out);
    CHECK(packed.in() == in);
    const numbers x = random.numbers<float>(rows * in);
    numbers truth(static_cast<std::size_t>(rows * out)), y(truth.size());
    linear_forward(truth.data(), x.data(), layer.weight.data(), layer.bias.data(), rows, in, out, {});
    quantized_rows scratch;
    packed.forward(y.data(), out, x.data(), in, rows, activation::none, scratch, {});
    // Each product is off by half a step of either factor, 1 / 254, independently: four deviations of the sum of 300.
    CHECK(largest_difference(y, truth) < 4 * std::sqrt(300.0 / 3) * 2 / 254);
    CHECK((rows == 0 || largest_difference(y, truth) > 0));
    packed.forward(y.data(), out, x.data(), in, rows, activation::gelu, scratch, {});
    gelu_forward(truth.data(), truth.data(), rows * out, {});
    CHECK(largest_difference(y, truth) < 4 * std::sqrt(300.0 / 3) * 2 / 254);
  }
}

TEST_CASE("packed_linear_s8: the same bits for any workers, batch and place of a row, and by layers side by side") {
  random_numbers random(2);
  const some_layer a(random, 130, 90), b(random, 1, 90), c(random, 77, 90);
  const packed_linear_s8 together({a.tensors, b.tensors, c.tensors});
  const index_t rows = 300, out = 208;
  const numbers x = random.numbers<float>(rows * 90), residual = random.numbers<float>(rows * out);
  numbers y(static_cast<std::size_t>(rows * out)), sums(y.size());
  quantized_rows scratch;
  together.forward(y.data(), out, x.data(), 90, rows, activation::none, scratch, {});
  together.forward_residual(sums.data(), out, residual.data(), out, scratch, {});
  for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(sums[i] == y[i] + residual[i]);
  index_t column = 0;
  for (const some_layer* layer : {&a, &b, &c}) {
    const packed_linear_s8 packed = layer->packed();
    numbers alone(static_cast<std::size_t>(packed.out()));
    for (const index_t r : {index_t{0}, index_t{17}, rows - 1}) {
      packed.forward(alone.data(), packed.out(), x.data() + r * 90, 90, 1, activation::none, scratch, {});
      CHECK(std::equal(alone.begin(), alone.end(), y.begin() + r * out + column));
    }
    column += packed.out();
  }
#if defined(_OPENMP)
  for (const int threads : {2, 3, 7}) {
    numbers again(y.size());
    together.forward(again.data(), out, x.data(), 90, rows, activation::none, scratch, openmp_executor(threads));
    CHECK(again == y);
  }
#endif
}

TEST_CASE("packed_linear_s8: forward_quantized is forward, then quantize") {
  random_numbers random(3);
  const some_layer first(random, 150, 40), second(random, 30, 150);
  const packed_linear_s8 up = first.packed(), down = second.packed();
  for (const index_t rows : {0, 1, 63, 64, 150}) {
    const numbers x = random.numbers<float>(rows * 40);
    numbers middle(static_cast<std::size_t>(rows * 150)), expected(static_cast<std::size_t>(rows * 30)),
        y(expected.size());
    quantized_rows in, between, fused;
    in.quantize(x.data(), 40, rows, 40, {});
    up.forward(middle.data(), 150, in, activation::gelu, {});
    between.quantize(middle.data(), 150, rows, 150, {});
    down.forward(expected.data(), 30, between, activation::none, {});
#if defined(_OPENMP)
    up.forward_quantized(fused, in, activation::gelu, openmp_executor(2));
#else
    up.forward_quantized(fused, in, activation::gelu, {});
#endif
    CHECK(fused.rows() == rows);
    CHECK(fused.size() == 150);
    down.forward(y.data(), 30, fused, activation::none, {});
    CHECK(y == expected);
  }
}

TEST_CASE("packed_linear_s8: from numbers and scales, the layer they came from") {
  const std::vector<std::int8_t> w{127, -127, 0, 1, 64, -3};
  const numbers scales{0.5F, 0.25F}, bias{1, -1}, x{1, 2, 127};
  const packed_linear_s8 layer(w.data(), scales.data(), bias.data(), 2, 3);
  numbers y(2);
  quantized_rows scratch;
  layer.forward(y.data(), 2, x.data(), 3, 1, activation::none, scratch, {});
  CHECK(y == numbers{0.5F * (127 - 2 * 127) + 1, 0.25F * (1 + 128 - 3 * 127) - 1});
}

TEST_CASE("packed_linear_s8: weights take a byte each, held once") {
  random_numbers random(4);
  CHECK(some_layer(random, 96, 128).packed().image_bytes() == 96 * 128 + 96 * 12);
}

TEST_CASE("packed_linear_s8: allocates nothing once its rows have grown") {
  random_numbers random(5);
  const some_layer layer(random, 40, 50);
  const packed_linear_s8 packed = layer.packed();
  const numbers x = random.numbers<float>(70 * 50);
  numbers y(70 * 40);
  quantized_rows scratch, next;
  const auto run = [&](index_t rows) {
    packed.forward(y.data(), 40, x.data(), 50, rows, activation::none, scratch, {});
    packed.forward_quantized(next, scratch, activation::gelu, {});
  };
  run(70);
  const long before = allocations;
  for (const index_t rows : {3, 70, 1}) run(rows);
  CHECK(allocations == before);
}

TEST_CASE("packed_linear_s8: refuses what it cannot quantize, with its position") {
  random_numbers random(6);
  some_layer a(random, 3, 4), b(random, 3, 5);
  const auto pack = [&] { a.packed(); };
  CHECK(message_of([&] {
          packed_linear_s8({a.tensors, b.tensors});
        }) == "packed_linear_s8: layers on the same input have the same number of inputs");
  CHECK(message_of([&] { packed_linear_s8(std::vector<linear_tensors<float>>{}); }) == "packed_linear_s8: no layers");
  a.weight[6] = std::numeric_limits<float>::quiet_NaN();
  CHECK(message_of(pack) ==
        "packed_linear_s8: weight of layer 0 is nan at output 1, input 2; expected a finite number");
  a.weight[6] = 0;
  a.bias[2] = std::numeric_limits<float>::infinity();
  CHECK(message_of(pack) == "packed_linear_s8: bias of layer 0 is inf at output 2; expected a finite number");
  a.bias[2] = 0;
  CHECK(message_of(pack) == "accepted");

  numbers x(3 * 4, 1.0F), y(3 * 3);
  x[9] = -std::numeric_limits<float>::infinity();
  const packed_linear_s8 packed = a.packed();
  quantized_rows scratch;
  CHECK(message_of([&] { packed.forward(y.data(), 3, x.data(), 4, 3, activation::none, scratch, {}); }) ==
        "quantized_rows: x is -inf in row 2, column 1; expected finite numbers");
  scratch.quantize(x.data(), 2, 1, 2, {});
  CHECK(message_of([&] { packed.forward(y.data(), 3, scratch, activation::none, {}); }) ==
        "packed_linear_s8: rows of 2 numbers; expected 4");
  // A result beyond the range of float.
  std::fill(a.weight.begin(), a.weight.end(), 3e38F);
  const packed_linear_s8 large = a.packed();
  std::fill(x.begin(), x.end(), 2.0F);
  scratch.quantize(x.data(), 4, 3, 4, {});
  quantized_rows next;
  CHECK(message_of([&] { large.forward_quantized(next, scratch, activation::none, {}); }) ==
        "quantized_rows: x is inf in row 0, column 0; expected finite numbers");
}

TEST_CASE("packed_linear_s8: refuses numbers and scales that no quantization gives") {
  std::vector<std::int8_t> w{1, 2, 3, 0, 0, 0};
  numbers scales{1, 0}, bias{0, 0};
  const auto make = [&] { packed_linear_s8(w.data(), scales.data(), bias.data(), 2, 3); };
  CHECK(message_of(make) == "accepted");
  w[4] = -128;
  CHECK(message_of(make) == "packed_linear_s8: the number of output 1, input 1 is -128; expected -127 to 127");
  w[4] = 1;
  CHECK(message_of(make).find("packed_linear_s8: the scale of output 1 is 0.000000; expected a positive normal") == 0);
  w[4] = 0;
  for (const float bad :
       {-1.0F, 1e-39F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    scales[0] = bad;
    CHECK(message_of(make).find("packed_linear_s8: the scale of output 0 is ") == 0);
  }
  scales[0] = 1;
  bias[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(message_of(make) == "packed_linear_s8: the bias of output 1 is nan; expected a finite number");
  CHECK(message_of([&] { packed_linear_s8(w.data(), scales.data(), bias.data(), 0, index_t{1 << 17} + 1); }) ==
        "packed_linear_s8: 131073 inputs; expected at most 131072");
}
