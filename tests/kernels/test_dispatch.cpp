// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/dispatch/dispatch.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "inhibitor/attention/u8/attention.hpp"
#include "support/catch.hpp"

namespace {

using namespace inhibitor;

/// u8 attention of a small problem through `table`.
std::vector<float> attention(const kernels::u8_table& table) {
  constexpr index_t queries = 9, keys = 70, head_size = 20, value_size = 40;
  const auto numbers = [](index_t n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    for (index_t i = 0; i < n; ++i)
      x[static_cast<std::size_t>(i)] = static_cast<float>((i * 7919) % 997) / 498.0F - 1.0F;
    return x;
  };
  const auto q = numbers(queries * head_size), k = numbers(keys * head_size), v = numbers(keys * value_size);
  const float one = 1.0F, shift = 0.1F;
  const inhibitor_attention<float> mechanism{{}, {&one, &shift, &one}};
  attention_shape shape;
  shape.queries = queries;
  shape.keys = keys;
  shape.head_size = head_size;
  shape.value_size = value_size;
  std::vector<float> out(static_cast<std::size_t>(queries * value_size));
  attention_workspace workspace;
  detail::u8_output output;
  output.floats = {out.data(), 0, value_size, 0};
  detail::u8_attention_checked(output, {q.data(), 0, head_size, 0}, {k.data(), 0, head_size, 0},
                               {v.data(), 0, value_size, 0}, shape, {}, mechanism, workspace, executor(), table);
  return out;
}

}  // namespace

TEST_CASE("choose_variant: takes the last supported variant, or the one that is named", "[dispatch]") {
  const kernels::isa_variant* last = nullptr;
  for (const auto& variant : kernels::compiled_variants) {
    if (!variant.supported()) continue;
    last = &variant;
    CHECK(std::string(kernels::choose_variant(variant.name).name) == variant.name);
    CHECK(std::string(variant.u8().isa) == variant.name);
  }
  REQUIRE(last != nullptr);
  CHECK(&kernels::choose_variant(nullptr) == last);
  CHECK(&kernels::choose_variant("") == last);
}

TEST_CASE("choose_variant: names what there is when asked for what is not", "[dispatch]") {
  CHECK_THROWS_WITH(kernels::choose_variant("mmx"), contains_text("\"mmx\"") && contains_text("scalar"));
  for (const auto& variant : kernels::compiled_variants) {
    if (!variant.supported()) CHECK_THROWS_AS(kernels::choose_variant(variant.name), std::invalid_argument);
  }
}

TEST_CASE("active_isa: is what INHIBITOR_ISA says, else the best", "[dispatch]") {
  CHECK(std::string(active_isa()) == kernels::choose_variant(std::getenv("INHIBITOR_ISA")).name);
  // Given where the machine is known, that is, emulated.
  const char* expected = std::getenv("INHIBITOR_EXPECTED_ISA");
  if (expected != nullptr) CHECK(std::string(active_isa()) == expected);
}

TEST_CASE("trap 21: u8 kernels: every compiled variant gives the same bits", "[dispatch][u8]") {
  const auto expected = attention(kernels::u8_tables<isa::run_time>::get());
  int compared = 0;
  for (const auto& variant : kernels::compiled_variants) {
    if (!variant.supported()) continue;
    INFO(variant.name);
    CHECK(attention(variant.u8()) == expected);
    ++compared;
  }
  CHECK(compared >= 1);
}
