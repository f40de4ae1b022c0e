// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/attention/kv_cache.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "support/random.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

/// Tokens of B sequences: everything that decoding reads, [B,L,H,D].
struct tokens {
  index_t batch, length, heads, kv_heads, D, Dv;
  std::vector<float> q, k, v, scale, shift, output_scale;
  inhibitor_options options;

  tokens(index_t B, index_t n, index_t H, index_t Hkv, index_t head_size, index_t value_size, std::uint64_t seed)
      : batch(B), length(n), heads(H), kv_heads(Hkv), D(head_size), Dv(value_size) {
    random_numbers random(seed);
    q = random.numbers<float>(B * n * H * D);
    k = random.numbers<float>(B * n * Hkv * D);
    v = random.numbers<float>(B * n * Hkv * Dv);
    scale = random.numbers<float>(H, 0.5, 1);
    shift = random.numbers<float>(H, 0, 0.5);
    output_scale = random.numbers<float>(H, 0.5, 2);
  }
  inhibitor_attention<float> mechanism() const { return {options, {scale.data(), shift.data(), output_scale.data()}}; }
  cache_extents extents() const { return {kv_heads, D, Dv}; }
  /// Shape of L queries against S keys.
  attention_shape shape(index_t B, index_t L, index_t S) const {
    attention_shape s{B, heads, L, S, D, Dv};
    s.kv_heads = kv_heads;
    return s;
  }
  heads_view<const float> rows(const std::vector<float>& x, index_t H, index_t width, index_t b, index_t row) const {
    return {x.data() + (b * length + row) * H * width, length * H * width, H * width, width};
  }
  heads_view<const float> q_from(index_t b, index_t row) const { return rows(q, heads, D, b, row); }
  heads_view<const float> k_from(index_t b, index_t row) const { return rows(k, kv_heads, D, b, row); }
  heads_view<const float> v_from(index_t b, index_t row) const { return rows(v, kv_heads, Dv, b, row); }
  heads_view<float> out_view(std::vector<float>& out, index_t L) const {
    out.assign(out.size(), 77.0F);
    return {out.data(), L * heads * Dv, heads * Dv, Dv};
  }
  /// Queries [first, first + L) of sequence b against its first S keys, without a cache.
  template <class Mechanism>
  std::vector<float> uncached(index_t b, index_t first, index_t L, index_t S, bool causal, const Mechanism& m) const {
    std::vector<float> out(static_cast<std::size_t>(L * heads * Dv));
    attention_workspace workspace;
    multi_head_attention_forward<float>(out_view(out, L), q_from(b, first), k_from(b, 0), v_from(b, 0), shape(1, L, S),
                                        {nullptr, causal, {}}, m, workspace, {});
    return out;
  }
};

struct memory_block {
  std::vector<unsigned char> bytes;
  explicit memory_block(index_t n) : bytes(static_cast<std::size_t>(n), 0xA5) {}
  void* data() { return bytes.data(); }
  index_t size() const { return static_cast<index_t>(bytes.size()); }
};

template <class Mechanism>
void check_decoding(const tokens& t, const Mechanism& mechanism, const executor& workers = {}) {
  growing_kv_cache<kv_cache<float>> cache(t.batch, t.extents());
  memory_block workspace(cached_attention_workspace_size<float>(t.shape(t.batch, 1, t.length), workers.workers()));
  for (index_t n = 1; n <= t.length; ++n) {
    // The second sequence starts later and gets its first tokens at once.
    for (index_t b = 0; b < t.batch; ++b) {
      const index_t wanted = b == 0 ? n : n / 2;
      const index_t missing = wanted - cache[b].length();
      if (missing > 0) cache.append<float>(b, t.k_from(b, cache[b].length()), t.v_from(b, cache[b].length()), missing);
    }
    std::vector<float> out(static_cast<std::size_t>(t.batch * t.heads * t.Dv));
    const auto status = try_cached_attention_forward<float>(t.out_view(out, 1), t.q_from(0, n - 1), cache.caches(),
                                                            t.shape(t.batch, 1, cache.longest()), {}, mechanism,
                                                            workspace.data(), workspace.size(), workers);
    REQUIRE(status == attention_status::ok);
    for (index_t b = 0; b < t.batch; ++b) {
      const auto expected = t.uncached(b, n - 1, 1, cache[b].length(), false, mechanism);
      const auto begin = out.begin() + b * t.heads * t.Dv;
      INFO("token " << n << " sequence " << b);
      CHECK(std::equal(expected.begin(), expected.end(), begin));
    }
  }
}

}  // namespace

TEST_CASE("kv_cache: decoding token by token has the bits of calls without a cache", "[attention]") {
  const auto center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const bool is_signed = GENERATE(true, false), skip = GENERATE(false, true);
  tokens t(2, 70, 4, 2, 5, 7, 71);
  t.options.center = center;
  t.options.is_signed = is_signed;
  t.options.skip_inhibited = skip;
  if (center == centering::none) {
    for (float& s : t.shift) s -= 1.5F;
  }
  check_decoding(t, t.mechanism());
}

TEST_CASE("kv_cache: the dot product and a model's sizes", "[attention]") {
  check_decoding(tokens(2, 70, 3, 3, 5, 7, 72), dot_product_attention<float>{});
  const tokens t(1, 140, 2, 1, 64, 64, 73);
  check_decoding(t, t.mechanism());
  check_decoding(tokens(2, 40, 2, 2, 3, 0, 74), dot_product_attention<float>{});
}

TEST_CASE("kv_cache: queries and keys that share an offset", "[attention]") {
  tokens t(2, 70, 4, 2, 16, 7, 77);
  for (auto* numbers : {&t.q, &t.k}) {
    for (float& x : *numbers) x += 100.0F;
  }
  check_decoding(t, t.mechanism());
}

TEST_CASE("kv_cache: chunks under a causal mask and row ranges, any number of workers", "[attention]") {
  const tokens t(1, 100, 4, 2, 9, 10, 75);
  kv_cache<float> cache;
  memory_block memory(kv_cache<float>::bytes(t.extents(), 100));
  cache = kv_cache<float>(t.extents(), memory.data(), 100);
  memory_block workspace(cached_attention_workspace_size<float>(t.shape(1, 40, 100), 8));
  index_t first = 0;
  for (const index_t chunk : {1, 30, 8, 40, 21}) {
    REQUIRE(cache.append(t.k_from(0, first), t.v_from(0, first), chunk) == attention_status::ok);
    const auto expected = t.uncached(0, first, chunk, first + chunk, true, t.mechanism());
    for (const index_t workers : {1, 3, 8}) {
      std::vector<float> out(expected.size());
      attention_shape shape = t.shape(1, chunk, 100);
      const auto view = t.out_view(out, chunk);
      for (const auto& range : {row_range{0, 4}, {4, PTRDIFF_MAX}}) {
        shape.rows = range;
        CHECK(try_cached_attention_forward<float>(view, t.q_from(0, first), &cache, shape, {nullptr, true, {}},
                                                  t.mechanism(), workspace.data(), workspace.size(),
                                                  thread_executor(workers)) == attention_status::ok);
      }
      CHECK(out == expected);
    }
    first += chunk;
  }
}

TEST_CASE("kv_cache: appending writes a row and no more", "[attention]") {
  const tokens t(1, 100, 2, 2, 64, 32, 76);
  memory_block memory(kv_cache<float>::bytes(t.extents(), 100));
  kv_cache<float> cache(t.extents(), memory.data(), 100);
  const index_t row = 2 * (64 + 1 + 2 * 32) * index_t{sizeof(float)};  // key, its sum, value, sum of values
  const index_t block = cache.capacity() - 100 + 64;                   // more than the keys of a block
  index_t cleared = 0;
  for (index_t n = 0; n < 100; ++n) {
    const auto before = memory.bytes;
    CHECK(cache.append(t.k_from(0, n), t.v_from(0, n), 1) == attention_status::ok);
    index_t changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) changed += before[i] != memory.bytes[i] ? 1 : 0;
    if (changed > row) ++cleared;  // a new block
    CHECK(changed <= row + 2 * block * 65 * index_t{sizeof(float)});
  }
  const index_t block_keys = kv_cache<float>(t.extents(), memory.data(), 1).capacity();
  CHECK(block_keys > 1);
  CHECK(cleared <= (100 + block_keys - 1) / block_keys);  // the last one begun
}

TEST_CASE("kv_cache: refuses what does not fit and changes nothing", "[attention]") {
  const tokens t(1, 100, 4, 2, 5, 7, 77);
  memory_block memory(kv_cache<float>::bytes(t.extents(), 3));
  kv_cache<float> cache(t.extents(), memory.data(), 3);
  const index_t room = cache.capacity();
  CHECK(cache.append(t.k_from(0, 0), t.v_from(0, 0), room + 1) == attention_status::cache_full);
  CHECK(cache.append(t.k_from(0, 0), t.v_from(0, 0), -1) == attention_status::bad_extent);
  CHECK(cache.append({}, t.v_from(0, 0), 1) == attention_status::null_pointer);
  CHECK(cache.append(t.k_from(0, 0), {}, 1) == attention_status::null_pointer);
  CHECK(cache.append({}, {}, 0) == attention_status::ok);
  CHECK(cache.length() == 0);
  REQUIRE(cache.append(t.k_from(0, 0), t.v_from(0, 0), 3) == attention_status::ok);

  const index_t bytes = cached_attention_workspace_size<float>(t.shape(1, 2, 3), 1);
  memory_block workspace(bytes);
  std::vector<float> out(2 * 4 * 7);
  const auto view = t.out_view(out, 2);
  const auto call = [&](const kv_cache<float>* caches, const attention_shape& s, const attention_mask& m = {},
                        index_t size = 0) {
    return try_cached_attention_forward<float>(view, t.q_from(0, 0), caches, s, m, t.mechanism(), workspace.data(),
                                               size == 0 ? bytes : size, {});
  };
  const attention_shape good = t.shape(1, 2, 3);
  CHECK(call(nullptr, good) == attention_status::null_pointer);
  CHECK(call(&cache, t.shape(1, 2, 2)) == attention_status::bad_extent);  // longer than the shape says
  attention_shape bad = good;
  bad.head_size = 6;
  CHECK(call(&cache, bad) == attention_status::bad_extent);
  bad = good;
  bad.kv_heads = 4;
  CHECK(call(&cache, bad) == attention_status::bad_kv_heads);
  bad.kv_heads = 3;
  CHECK(call(&cache, bad) == attention_status::bad_kv_heads);
  const std::uint8_t mask[6] = {1, 1, 1, 1, 1, 1};
  CHECK(call(&cache, good, {mask, false, {}}) == attention_status::unsupported_mask);
  CHECK(call(&cache, good, {nullptr, false, {mask, 0, 3}}) == attention_status::unsupported_mask);
  CHECK(call(&cache, good, {}, bytes - 1) == attention_status::workspace_too_small);
  CHECK(std::all_of(out.begin(), out.end(), [](float x) { return x == 77.0F; }));
  CHECK(call(&cache, good) == attention_status::ok);
  cache.clear();
  CHECK(call(&cache, good) == attention_status::ok);  // no keys
  CHECK(std::all_of(out.begin(), out.end(), [](float x) { return x == 0.0F; }));
}

TEST_CASE("growing_kv_cache: allocates when it doubles, decoding in between allocates nothing", "[attention]") {
  const tokens t(1, 1000, 2, 2, 8, 8, 78);
  growing_kv_cache<kv_cache<float>> cache(1, t.extents());
  memory_block workspace(cached_attention_workspace_size<float>(t.shape(1, 1, 1000), 1));
  std::vector<float> out(16);
  const auto mechanism = t.mechanism();
  std::vector<float> again(16);
  const long start = allocations;
  attention_workspace grown;
  for (index_t n = 0; n < 1000; ++n) {
    cache.append<float>(0, t.k_from(0, n), t.v_from(0, n), 1);
    const auto status =
        try_cached_attention_forward<float>(t.out_view(out, 1), t.q_from(0, n), cache.caches(), t.shape(1, 1, n + 1),
                                            {}, mechanism, workspace.data(), workspace.size(), {});
    if (status != attention_status::ok) FAIL(describe(status));
    cached_attention_forward<float>(t.out_view(again, 1), t.q_from(0, n), cache, t.shape(1, 1, 0), {}, mechanism, grown,
                                    {});
    if (out != again) FAIL("token " << n);
  }
  CHECK(allocations - start <= 20);  // 1000 keys are at most ten doublings of the cache and as many of the workspace
  CHECK(cache.longest() == 1000);
  const auto expected = t.uncached(0, 999, 1, 1000, false, mechanism);
  CHECK(out == expected);
  CHECK_THROWS_AS(cache.append<float>(1, t.k_from(0, 0), t.v_from(0, 0), 1), std::invalid_argument);
  CHECK_THROWS_AS(cache.append<float>(0, {}, {}, 1), std::invalid_argument);
  CHECK_THROWS_AS(cached_attention_forward<float>(t.out_view(out, 1), t.q_from(0, 0), cache, t.shape(2, 1, 0), {},
                                                  mechanism, grown, {}),
                  std::invalid_argument);
  CHECK_THROWS_AS(growing_kv_cache<kv_cache<float>>(-1, t.extents()), std::invalid_argument);
}

namespace {

float largest(const std::vector<float>& x) {
  float most = 0;
  for (const float e : x) most = std::max(most, std::fabs(e));
  return most;
}

/// The u8 call without a cache, whose steps come from the numbers it is given.
std::vector<float> u8_uncached(const tokens& t, index_t first, index_t L, index_t S, bool causal) {
  std::vector<float> out(static_cast<std::size_t>(L * t.heads * t.Dv));
  attention_workspace workspace;
  u8::multi_head_attention_forward(t.out_view(out, L), t.q_from(0, first), t.k_from(0, 0), t.v_from(0, 0),
                                   t.shape(1, L, S), {nullptr, causal, {}}, t.mechanism(), workspace, {});
  return out;
}

}  // namespace

TEST_CASE("u8::kv_cache: decoding has the bits of u8 calls whose numbers have the same range", "[attention][u8]") {
  const auto center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const bool is_signed = GENERATE(true, false), skip = GENERATE(false, true);
  tokens t(1, 70, 4, 2, 13, 21, 81);
  t.options.center = center;
  t.options.is_signed = is_signed;
  t.options.skip_inhibited = skip;
  if (center == centering::none) {
    for (float& s : t.shift) s -= 2.0F;
  }
  // Every head of the first token holds the largest magnitudes of all, so every call takes the same steps.
  for (index_t h = 0; h < 2; ++h) {
    t.k[static_cast<std::size_t>(h * 13)] = 1.25F;
    t.v[static_cast<std::size_t>(h * 21)] = -1.5F;
  }
  const std::vector<float> key_range(2, 1.25F), value_range(2, 1.5F);
  growing_kv_cache<u8::kv_cache> cache(1, t.extents(), key_range.data(), value_range.data(), is_signed);
  memory_block workspace(u8::cached_attention_workspace_size(t.shape(1, 5, 70), 1));
  const auto decode = [&](index_t first, index_t L, bool causal) {
    std::vector<float> out(static_cast<std::size_t>(L * 4 * 21));
    cache.append<float>(0, t.k_from(0, first), t.v_from(0, first), L);
    const auto status = u8::try_cached_attention_forward(t.out_view(out, L), t.q_from(0, first), cache.caches(),
                                                         t.shape(1, L, cache.longest()), {nullptr, causal, {}},
                                                         t.mechanism(), workspace.data(), workspace.size(), {});
    CHECK(status == attention_status::ok);
    std::vector<float> again(out.size());
    attention_workspace grown;
    u8::cached_attention_forward(t.out_view(again, L), t.q_from(0, first), cache, t.shape(1, L, 0),
                                 {nullptr, causal, {}}, t.mechanism(), grown, {});
    CHECK(out == again);
    return out;
  };
  for (index_t n = 0; n < 65; ++n) CHECK(decode(n, 1, false) == u8_uncached(t, n, 1, n + 1, false));
  CHECK(decode(65, 5, true) == u8_uncached(t, 65, 5, 70, true));
  CHECK(cache[0].limited() == 0);
  CHECK(largest(u8_uncached(t, 65, 5, 70, true)) > 0);
}

TEST_CASE("u8::kv_cache: holds the bytes that the packing functions write", "[attention][u8]") {
  const bool is_signed = GENERATE(true, false);
  const index_t D = GENERATE(1, 8, 64, 77), Dv = GENERATE(1, 16, 64, 77);
  const tokens t(1, 96, 1, 1, D, Dv, 82);
  const float key_range = 1, value_range = 1;
  memory_block memory(u8::kv_cache::bytes(t.extents(), 96));
  u8::kv_cache cache(t.extents(), memory.data(), 96, &key_range, &value_range, is_signed);
  REQUIRE(cache.append(t.k_from(0, 0), t.v_from(0, 0), 70) == attention_status::ok);
  std::vector<std::uint8_t> keys(static_cast<std::size_t>(kernels::u8_key_bytes(70, D)));
  std::vector<std::uint8_t> values(static_cast<std::size_t>(kernels::u8_value_bytes(70, Dv))), bound(128);
  const driver::u8_steps& steps = cache.steps(0);
  const auto& table = kernels::u8_kernels<best_isa>();
  table.pack_keys(keys.data(), driver::u8_rows(t.k.data(), D, 70), D, steps.inverse_key);
  (is_signed ? table.pack_signed_values : table.pack_unsigned_values)(
      values.data(), bound.data(), driver::u8_rows(t.v.data(), Dv, 70), Dv, steps.inverse_value);
  CHECK(std::equal(keys.begin(), keys.end(), cache.head(0).keys));
  CHECK(std::equal(values.begin(), values.end(), cache.head(0).values));
  CHECK(std::equal(bound.begin(), bound.begin() + 70, cache.head(0).bound));
}

TEST_CASE("u8::kv_cache: numbers beyond the range are limited to it and counted", "[attention][u8]") {
  tokens t(1, 40, 2, 2, 6, 5, 83);
  const std::vector<float> key_range = {0.5F, 0.75F}, value_range = {0.5F, 1.0F};
  growing_kv_cache<u8::kv_cache> wide(1, t.extents(), key_range.data(), value_range.data(), true);
  wide.append<float>(0, t.k_from(0, 0), t.v_from(0, 0), 40);
  tokens limited = t;
  index_t count = 0;
  const auto limit = [&](std::vector<float>& x, index_t width, const std::vector<float>& range, float most, float least,
                         float steps) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float r = range[i / static_cast<std::size_t>(width) % 2];
      const float n = std::nearbyint(x[i] * (steps / r));
      count += n > most || n < least ? 1 : 0;
      x[i] = n > most ? r * most / steps : n < least ? r * least / steps : x[i];
    }
  };
  limit(limited.k, 6, key_range, 127, -128, 127);
  limit(limited.v, 5, value_range, 255, -255, 255);
  CHECK(count > 0);
  CHECK(wide[0].limited() == count);
  growing_kv_cache<u8::kv_cache> within(1, t.extents(), key_range.data(), value_range.data(), true);
  within.append<float>(0, limited.k_from(0, 0), limited.v_from(0, 0), 40);
  CHECK(within[0].limited() == 0);
  for (index_t h = 0; h < 2; ++h) {
    CHECK(
        std::equal(wide[0].head(h).keys, wide[0].head(h).keys + kernels::u8_key_bytes(40, 6), within[0].head(h).keys));
    CHECK(std::equal(wide[0].head(h).values, wide[0].head(h).values + kernels::u8_value_bytes(40, 5),
                     within[0].head(h).values));
  }
}

TEST_CASE("u8::kv_cache: refuses what is not finite or does not fit and changes nothing", "[attention][u8]") {
  tokens t(1, 100, 2, 2, 6, 5, 84);
  const std::vector<float> range(2, 1.0F);
  memory_block memory(u8::kv_cache::bytes(t.extents(), 32));
  u8::kv_cache cache(t.extents(), memory.data(), 32, range.data(), range.data(), true);
  REQUIRE(cache.append(t.k_from(0, 0), t.v_from(0, 0), 2) == attention_status::ok);
  const auto before = memory.bytes;
  for (auto* x : {&t.k, &t.v}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      const std::size_t place = x == &t.k ? 35 : 29;  // the last feature of row 2
      const float kept = (*x)[place];
      (*x)[place] = bad;
      CHECK(cache.append(t.k_from(0, 1), t.v_from(0, 1), 2) == attention_status::not_finite);
      (*x)[place] = kept;
    }
  }
  CHECK(cache.append(t.k_from(0, 0), t.v_from(0, 0), 31) == attention_status::cache_full);
  CHECK(cache.append({}, t.v_from(0, 0), 1) == attention_status::null_pointer);
  CHECK(cache.length() == 2);
  CHECK(memory.bytes == before);

  memory_block workspace(u8::cached_attention_workspace_size(t.shape(1, 1, 2), 1));
  std::vector<float> out(10);
  const auto call = [&](const attention_shape& s, const attention_mask& mask = {}) {
    return u8::try_cached_attention_forward(t.out_view(out, 1), t.q_from(0, 0), &cache, s, mask, t.mechanism(),
                                            workspace.data(), workspace.size(), {});
  };
  CHECK(call(t.shape(1, 1, 2)) == attention_status::ok);
  CHECK(call(t.shape(1, 1, 1)) == attention_status::bad_extent);
  const std::uint8_t mask[2] = {1, 1};
  CHECK(call(t.shape(1, 1, 2), {mask, false, {}}) == attention_status::unsupported_mask);
  t.options.is_signed = false;
  CHECK(call(t.shape(1, 1, 2)) == attention_status::bad_option);
  t.options.is_signed = true;
  t.q[3] = std::numeric_limits<float>::infinity();
  CHECK(call(t.shape(1, 1, 2)) == attention_status::not_finite);
}

TEST_CASE("u8::kv_cache: decoding allocates nothing", "[attention][u8]") {
  const tokens t(1, 64, 2, 2, 16, 16, 85);
  const std::vector<float> range(2, 1.0F);
  memory_block memory(u8::kv_cache::bytes(t.extents(), 64));
  u8::kv_cache cache(t.extents(), memory.data(), 64, range.data(), range.data(), true);
  memory_block workspace(u8::cached_attention_workspace_size(t.shape(1, 1, 64), 1));
  std::vector<float> out(32);
  const auto mechanism = t.mechanism();
  const long before = allocations;
  for (index_t n = 0; n < 64; ++n) {
    const auto appended = cache.append(t.k_from(0, n), t.v_from(0, n), 1);
    const auto status = u8::try_cached_attention_forward(t.out_view(out, 1), t.q_from(0, n), &cache, t.shape(1, 1, 64),
                                                         {}, mechanism, workspace.data(), workspace.size(), {});
    if (appended != attention_status::ok || status != attention_status::ok) FAIL("refused");
  }
  CHECK(allocations == before);
}

TEST_CASE("growing_kv_cache: reordered sequences attend as their parents do, and go on apart", "[attention]") {
  const tokens t(3, 40, 2, 1, 8, 8, 5);
  growing_kv_cache<kv_cache<float>> cache(t.batch, t.extents());
  const index_t lengths[] = {9, 30, 17};
  for (index_t b = 0; b < 3; ++b) cache.append<float>(b, t.k_from(b, 0), t.v_from(b, 0), lengths[b]);
  const std::vector<index_t> parents{2, 1, 2, 2};
  cache.reorder(parents);
  REQUIRE(cache.batch() == 4);
  // The first goes on with a token of its own.
  cache.append<float>(0, t.k_from(2, 17), t.v_from(2, 17), 1);
  std::vector<float> q, out(static_cast<std::size_t>(4 * t.heads * t.Dv));
  for (const index_t parent : parents) {
    const float* row = t.q_from(parent, 5).data;
    q.insert(q.end(), row, row + t.heads * t.D);
  }
  attention_workspace workspace;
  const index_t width = t.heads * t.D;
  cached_attention_forward<float>({out.data(), t.heads * t.Dv, t.heads * t.Dv, t.Dv}, {q.data(), width, width, t.D},
                                  cache, t.shape(4, 1, 0), {}, t.mechanism(), workspace, {});
  for (std::size_t i = 0; i < 4; ++i) {
    const index_t keys = i == 0 ? 18 : lengths[parents[i]];
    const std::vector<float> expected = t.uncached(parents[i], 5, 1, keys, false, t.mechanism());
    CHECK(std::equal(expected.begin(), expected.end(), out.begin() + static_cast<index_t>(i) * t.heads * t.Dv));
  }
  CHECK_THROWS_AS(cache.reorder({4}), std::invalid_argument);
  cache.reorder({});
  CHECK(cache.batch() == 0);
}
