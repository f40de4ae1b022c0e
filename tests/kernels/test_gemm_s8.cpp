// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/gemm_s8/table.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/s8_problem.hpp"

// Run with INHIBITOR_ISA set to each instruction set in turn: all give the bits of the reference.

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

const kernels::s8_table& table() { return kernels::s8_kernels<default_isa>(); }

}  // namespace

TEST_CASE("s8_multiply: the bits of the reference, around the sizes of tiles") {
  INFO(active_isa());
  for (const index_t rows : {0, 1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 17, 33, 49}) {
    for (const index_t in : {1, 4, 63, 64, 65, 200}) {
      for (const index_t out : {1, 15, 16, 17, 49, 112}) {
        INFO(rows << " rows, " << in << " to " << out);
        REQUIRE(s8_difference(s8_problem(rows, in, out), table()) == "");
      }
    }
  }
}

TEST_CASE("s8_multiply: the bits of the reference where sums are largest") {
  for (const s8_values values : {s8_values::largest, s8_values::alternating, s8_values::random}) {
    for (const index_t in : {127, 768, 3072}) {
      INFO(in << " inputs");
      const s8_problem p(19, in, 33, values);
      REQUIRE(s8_difference(p, table()) == "");
      if (values != s8_values::random) {
        // Every number is 127 or -127: float(sum) is float(in * 127 * 127).
        const float scale =
            reference::s8_rounded(reference::s8_rounded(2.5F / 127) * reference::s8_rounded(2.5F / 127));
        CHECK(p.plain[0] == reference::s8_rounded(static_cast<float>(in * 127 * 127) * scale) + p.bias[0]);
      }
    }
  }
}

TEST_CASE("s8_multiply: the bits of the reference, more rows than a block and any cut of the columns") {
  const s8_problem p(400, 1030, 64);
  for (const index_t step : {0, 16, 48}) CHECK(s8_difference(p, table(), step) == "");
}

TEST_CASE("s8_quantize_rows: refuses what is not finite, and takes tiny numbers for zeros") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  s8_problem p(1, 70, 20);
  aligned_buffer<std::uint8_t> bytes(20 * table().row_bytes(70));
  for (const index_t at : {0, 31, 69}) {
    for (const float bad : {infinity, -infinity, nan, -nan}) {
      std::vector<float> x(4 * 70, 1.0F), scales(4);
      x[static_cast<std::size_t>(2 * 70 + at)] = bad;
      x[static_cast<std::size_t>(3 * 70 + at)] = bad;
      CHECK(table().quantize_rows({bytes.data(), scales.data(), x.data(), 70, 4, 70, nullptr}) == 2);
      CHECK(scales == std::vector<float>{1.0F / 127, 1.0F / 127, 0, 0});
    }
  }
  for (const float tiny : {0.0F, std::numeric_limits<float>::denorm_min(), 0x0.ffffffp-100F}) {
    std::vector<float> x(70, tiny), y(20);
    float scale = 5;
    CHECK(table().quantize_rows({bytes.data(), &scale, x.data(), 70, 1, 70, nullptr}) == -1);
    CHECK(scale == 0);
    table().multiply({p.weight(), bytes.data(), &scale, y.data(), 20, nullptr, 0, nullptr, 1, 0, 20});
    CHECK(y == p.bias);
  }
  for (const float ends : {0x1p-100F, std::numeric_limits<float>::max()}) {
    std::vector<float> x(70, 0.25F * ends);
    x[7] = -ends;
    float scale = 0;
    CHECK(table().quantize_rows({bytes.data(), &scale, x.data(), 70, 1, 70, nullptr}) == -1);
    CHECK(scale == ends / 127);
  }
}

TEST_CASE("s8_quantize_rows: from the largest magnitudes that a product left, the same bytes") {
  const s8_problem p(5, 100, 130);
  const index_t row_bytes = table().row_bytes(130);
  aligned_buffer<std::uint8_t> x(20 * table().row_bytes(100)), found(5 * row_bytes), given(5 * row_bytes);
  std::vector<float> x_scales(5), y(5 * 130), found_scales(5), given_scales(5);
  std::vector<std::int32_t> largest(5 * 16);
  table().quantize_rows({x.data(), x_scales.data(), p.x.data(), p.x_stride, 5, 100, nullptr});
  table().multiply_gelu({p.weight(), x.data(), x_scales.data(), y.data(), 130, nullptr, 0, largest.data(), 5, 0, 130});
  table().quantize_rows({found.data(), found_scales.data(), y.data(), 130, 5, 130, nullptr});
  table().quantize_rows({given.data(), given_scales.data(), y.data(), 130, 5, 130, largest.data()});
  CHECK(found_scales == given_scales);
  CHECK(std::equal(found.begin(), found.end(), given.begin()));
}

TEST_CASE("gelu_in_fixed_order: near the exact function, and nothing beyond its edge") {
  double worst = 0;
  for (int i = -12000; i <= 12000; ++i) {
    const float x = static_cast<float>(i) / 1000.0F;
    const double exact = 0.5 * x * std::erfc(-static_cast<double>(x) * std::sqrt(0.5));
    worst = std::max(worst, std::abs(exact - static_cast<double>(reference::s8_gelu(x))));
  }
  CHECK(worst < 1e-6);
  for (const float x : {5.5F, 6.0F, 1e6F, 3e38F}) {
    CHECK(reference::s8_gelu(x) == x);
    CHECK(reference::s8_gelu(-x) == 0);
  }
}
