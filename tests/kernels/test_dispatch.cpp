// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/dispatch/dispatch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/kernels/gemm/panel_gemm.hpp"
#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/nn/packed_linear_s8.hpp"
#include "kernels/dispatch_library.hpp"
#include "support/catch.hpp"
#include "support/no_exceptions.hpp"

namespace {

using namespace inhibitor;
using numbers = std::vector<float>;

static_assert(std::is_same_v<default_isa, isa::run_time>, "this test is built with variants");

constexpr index_t queries = 9, keys = 70, head_size = 20, value_size = 40;
const float one = 1.0F, shift = 0.1F;

numbers some_numbers(index_t n, index_t step) {
  numbers x(static_cast<std::size_t>(n));
  for (index_t i = 0; i < n; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>((i * step) % 997) / 498.0F - 1.0F;
  return x;
}

/// Everything that is compiled per instruction set, on a small problem: the bytes exactly, floats to rounding.
struct results {
  numbers exact;
  std::vector<double> rounded;
};

template <class T>
std::vector<T> cast(const numbers& x) {
  return {x.begin(), x.end()};
}

/// Calls on `Isa` in T: forward of every mechanism, backward, decoding, the layers of inference.
template <class Isa, class T>
void float_calls(std::vector<double>& out) {
  const auto q = cast<T>(some_numbers(queries * head_size, 7919)), k = cast<T>(some_numbers(keys * head_size, 5323));
  const auto v = cast<T>(some_numbers(keys * value_size, 6089));
  const heads_view<const T> q_in{q.data(), 0, head_size, 0}, k_in{k.data(), 0, head_size, 0},
      v_in{v.data(), 0, value_size, 0};
  attention_shape shape;
  shape.queries = queries;
  shape.keys = keys;
  shape.head_size = head_size;
  shape.value_size = value_size;
  attention_workspace workspace;
  const T scale = T(1), delta = T(0.1);
  const auto add = [&](const auto& x) { out.insert(out.end(), x.begin(), x.end()); };
  const auto forward = [&](const auto& mechanism) {
    using mechanism_type = std::decay_t<decltype(mechanism)>;
    std::vector<T> y(static_cast<std::size_t>(queries * value_size));
    multi_head_attention_forward<T, mechanism_type, Isa>({y.data(), 0, value_size, 0}, q_in, k_in, v_in, shape, {},
                                                         mechanism, workspace, {});
    add(y);
    growing_kv_cache<kv_cache<T, Isa>> cache(1, cache_extents{1, head_size, value_size});
    cache.template append<T>(0, k_in, v_in, keys);
    cached_attention_forward<T, mechanism_type, Isa>({y.data(), 0, value_size, 0}, q_in, cache, shape, {}, mechanism,
                                                     workspace, {});
    add(y);
  };
  const auto backward = [&](const auto& call) {
    std::vector<T> dq(q.size()), dk(k.size()), dv(v.size());
    call(heads_view<T>{dq.data(), 0, head_size, 0}, heads_view<T>{dk.data(), 0, head_size, 0},
         heads_view<T>{dv.data(), 0, value_size, 0});
    add(dq), add(dk), add(dv);
  };
  const auto dout = cast<T>(some_numbers(queries * value_size, 3571));
  const heads_view<const T> g{dout.data(), 0, value_size, 0};
  for (const bool is_signed : {true, false}) {
    for (const bool skip : {false, true}) {
      for (const centering center : {centering::none, centering::attended_keys}) {
        forward(inhibitor_attention<T>{{center, is_signed, false, skip}, {&scale, &delta, &scale}});
        forward(add_only_inhibitor_attention<T>{center, is_signed, skip, &delta});
      }
    }
    const inhibitor_attention<T> mechanism{{centering::attended_keys, is_signed, false, false},
                                           {&scale, &delta, &scale}};
    backward([&](auto dq, auto dk, auto dv) {
      multi_head_attention_backward<T, Isa>(dq, dk, dv, {}, g, q_in, k_in, v_in, shape, {}, mechanism, workspace, {});
    });
  }
  forward(dot_product_attention<T>{});
  backward([&](auto dq, auto dk, auto dv) {
    multi_head_attention_backward<T, Isa>(dq, dk, dv, g, q_in, k_in, v_in, shape, {}, dot_product_attention<T>{},
                                          workspace, {});
  });
  const typename basic_panel_gemm<Isa>::template weight<T> linear(k.data(), v.data(), keys, head_size);
  std::vector<T> y(static_cast<std::size_t>(queries * keys));
  linear.multiply(y.data(), keys, q.data(), head_size, queries, 0, keys, activation::gelu);
  add(y);
  residual_norm_rows<T, Isa>(y.data(), keys, v.data(), keys, {k.data(), q.data(), T(1e-5)}, queries, keys);
  add(y);
}

template <class Isa>
results all_calls() {
  results r;
  float_calls<Isa, float>(r.rounded);
  float_calls<Isa, double>(r.rounded);
  const numbers q = some_numbers(queries * head_size, 7919), k = some_numbers(keys * head_size, 5323);
  const numbers v = some_numbers(keys * value_size, 6089);
  attention_shape shape;
  shape.queries = queries;
  shape.keys = keys;
  shape.head_size = head_size;
  shape.value_size = value_size;
  r.exact.resize(static_cast<std::size_t>(queries * value_size));
  attention_workspace workspace;
  u8::multi_head_attention_forward<Isa>({r.exact.data(), 0, value_size, 0}, {q.data(), 0, head_size, 0},
                                        {k.data(), 0, head_size, 0}, {v.data(), 0, value_size, 0}, shape, {},
                                        inhibitor_attention<float>{{}, {&one, &shift, &one}}, workspace, {});
  linear_tensors<float> linear(keys, head_size);
  numbers weight = k, bias = some_numbers(keys, 3571);
  linear.weight.data = weight.data();
  linear.bias.data = bias.data();
  const basic_packed_linear_s8<Isa> in_bytes({linear});
  basic_quantized_rows<Isa> rows;
  numbers y(static_cast<std::size_t>(queries * keys));
  in_bytes.forward(y.data(), keys, q.data(), head_size, queries, activation::gelu, rows, {});
  r.exact.insert(r.exact.end(), y.begin(), y.end());
  return r;
}

}  // namespace

TEST_CASE("choose_variant: takes the last supported variant, or the one that is named", "[dispatch]") {
  const kernels::isa_variant* last = nullptr;
  for (const auto& variant : kernels::compiled_variants) {
    if (!variant.supported()) continue;
    last = &variant;
    CHECK(kernels::choose_variant(variant.tables->isa).tables == variant.tables);
  }
  REQUIRE(last != nullptr);
  CHECK(&kernels::choose_variant(nullptr) == last);
  CHECK(&kernels::choose_variant("") == last);
}

TEST_CASE("choose_variant: takes the best where it has no such name", "[dispatch]") {
  CHECK(&kernels::choose_variant("mmx") == &kernels::choose_variant(nullptr));
  for (const auto& variant : kernels::compiled_variants) {
    if (variant.supported()) continue;
    CHECK(&kernels::choose_variant(variant.tables->isa) == &kernels::choose_variant(nullptr));
  }
}

TEST_CASE("active_isa: is what INHIBITOR_ISA says, else the best", "[dispatch]") {
  CHECK(std::string(active_isa()) == kernels::choose_variant(std::getenv("INHIBITOR_ISA")).tables->isa);
  CHECK(panel_gemm::name() == std::string("panels ") + active_isa());
  // Given where the machine is known, that is, emulated.
  const char* expected = std::getenv("INHIBITOR_EXPECTED_ISA");
  if (expected != nullptr) CHECK(std::string(active_isa()) == expected);
}

TEST_CASE("inhibitor_add_isa_variants: a library keeps its variants in a program that has others", "[dispatch]") {
  CHECK(std::string(isa_of_library()) == "scalar");
  CHECK(std::isfinite(sum_of_library()));
}

TEST_CASE("isa::run_time: works in code without exceptions and type information", "[dispatch]") {
  CHECK(no_exceptions::largest_error() < 1e-6F);
  CHECK(no_exceptions::largest_error_of_others() < 0.1F);
}

// Run with INHIBITOR_ISA set to each instruction set in turn.
TEST_CASE("trap 21: isa::run_time: every kernel agrees with those that the test itself compiled", "[dispatch]") {
  const results expected = all_calls<best_isa>(), actual = all_calls<isa::run_time>();
  CHECK(actual.exact == expected.exact);
  REQUIRE(actual.rounded.size() == expected.rounded.size());
  double largest = 0;
  for (std::size_t i = 0; i < expected.rounded.size(); ++i) {
    largest = std::max(largest, std::abs(actual.rounded[i] - expected.rounded[i]));
  }
  CHECK(largest < 1e-3);
}
