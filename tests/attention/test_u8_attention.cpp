// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/attention/u8/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "inhibitor/reference/attention.hpp"
#include "inhibitor/reference/u8_attention.hpp"
#include "support/catch.hpp"
#include "support/u8_problem.hpp"

namespace {

using namespace inhibitor;
using problem = test::u8_problem;

float element(const std::vector<float>& x, const problem& p, index_t rows, index_t width, index_t b, index_t r,
              index_t h, index_t c) {
  return x[static_cast<std::size_t>(((b * rows + r) * p.shape.heads + h) * width + c)];
}

/// The integer output by the scalar twin.
std::vector<std::int32_t> twin(const problem& p) {
  const attention_shape& s = p.shape;
  std::vector<std::int32_t> out(p.out_size());
  for (index_t b = 0; b < s.batch; ++b) {
    for (index_t h = 0; h < s.heads; ++h) {
      const bool all_keys = p.options.center == centering::all_keys;
      // Keys that a key mask hides, or a boolean mask from every query, take no part (but for the mean over all keys).
      const auto used = [&](index_t j) {
        bool seen = p.pair_mask.empty();
        for (index_t i = 0; i < s.queries; ++i) {
          seen = seen || p.pair_mask[static_cast<std::size_t>((b * s.queries + i) * s.keys + j)] != 0;
        }
        if (!seen) return false;
        return p.key_mask.empty() || p.key_mask[static_cast<std::size_t>(b * s.keys + j)] != 0;
      };
      float largest = 0, largest_value = 0;
      for (index_t i = 0; i < s.queries; ++i) {
        for (index_t c = 0; c < s.head_size; ++c) {
          largest = std::max(largest, std::fabs(element(p.q, p, s.queries, s.head_size, b, i, h, c)));
        }
      }
      for (index_t j = 0; j < s.keys; ++j) {
        for (index_t c = 0; c < s.head_size && (used(j) || all_keys); ++c) {
          largest = std::max(largest, std::fabs(element(p.k, p, s.keys, s.head_size, b, j, h, c)));
        }
        for (index_t c = 0; c < s.value_size && used(j); ++c) {
          largest_value = std::max(largest_value, std::fabs(element(p.v, p, s.keys, s.value_size, b, j, h, c)));
        }
      }
      const driver::u8_steps steps(largest, largest_value);
      std::vector<std::uint8_t> q, k, magnitude, attend;
      std::vector<int> sign;
      for (index_t i = 0; i < s.queries; ++i) {
        for (index_t c = 0; c < s.head_size; ++c) {
          q.push_back(reference::u8_position(element(p.q, p, s.queries, s.head_size, b, i, h, c), steps.inverse_key));
        }
        for (index_t j = 0; j < s.keys; ++j) attend.push_back(p.attends(b, i, j) ? 1 : 0);
      }
      for (index_t j = 0; j < s.keys; ++j) {
        for (index_t c = 0; c < s.head_size; ++c) {
          k.push_back(reference::u8_position(element(p.k, p, s.keys, s.head_size, b, j, h, c), steps.inverse_key));
        }
        for (index_t c = 0; c < s.value_size; ++c) {
          const float value = element(p.v, p, s.keys, s.value_size, b, j, h, c);
          magnitude.push_back(reference::u8_magnitude(value, steps.inverse_value, p.options.is_signed));
          sign.push_back(p.options.is_signed && std::signbit(value) ? -1 : 1);
        }
      }
      const auto mean = all_keys                                       ? reference::u8_mean_over::all
                        : p.options.center == centering::attended_keys ? reference::u8_mean_over::attended
                                                                       : reference::u8_mean_over::nothing;
      const auto rule = driver::u8_rule_of(p.scale[static_cast<std::size_t>(h)], p.shift[static_cast<std::size_t>(h)],
                                           s.head_size, steps.key, steps.value);
      const auto acc = reference::u8_attention(q, k, magnitude, sign, s.queries, s.keys, s.head_size, s.value_size,
                                               rule, mean, attend.data());
      for (index_t i = 0; i < s.queries; ++i) {
        for (index_t c = 0; c < s.value_size; ++c) {
          out[static_cast<std::size_t>(((b * s.queries + i) * s.heads + h) * s.value_size + c)] =
              static_cast<std::int32_t>(acc[static_cast<std::size_t>(i * s.value_size + c)]);
        }
      }
    }
  }
  return out;
}

/// Share of the outputs that are not zero.
double live_share(const std::vector<std::int32_t>& x) {
  const auto live = std::count_if(x.begin(), x.end(), [](std::int32_t value) { return value != 0; });
  return static_cast<double>(live) / static_cast<double>(x.size());
}

std::uint64_t checksum(const std::vector<std::int32_t>& x) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  for (const std::int32_t value : x) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((static_cast<std::uint32_t>(value) >> shift) & 0xffU)) * 1099511628211ULL;
    }
  }
  return hash;
}

}  // namespace

TEST_CASE("u8::multi_head_attention_forward: equals the integer twin for extents around every block size",
          "[attention][u8]") {
  struct extents {
    index_t queries, keys, head_size, value_size;
  };
  const std::vector<extents> all = {{1, 1, 1, 1},      {1, 2, 7, 3},      {2, 31, 8, 15},    {3, 32, 9, 16},
                                    {4, 33, 15, 17},   {5, 63, 16, 31},   {7, 64, 17, 64},   {8, 65, 63, 33},
                                    {15, 127, 64, 64}, {16, 128, 65, 65}, {17, 255, 64, 63}, {33, 257, 128, 80},
                                    {2, 513, 32, 129}, {5, 300, 257, 48}, {9, 96, 256, 128}};
  for (const auto& e : all) {
    problem p(1, 2, e.queries, e.keys, e.head_size, e.value_size);
    INFO("L " << e.queries << " S " << e.keys << " D " << e.head_size << " Dv " << e.value_size);
    const auto expected = twin(p);
    CHECK(p.integers() == expected);
    p.options.skip_inhibited = true;
    CHECK(p.integers() == expected);
  }
}

TEST_CASE("u8::multi_head_attention_forward: equals the integer twin for every option", "[attention][u8]") {
  for (const auto center : {centering::none, centering::attended_keys, centering::all_keys}) {
    for (const bool is_signed : {true, false}) {
      for (const bool causal : {false, true}) {
        for (const bool masked : {false, true}) {
          for (const bool skip : {false, true}) {
            problem p(2, 2, 21, 75, 24, 20, center == centering::none ? 0.02F : 1.0F);
            p.options.center = center;
            p.options.is_signed = is_signed;
            p.mask.causal = causal;
            p.options.skip_inhibited = skip;
            if (masked) p.mask_keys(5);
            INFO("centering " << static_cast<int>(center) << " signed " << is_signed << " causal " << causal
                              << " masked " << masked << " skip " << skip);
            const auto expected = twin(p);
            CHECK(live_share(expected) > 0.5);
            CHECK(p.integers() == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("u8::multi_head_attention_forward: skipping finds far keys wherever they stand and changes no bit",
          "[attention][u8]") {
  for (const auto center : {centering::none, centering::attended_keys, centering::all_keys}) {
    for (const bool masked : {false, true}) {
      problem p(2, 2, 70, 333, 24, 20, center == centering::none ? 0.02F : 1.0F);
      for (std::size_t n = 0; n < p.k.size(); ++n) {
        if (n / (24 * 2) % 5 < 3) p.k[n] *= 5.0F;
      }
      if (masked) p.mask_keys(6);
      p.options.center = center;
      INFO("centering " << static_cast<int>(center) << " masked " << masked);
      const auto expected = twin(p);
      CHECK(live_share(expected) > 0.5);
      CHECK(p.integers() == expected);
      p.options.skip_inhibited = true;
      CHECK(p.integers() == expected);
    }
  }
}

TEST_CASE("u8::multi_head_attention_forward: equals the integer twin under a boolean mask", "[attention][u8]") {
  for (const auto center : {centering::none, centering::attended_keys, centering::all_keys}) {
    for (const bool both : {false, true}) {
      problem p(2, 2, 21, 75, 24, 20, center == centering::none ? 0.02F : 1.0F);
      p.options.center = center;
      p.options.skip_inhibited = both;
      p.mask_pairs(3);
      p.mask.causal = both;
      if (both) p.mask_keys(5);
      INFO("centering " << static_cast<int>(center) << " with other masks " << both);
      const auto expected = twin(p);
      CHECK(live_share(expected) > 0.5);
      CHECK(p.integers() == expected);
    }
  }
}

TEST_CASE("u8::multi_head_attention_forward: grouped heads, packed batches and row ranges are the plain calls",
          "[attention][u8]") {
  const index_t D = 24, Dv = 20;
  SECTION("two query heads to a key/value head") {
    problem grouped(2, 4, 9, 40, D, Dv), plain = grouped;
    grouped.shape.kv_heads = 2;
    const auto thin = [&](std::vector<float>& kept, std::vector<float>& repeated, index_t width) {
      for (std::size_t n = 0; n < repeated.size(); ++n) {
        const index_t i = static_cast<index_t>(n), head = i / width % 4, row = i / width / 4;
        repeated[n] = kept[static_cast<std::size_t>((row * 2 + head / 2) * width + i % width)];
      }
    };
    thin(grouped.k, plain.k, D);
    thin(grouped.v, plain.v, Dv);
    std::vector<std::int32_t> out(grouped.out_size());
    std::vector<float> scales(8);
    attention_workspace workspace;
    u8::multi_head_attention_forward_integers<default_isa>(
        grouped.view(out.data(), 9, Dv), scales.data(), grouped.q_view(), {grouped.k.data(), 40 * 2 * D, 2 * D, D},
        {grouped.v.data(), 40 * 2 * Dv, 2 * Dv, Dv}, grouped.shape, grouped.mask, grouped.mechanism(), workspace,
        executor());
    CHECK(out == plain.integers());
  }
  SECTION("two sequences of different lengths without padding") {
    problem packed(1, 2, 16, 43, D, Dv);
    problem first(1, 2, 5, 11, D, Dv), second(1, 2, 11, 32, D, Dv);
    const auto cut = [](const std::vector<float>& x, std::vector<float>& a, std::vector<float>& b) {
      std::copy(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(a.size()), a.begin());
      std::copy(x.begin() + static_cast<std::ptrdiff_t>(a.size()), x.end(), b.begin());
    };
    cut(packed.q, first.q, second.q);
    cut(packed.k, first.k, second.k);
    cut(packed.v, first.v, second.v);
    auto expected = first.floats();
    const auto rest = second.floats();
    expected.insert(expected.end(), rest.begin(), rest.end());
    const std::int32_t query_starts[] = {0, 5, 16}, key_starts[] = {0, 11, 43};
    packed.shape.batch = 2;
    packed.shape.query_starts = query_starts;
    packed.shape.key_starts = key_starts;
    std::vector<float> out(expected.size());
    attention_workspace workspace;
    u8::multi_head_attention_forward<default_isa>(packed.view(out.data(), 16, Dv), packed.q_view(), packed.k_view(),
                                                     packed.v_view(), packed.shape, packed.mask, packed.mechanism(),
                                                     workspace, executor());
    CHECK(out == expected);
  }
  SECTION("rows 4 to 15 of 30, the others left alone") {
    problem p(1, 2, 30, 50, D, Dv);
    p.mask.causal = true;
    auto expected = p.floats();
    p.shape.rows = {4, 15};
    const auto found = p.floats();
    const auto row = static_cast<std::ptrdiff_t>(2 * Dv);
    std::fill(expected.begin(), expected.begin() + 4 * row, 77.0F);
    std::fill(expected.begin() + 15 * row, expected.end(), 77.0F);
    CHECK(found == expected);
  }
}

TEST_CASE("u8::multi_head_attention_forward: in the caller's memory, reports a status and the same result",
          "[attention][u8]") {
  problem p(2, 2, 9, 40, 16, 24);
  const index_t bytes = u8::attention_workspace_size(p.shape, 1);
  std::vector<unsigned char> memory(static_cast<std::size_t>(bytes) + 1);
  std::vector<float> out(p.out_size());
  const auto call = [&](index_t given) {
    return u8::try_multi_head_attention_forward<default_isa>(p.view(out.data(), 9, 24), p.q_view(), p.k_view(),
                                                                p.v_view(), p.shape, p.mask, p.mechanism(),
                                                                memory.data() + 1, given, executor());
  };
  CHECK(call(bytes) == attention_status::ok);
  CHECK(out == p.floats());
  CHECK(call(bytes - 1) == attention_status::workspace_too_small);
  p.v[5] = std::numeric_limits<float>::infinity();
  CHECK(call(bytes) == attention_status::not_finite);
  p.shape.head_size = 300;
  CHECK(call(bytes) == attention_status::too_large_for_u8);
}

TEST_CASE("u8::multi_head_attention_forward: equals the integer twin for every slope and shift of the rule",
          "[attention][u8]") {
  for (const float gamma :
       {0.0F, 1e-7F, 1e-4F, 0.003F, 0.02F, 0.4F, 3.0F, 40.0F, 5000.0F, -1e-4F, -0.003F, -0.4F, -40.0F}) {
    for (const float delta : {-3.0F, -0.01F, 0.0F, 0.7F, 2.0F, 1e20F}) {
      for (const auto center : {centering::none, centering::attended_keys}) {
        problem p(1, 1, 6, 40, 16, 16, gamma, delta);
        p.options.center = center;
        INFO("gamma " << gamma << " delta " << delta << " centering " << static_cast<int>(center));
        CHECK(p.integers() == twin(p));
      }
    }
  }
}

TEST_CASE("u8::multi_head_attention_forward: is near the float definition in double", "[attention][u8]") {
  for (const auto center : {centering::attended_keys, centering::none}) {
    for (const bool causal : {false, true}) {
      problem p(1, 1, 64, 64, 64, 64, center == centering::none ? 0.1F : 1.0F,
                center == centering::none ? -6.5F : 0.5F);
      p.options.center = center;
      p.mask.causal = causal;
      p.options.normalize_by_length = causal;
      const std::size_t n = p.q.size();
      std::vector<std::uint8_t> attend;
      for (index_t i = 0; i < 64; ++i) {
        for (index_t j = 0; j < 64; ++j) attend.push_back(p.attends(0, i, j) ? 1 : 0);
      }
      std::vector<double> q(p.q.begin(), p.q.end()), k(p.k.begin(), p.k.end()), v(p.v.begin(), p.v.end()), expected(n);
      reference::attention_problem r;
      r.queries = r.keys = r.head_size = r.value_size = 64;
      r.center = center == centering::none ? reference::centered::no : reference::centered::attended_keys;
      r.normalize_by_length = causal;
      r.attend = attend.data();
      reference::attention_scalars<double> scalars;
      scalars.score_scale = static_cast<double>(p.scale[0]);
      scalars.shift = static_cast<double>(p.shift[0]);
      reference::attention_forward(expected.data(), q.data(), k.data(), v.data(), scalars, r);
      const auto out = p.floats();
      double error = 0, size = 0;
      for (std::size_t i = 0; i < n; ++i) {
        error += (static_cast<double>(out[i]) - expected[i]) * (static_cast<double>(out[i]) - expected[i]);
        size += expected[i] * expected[i];
      }
      INFO("relative error " << std::sqrt(error / size));
      CHECK(size > 1.0);
      CHECK(std::sqrt(error / size) < 0.03);
    }
  }
}

TEST_CASE("u8_rule_of: gives the threshold of the formula within a step", "[attention][u8]") {
  for (const float gamma : {0.001F, 0.01F, 0.1F, 1.0F, 10.0F, 80.0F, -0.01F, -1.0F, -10.0F}) {
    for (const float delta : {-2.0F, 0.0F, 0.5F, 1.9F}) {
      const float step_key = 0.025F, step_value = 0.012F;
      const auto rule = driver::u8_rule_of(gamma, delta, 64, step_key, step_value);
      const double slope =
          static_cast<double>(gamma) / 8 * static_cast<double>(step_key) / static_cast<double>(step_value);
      for (const std::int64_t mean : {0, 3000, 16000}) {
        for (std::int64_t d = 0; d <= 16320; d += 3) {
          const double z =
              slope * static_cast<double>(d - mean) + static_cast<double>(delta) / static_cast<double>(step_value);
          const double expected = std::min(std::max(z, 0.0), 255.0);
          const auto found = static_cast<double>(reference::u8_threshold(rule, d, mean, 1));
          // Half a step of the result, half a unit of distance in the offset, and the rounding of the slope.
          const double bound = 0.5 + 0.5 * std::fabs(slope) + 0.002 * expected + 0.3;
          if (std::fabs(found - expected) > bound) {
            INFO("gamma " << gamma << " delta " << delta << " mean " << mean << " d " << d);
            CHECK(found == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("u8::multi_head_attention_forward: has the same bits on every instruction set and for 1 to 8 workers",
          "[attention][u8]") {
  problem p(3, 4, 50, 200, 64, 64);
  p.mask_keys(9);
  p.mask.causal = true;
  const auto result = p.integers();
  CHECK(live_share(result) > 0.5);
  CHECK(checksum(result) == 0xe7d66ab0a80d866bULL);
  const auto floats = p.floats();
  for (index_t workers = 2; workers <= 8; ++workers) {
    // A pool of one thread that hands out the items in reverse order and cycles through the workers.
    index_t count = workers;
    const auto run = [](void* pool, index_t items, executor::task t, void* context) {
      const index_t n = *static_cast<index_t*>(pool);
      for (index_t i = items; i-- > 0;) t(context, i, i % n);
    };
    CHECK(p.integers(nullptr, executor(workers, run, &count)) == result);
    CHECK(p.floats(executor(workers, run, &count)) == floats);
  }
}

TEST_CASE("u8::multi_head_attention_forward: integer output times its scale is the float output", "[attention][u8]") {
  problem p(2, 3, 9, 40, 16, 24);
  std::vector<float> scales;
  const auto integers = p.integers(&scales);
  const auto floats = p.floats();
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const std::size_t h = i / 24 % 3, b = i / (9 * 3 * 24);
    CHECK(floats[i] == static_cast<float>(integers[i]) * scales[b * 3 + h]);
  }
}

TEST_CASE("u8::multi_head_attention_forward: reads strided, unaligned heads and writes nothing beside them",
          "[attention][u8]") {
  const problem p(2, 2, 5, 37, 20, 18);
  const auto expected = p.floats();
  // [B, H, L, D] with one number before each array and three after each row; gaps hold a value that must survive.
  const auto spread = [&](const std::vector<float>& x, index_t rows, index_t width) {
    std::vector<float> y(static_cast<std::size_t>(1 + 4 * rows * (width + 3)), 55.0F);
    for (index_t n = 0; n < static_cast<index_t>(x.size()); ++n) {
      const index_t c = n % width, h = n / width % 2, r = n / width / 2 % rows, b = n / width / 2 / rows;
      y[static_cast<std::size_t>(1 + ((b * 2 + h) * rows + r) * (width + 3) + c)] = x[static_cast<std::size_t>(n)];
    }
    return y;
  };
  const auto q = spread(p.q, 5, 20), k = spread(p.k, 37, 20), v = spread(p.v, 37, 18);
  std::vector<float> out(static_cast<std::size_t>(1 + 4 * 5 * 21), 55.0F);
  const auto view = [](auto* data, index_t rows, index_t width) {
    using T = std::remove_pointer_t<decltype(data)>;
    return heads_view<T>{data + 1, 2 * rows * (width + 3), width + 3, rows * (width + 3)};
  };
  attention_workspace workspace;
  u8::multi_head_attention_forward<default_isa>(view(out.data(), 5, 18), view(q.data(), 5, 20),
                                                   view(k.data(), 37, 20), view(v.data(), 37, 18), p.shape, p.mask,
                                                   p.mechanism(), workspace, executor());
  CHECK(out == spread(expected, 5, 18));
}

TEST_CASE("u8::multi_head_attention_forward: queries without keys give zeros, empty extents give nothing",
          "[attention][u8]") {
  problem late(1, 1, 6, 4, 8, 8);
  late.mask.causal = true;
  const auto out = late.floats();
  CHECK(std::all_of(out.begin(), out.begin() + 2 * 8, [](float x) { return x == 0.0F; }));
  CHECK(std::any_of(out.begin() + 2 * 8, out.end(), [](float x) { return x != 0.0F; }));

  problem masked(1, 2, 3, 5, 8, 8);
  masked.key_mask.assign(5, 0);
  masked.mask.key_mask = masked.key_mask.data();
  for (const auto center : {centering::attended_keys, centering::all_keys, centering::none}) {
    masked.options.center = center;
    for (const float x : masked.floats()) CHECK(x == 0.0F);
  }
  for (const float x : problem(1, 1, 3, 0, 8, 8).floats()) CHECK(x == 0.0F);
  CHECK(problem(1, 1, 0, 5, 8, 8).floats().empty());
  CHECK(problem(1, 1, 3, 5, 8, 0).floats().empty());
  CHECK(problem(0, 1, 3, 5, 8, 8).floats().empty());
}

TEST_CASE("u8::multi_head_attention_forward: inputs of zeros or denormals are taken as zero", "[attention][u8]") {
  for (const float value : {0.0F, std::numeric_limits<float>::denorm_min()}) {
    problem p(1, 1, 3, 5, 8, 8);
    for (auto& x : p.v) x = value;
    for (const float x : p.floats()) CHECK(x == 0.0F);
    problem same(1, 1, 3, 5, 8, 8);
    for (auto& x : same.q) x = value;
    for (auto& x : same.k) x = value;
    CHECK(same.integers() == twin(same));
  }
}

TEST_CASE("u8::multi_head_attention_forward: rejects what is not finite and says where", "[attention][u8]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity, -nan}) {
    problem q(2, 3, 5, 7, 9, 11);
    q.q[static_cast<std::size_t>(((1 * 5 + 4) * 3 + 2) * 9 + 8)] = bad;
    CHECK_THROWS_WITH(q.floats(), contains_text("q is not finite at batch 1, row 4, head 2, feature 8"));
    problem k(2, 3, 5, 7, 9, 11);
    k.k[static_cast<std::size_t>(((0 * 7 + 6) * 3 + 1) * 9 + 3)] = bad;
    CHECK_THROWS_WITH(k.floats(), contains_text("k is not finite at batch 0, row 6, head 1, feature 3"));
    problem v(2, 3, 5, 7, 9, 11);
    v.v[static_cast<std::size_t>(((1 * 7 + 0) * 3 + 0) * 11 + 10)] = bad;
    CHECK_THROWS_WITH(v.floats(), contains_text("v is not finite at batch 1, row 0, head 0, feature 10"));
    // A masked key is never read.
    v.key_mask.assign(14, 1);
    v.key_mask[7] = 0;
    v.mask.key_mask = v.key_mask.data();
    CHECK_NOTHROW(v.floats());
  }
  problem scalar(1, 2, 3, 4, 5, 6);
  scalar.shift[1] = nan;
  CHECK_THROWS_WITH(scalar.floats(), contains_text("a scalar, query"));
}

TEST_CASE("u8::multi_head_attention_forward: rejects extents and pointers it cannot take", "[attention][u8]") {
  CHECK_THROWS_WITH(problem(1, 1, 1, 1, 258, 1).floats(), contains_text("D 258"));
  CHECK_THROWS_WITH(problem(1, 1, 1, 1, 8, 1025).floats(), contains_text("Dv 1025"));
  CHECK_THROWS_AS(problem(1, 1, 1, 1, 0, 1).floats(), std::invalid_argument);
  const problem p(1, 1, 2, 3, 8, 8);
  attention_workspace workspace;
  CHECK_THROWS_AS(
      u8::multi_head_attention_forward<default_isa>(heads_view<float>{}, p.q_view(), p.k_view(), p.v_view(), p.shape,
                                                       p.mask, p.mechanism(), workspace, executor()),
      std::invalid_argument);
}

TEST_CASE("u8::multi_head_attention_forward: allocates nothing after the first call", "[attention][u8]") {
  const problem p(1, 2, 40, 300, 64, 64);
  std::vector<float> out(p.out_size());
  attention_workspace workspace;
  const auto call = [&] {
    u8::multi_head_attention_forward<default_isa>(p.view(out.data(), 40, 64), p.q_view(), p.k_view(), p.v_view(),
                                                     p.shape, p.mask, p.mechanism(), workspace, executor());
  };
  call();
  const index_t size = workspace.size();
  const auto* block = workspace.reserve(1);
  call();
  CHECK(workspace.size() == size);
  CHECK(workspace.reserve(1) == block);
  // At most 64 rows of S floats, packed keys and values included.
  CHECK(size <= 64 * 300 * 4 + 8192);
}
