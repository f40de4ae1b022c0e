// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/nn/packed_linear.hpp"

#include <tuple>
#include <vector>

#include "inhibitor/nn/gelu.hpp"
#include "inhibitor/nn/gemm_eigen.hpp"
#include "inhibitor/nn/layer_norm.hpp"
#include "inhibitor/nn/linear.hpp"
#include "support/catch.hpp"
#include "support/program_gemm.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"
#if defined(INHIBITOR_HAS_OPENBLAS)
#include "inhibitor/backends/openblas.hpp"
#endif
#if defined(INHIBITOR_HAS_ONEDNN)
#include "inhibitor/backends/onednn.hpp"
#endif

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;

namespace {

template <class T, class Gemm>
struct product {
  using number = T;
  using gemm = Gemm;
};
// clang-format off
using products = std::tuple<product<float, panel_gemm>, product<double, panel_gemm>,
#if defined(INHIBITOR_HAS_OPENBLAS)
                            product<float, openblas_gemm>, product<double, openblas_gemm>,
#endif
#if defined(INHIBITOR_HAS_ONEDNN)
                            product<float, onednn_gemm>,
#endif
                            product<float, basic_panel_gemm<isa::scalar>>, product<float, eigen_gemm>,
                            product<double, eigen_gemm>>;
// clang-format on

/// Whether results are the same bits for any number of workers: those of our own product. Other libraries choose their kernels
/// by the shape of a block, and blocks by the number of workers.
template <class Gemm>
constexpr bool has_fixed_bits = true;
template <>
constexpr bool has_fixed_bits<eigen_gemm> = false;
#if defined(INHIBITOR_HAS_OPENBLAS)
template <>
constexpr bool has_fixed_bits<openblas_gemm> = false;
#endif
#if defined(INHIBITOR_HAS_ONEDNN)
template <>
constexpr bool has_fixed_bits<onednn_gemm> = false;
#endif

/// A linear layer of its own numbers.
template <class T>
struct some_layer {
  std::vector<T> weight, bias;
  linear_tensors<T> tensors;

  some_layer(random_numbers& random, index_t out, index_t in)
      : weight(random.numbers<T>(out * in)), bias(random.numbers<T>(out)), tensors(out, in) {
    tensors.weight.data = weight.data();
    tensors.bias.data = bias.data();
  }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("packed_linear: equals linear_forward, by every product", "", products) {
  using T = typename TestType::number;
  random_numbers random(7);
  // Around the heights and widths of tiles and blocks; deeper than what one pass over the depth takes.
  struct extent {
    index_t rows, in, out;
  };
  for (const extent e : {extent{1, 1, 1}, extent{3, 5, 7}, extent{8, 64, 48}, extent{9, 65, 49}, extent{129, 40, 200},
                         extent{70, 769, 97}, extent{17, 1600, 400}, extent{530, 24, 65}, extent{0, 8, 8}}) {
    INFO(e.rows << " rows, " << e.in << " to " << e.out);
    const some_layer<T> layer(random, e.out, e.in);
    const packed_linear<T, typename TestType::gemm> packed({layer.tensors});
    CHECK(packed.out() == e.out);
    CHECK(packed.in() == e.in);
    const index_t x_stride = e.in + 3, y_stride = e.out + 5;
    const std::vector<T> x = random.numbers<T>(e.rows * x_stride);
    std::vector<T> dense(static_cast<std::size_t>(e.rows * e.in)), truth(static_cast<std::size_t>(e.rows * e.out));
    for (index_t i = 0; i < e.rows; ++i) std::copy_n(x.data() + i * x_stride, e.in, dense.data() + i * e.in);
    linear_forward(truth.data(), dense.data(), layer.weight.data(), layer.bias.data(), e.rows, e.in, e.out, {});
    for (const activation f : {activation::none, activation::gelu}) {
      if (f == activation::gelu) gelu_forward(truth.data(), truth.data(), e.rows * e.out, {});
      std::vector<T> y(static_cast<std::size_t>(e.rows * y_stride), T(77));
      packed.forward(y.data(), y_stride, x.data(), x_stride, e.rows, f, {});
      for (index_t i = 0; i < e.rows; ++i) {
        const T* row = y.data() + i * y_stride;
        const std::vector<T> ours(row, row + e.out), theirs(truth.data() + i * e.out, truth.data() + (i + 1) * e.out);
        REQUIRE(largest_difference(ours, theirs) <= reduction<T>(e.in, static_cast<double>(e.in)) / 4);
        REQUIRE(std::all_of(row + e.out, row + y_stride, [](T v) { return v == T(77); }));
      }
    }
  }
}

TEMPLATE_LIST_TEST_CASE("packed_linear: several layers side by side, our own product in the same bits for any workers", "",
                        products) {
  using T = typename TestType::number;
  random_numbers random(8);
  const some_layer<T> a(random, 130, 50), b(random, 1, 50), c(random, 77, 50);
  const packed_linear<T, typename TestType::gemm> together({a.tensors, b.tensors, c.tensors});
  REQUIRE(together.out() == 208);
  const index_t rows = 700;
  const std::vector<T> x = random.numbers<T>(rows * 50);
  std::vector<T> y(static_cast<std::size_t>(rows * 208));
  together.forward(y.data(), 208, x.data(), 50, rows, activation::none, {});
  index_t column = 0;
  for (const some_layer<T>* layer : {&a, &b, &c}) {
    const index_t out = layer->tensors.weight.rows;
    std::vector<T> alone(static_cast<std::size_t>(rows * out));
    linear_forward(alone.data(), x.data(), layer->weight.data(), layer->bias.data(), rows, 50, out, {});
    double difference = 0;
    for (index_t i = 0; i < rows * out; ++i) {
      const T ours = y[static_cast<std::size_t>(i / out * 208 + column + i % out)];
      difference = std::max(difference, static_cast<double>(std::abs(ours - alone[static_cast<std::size_t>(i)])));
    }
    CHECK(difference <= reduction<T>(50, 50) / 4);
    column += out;
  }
#if defined(_OPENMP)
  for (const int threads : {2, 3}) {
    std::vector<T> again(y.size());
    together.forward(again.data(), 208, x.data(), 50, rows, activation::none, openmp_executor(threads));
    if (has_fixed_bits<typename TestType::gemm>) CHECK(std::equal(y.begin(), y.end(), again.begin()));
    double difference = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      difference = std::max(difference, static_cast<double>(std::abs(again[i] - y[i])));
    }
    CHECK(difference <= reduction<T>(50, 50) / 4);
  }
#endif
}

TEST_CASE("packed_linear: our own product gives a row the same bits wherever it stands") {
  random_numbers random(9);
  const some_layer<float> layer(random, 100, 900);
  const packed_linear<float> packed({layer.tensors});
  const std::vector<float> x = random.numbers<float>(33 * 900);
  std::vector<float> together(33 * 100), alone(100);
  packed.forward(together.data(), 100, x.data(), 900, 33, activation::gelu, {});
  for (std::size_t i = 0; i < 33; ++i) {
    packed.forward(alone.data(), 100, x.data() + i * 900, 900, 1, activation::gelu, {});
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<index_t>(i) * 100));
  }
}

TEST_CASE("packed_linear: refuses layers that do not share their input") {
  random_numbers random(10);
  const some_layer<float> a(random, 3, 4), b(random, 3, 5);
  CHECK_THROWS_AS(packed_linear<float>({a.tensors, b.tensors}), std::invalid_argument);
  CHECK_THROWS_AS(packed_linear<float>(std::vector<linear_tensors<float>>{}), std::invalid_argument);
}

TEST_CASE("gemm_name: says what this build's programs multiply with") {
  CHECK(gemm_name() == program_gemm::name());
  CHECK_FALSE(gemm_name().empty());
  random_numbers random(11);
  const some_layer<float> layer(random, 2, 3);
  const packed_linear<float, program_gemm> packed({layer.tensors});
  CHECK(packed.out() == 2);
}

TEMPLATE_TEST_CASE("residual_norm_rows, embed_norm_rows: layer_norm_forward of the sum", "", float, double) {
  using T = TestType;
  random_numbers random(12);
  for (const index_t cols : {1, 7, 16, 31, 64, 100}) {
    const index_t rows = 5, stride = cols + 2;
    const std::vector<T> a = random.numbers<T>(rows * stride), b = random.numbers<T>(rows * stride);
    const std::vector<T> weight = random.numbers<T>(cols), bias = random.numbers<T>(cols);
    const std::vector<T> words = random.numbers<T>(9 * cols), places = random.numbers<T>(6 * cols),
                         types = random.numbers<T>(2 * cols);
    const std::vector<std::int32_t> ids{3, 8, 0, 3, 5}, positions{0, 1, 2, 0, 5}, kinds{0, 1, 1, 0, 1};
    const norm_view<T> norm{weight.data(), bias.data(), T(1e-5)};
    const auto expected = [&](const std::vector<T>& sum) {
      std::vector<T> y(sum.size()), mean(static_cast<std::size_t>(rows)), rstd(mean.size());
      layer_norm_forward(y.data(), mean.data(), rstd.data(), sum.data(), weight.data(), bias.data(), rows, cols,
                         T(1e-5), {});
      return y;
    };
    const auto dense = [&](const std::vector<T>& strided) {
      std::vector<T> y;
      for (index_t i = 0; i < rows; ++i) {
        y.insert(y.end(), strided.begin() + i * stride, strided.begin() + i * stride + cols);
      }
      return y;
    };
    const double tolerance = 400 * static_cast<double>(std::numeric_limits<T>::epsilon());
    std::vector<T> sum(dense(a)), y = a;
    for (index_t i = 0; i < rows * cols; ++i) {
      sum[static_cast<std::size_t>(i)] += b[static_cast<std::size_t>(i / cols * stride + i % cols)];
    }
    residual_norm_rows(y.data(), stride, b.data(), stride, norm, rows, cols);
    CHECK(largest_difference(dense(y), expected(sum)) < tolerance);
    CHECK(y[static_cast<std::size_t>(cols)] == a[static_cast<std::size_t>(cols)]);  // between the rows

    for (const bool with_types : {false, true}) {
      for (index_t i = 0; i < rows * cols; ++i) {
        const auto r = static_cast<std::size_t>(i / cols);
        const index_t k = i % cols;
        T& x = sum[static_cast<std::size_t>(i)];
        x = words[static_cast<std::size_t>(ids[r] * cols + k)] +
            places[static_cast<std::size_t>(positions[r] * cols + k)];
        if (with_types) x += types[static_cast<std::size_t>(kinds[r] * cols + k)];
      }
      embed_norm_rows<T>(y.data(), stride, ids.data(), positions.data(), kinds.data(), words.data(), places.data(),
                         with_types ? types.data() : nullptr, norm, rows, cols);
      CHECK(largest_difference(dense(y), expected(sum)) < tolerance);
    }
  }
}
