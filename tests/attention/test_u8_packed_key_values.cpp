// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/attention/u8/packed_key_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/u8_problem.hpp"

namespace {

using namespace inhibitor;
using problem = test::u8_problem;

/// Largest |q| per head: with it the packed call has the range of the call from floats, if keys do not exceed it.
std::vector<float> query_range(const problem& p) {
  std::vector<float> range(static_cast<std::size_t>(p.shape.heads));
  const std::size_t heads = range.size(), head_size = static_cast<std::size_t>(p.shape.head_size);
  for (std::size_t i = 0; i < p.q.size(); ++i) {
    float& r = range[i / head_size % heads];
    r = std::max(r, std::fabs(p.q[i]));
  }
  return range;
}

std::vector<float> attention(const problem& p, const u8::packed_key_values& memory) {
  std::vector<float> out(p.out_size(), 77.0F);
  attention_workspace workspace;
  u8::packed_attention_forward<default_isa>(p.view(out.data(), p.shape.queries, p.shape.value_size), p.q_view(),
                                               memory, p.shape, p.mask, p.mechanism(), workspace, executor());
  return out;
}

u8::packed_key_values pack(const problem& p, const float* range) {
  u8::packed_key_values memory;
  memory.pack<default_isa>(p.k_view(), p.v_view(), p.shape, p.mask, p.options, range, executor());
  return memory;
}

}  // namespace

TEST_CASE("u8::packed_key_values: packed once, gives the bits of the call from floats", "[attention][u8]") {
  for (const auto center : {centering::none, centering::attended_keys, centering::all_keys}) {
    for (const bool is_signed : {true, false}) {
      // Steps are per batch item and head; one item makes the range of its queries that of the head.
      problem p(1, 3, 20, 90, 40, 24, center == centering::none ? 0.02F : 1.0F);
      p.options.center = center;
      p.options.is_signed = is_signed;
      p.mask_keys(4);
      p.mask.causal = is_signed;
      const auto range = query_range(p);
      const auto memory = pack(p, range.data());
      CHECK(attention(p, memory) == p.floats());
      // Other queries against the same memory: a second call needs no second packing.
      problem second = p;
      std::reverse(second.q.begin(), second.q.end());
      const auto own = query_range(second);
      bool narrower = true;
      for (std::size_t h = 0; h < own.size(); ++h) narrower = narrower && own[h] == range[h];
      if (narrower) CHECK(attention(second, memory) == second.floats());
    }
  }
}

TEST_CASE("u8::packed_key_values: queries beyond the range are limited to it", "[attention][u8]") {
  problem p(1, 1, 4, 30, 16, 16);
  for (auto& x : p.k) x *= 0.5F;
  const auto memory = pack(p, nullptr);
  const float limit = memory.steps(0, 0).key * 127.0F;
  problem inside = p;
  for (auto& x : p.q) x = x > 0 ? 1e30F : -1e30F;
  for (auto& x : inside.q) x = x > 0 ? limit : -limit * (128.0F / 127.0F);
  CHECK(attention(p, memory) == attention(inside, memory));
}

TEST_CASE("u8::packed_key_values: rejects calls that do not fit what is packed", "[attention][u8]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  problem p(2, 2, 4, 30, 16, 16);
  p.mask_keys(4);
  const auto memory = pack(p, nullptr);
  problem longer(2, 2, 4, 31, 16, 16);
  CHECK_THROWS_WITH(attention(longer, memory), contains_text("other extents"));
  problem other_mask = p;
  other_mask.mask.key_mask = nullptr;
  CHECK_THROWS_WITH(attention(other_mask, memory), contains_text("another mask"));
  problem other_sign = p;
  other_sign.options.is_signed = false;
  CHECK_THROWS_WITH(attention(other_sign, memory), contains_text("another sign"));
  problem bad = p;
  bad.q[static_cast<std::size_t>(((1 * 4 + 3) * 2 + 0) * 16 + 5)] = nan;
  CHECK_THROWS_WITH(attention(bad, memory), contains_text("q is not finite at batch 1, row 3, head 0, feature 5"));
  problem bad_key(2, 2, 4, 30, 16, 16);
  bad_key.v[static_cast<std::size_t>(((0 * 30 + 7) * 2 + 1) * 16 + 2)] = nan;
  CHECK_THROWS_WITH(pack(bad_key, nullptr), contains_text("v is not finite at batch 0, row 7, head 1, feature 2"));
  const float negative[2] = {1.0F, -1.0F};
  CHECK_THROWS_WITH(pack(p, negative), contains_text("query range"));
}
