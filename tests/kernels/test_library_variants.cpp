// SPDX-License-Identifier: Apache-2.0
// A program without variants that links a library which has some.
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "kernels/dispatch_library.hpp"
#include "support/catch.hpp"

TEST_CASE("inhibitor_add_isa_variants: a library keeps its variants in a program that has none", "[dispatch]") {
  using namespace inhibitor;
  CHECK(std::string(isa_of_library()) == "scalar");
  CHECK(std::is_same_v<default_isa, best_isa>);
  CHECK(std::string(active_isa()) == isa_name<best_isa>());
  // The same extents and numbers here, on the instruction set of the compiler flags.
  constexpr index_t n = 20;
  std::vector<float> x(n * n), out(n * n);
  for (int i = 0; i < n * n; ++i) x[static_cast<std::size_t>(i)] = static_cast<float>((i * 37) % 101) / 50.0F - 1.0F;
  const float one = 1.0F;
  const heads_view<const float> in{x.data(), 0, n, 0};
  attention_workspace workspace;
  multi_head_attention_forward<float>({out.data(), 0, n, 0}, in, in, in, {1, 1, n, n, n, n}, {},
                                      inhibitor_attention<float>{{}, {&one, &one, &one}}, workspace, {});
  double sum = 0;
  for (int i = 0; i < n * n; ++i) sum += static_cast<double>(out[static_cast<std::size_t>(i)]) * (i % 7);
  CHECK(std::abs(static_cast<double>(sum_of_library()) - sum) < 1e-3);
}
