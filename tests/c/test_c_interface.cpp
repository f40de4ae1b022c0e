// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "c/caller.h"
#include "support/catch.hpp"
#include "support/options_case.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor::test;
using inhibitor::centering;
using inhibitor::index_t;

namespace {

/// A case of the library's own tests in the structures of C.
struct c_case : options_case<float> {
  inhibitor_rows range{};
  std::vector<std::int32_t> narrow_key_starts;

  inhibitor_shape c_shape() {
    inhibitor_shape s{};
    s.batch = shape.batch, s.heads = shape.heads, s.queries = shape.queries, s.keys = shape.keys;
    s.head_size = shape.head_size, s.value_size = shape.value_size, s.kv_heads = shape.kv_heads;
    if (!query_starts.empty()) s.query_starts = query_starts.data();
    narrow_key_starts.assign(key_starts.begin(), key_starts.end());
    if (!key_starts.empty()) s.key_starts = narrow_key_starts.data();
    range = {shape.rows.first, shape.rows.last};
    if (shape.rows.last != PTRDIFF_MAX) s.rows = &range;
    return s;
  }
  inhibitor_mask c_mask() const {
    inhibitor_mask m{};
    if (!key_mask.empty()) m.key_mask = key_mask.data();
    if (!attend.empty()) m.attend = attend.data();
    m.attend_batch_stride = shape.queries * shape.keys;
    m.attend_row_stride = shape.keys;
    m.causal = causal ? 1 : 0;
    return m;
  }
  inhibitor_mechanism c_mechanism() const {
    inhibitor_mechanism m{};
    m.kind = dot_product ? INHIBITOR_KIND_DOT_PRODUCT : INHIBITOR_KIND_INHIBITOR;
    m.center = options.center == centering::none            ? INHIBITOR_CENTER_NONE
               : options.center == centering::attended_keys ? INHIBITOR_CENTER_ATTENDED_KEYS
                                                            : INHIBITOR_CENTER_ALL_KEYS;
    m.is_unsigned = options.is_signed ? 0 : 1;
    m.normalize_by_length = options.normalize_by_length ? 1 : 0;
    m.skip_inhibited = options.skip_inhibited ? 1 : 0;
    m.score_scale = score_scale.data(), m.shift = shift.data(), m.output_scale = output_scale.data();
    return m;
  }
  case_arrays arrays() const { return {q.data(), k.data(), v.data()}; }
};

c_case small_case(std::uint64_t seed) {
  random_numbers random(seed);
  c_case c;
  c.shape.batch = 2, c.shape.heads = 4, c.shape.kv_heads = 2, c.shape.queries = 7, c.shape.keys = 19;
  c.shape.head_size = 8, c.shape.value_size = 5;
  c.fill(random, false, false, false, false);
  return c;
}

}  // namespace

TEST_CASE("C interface: forward and backward are those of the reference", "[c]") {
  c_case c = small_case(81);
  const int which = GENERATE(0, 1, 2, 3, 4);
  random_numbers random(82);
  if (which == 1) c.options.is_signed = false, c.options.center = centering::all_keys, c.causal = true;
  if (which == 2) c.options.normalize_by_length = true, c.options.skip_inhibited = true;
  if (which == 3) c.dot_product = true;
  if (which == 4) c.shape.rows = {2, 6};
  c.fill(random, which == 2, which == 1, which == 4, which == 4);
  const inhibitor_shape s = c.c_shape();
  const inhibitor_mask mask = c.c_mask();
  const inhibitor_mechanism mechanism = c.c_mechanism();
  const case_arrays in = c.arrays();
  const auto expected = c.expected();
  std::vector<float> out(c.dout.size(), 77.0F), dq(c.q.size()), dk(c.k.size()), dv(c.v.size()), ds(13);
  CHECK(call_forward(out.data(), &in, &s, &mask, &mechanism) == INHIBITOR_OK);
  CHECK(call_backward(dq.data(), dk.data(), dv.data(), ds.data(), c.dout.data(), &in, &s, &mask, &mechanism) ==
        INHIBITOR_OK);
  INFO(c.text());
  CHECK(largest_difference(out, expected.out) < 2e-5);
  CHECK(largest_difference(dq, expected.dq) < 1e-4);
  CHECK(largest_difference(dk, expected.dk) < 1e-4);
  CHECK(largest_difference(dv, expected.dv) < 1e-4);
  if (!c.dot_product) CHECK(largest_difference(ds, expected.dscalars) < 1e-3);
}

TEST_CASE("C interface: the add-only form is the inhibitor with its scales folded in", "[c]") {
  c_case c = small_case(83);
  c.score_scale.assign(5, std::sqrt(8.0F));
  c.output_scale.assign(5, 1.0F);
  const inhibitor_shape s = c.c_shape();
  const case_arrays in = c.arrays();
  inhibitor_mechanism mechanism = c.c_mechanism();
  mechanism.kind = INHIBITOR_KIND_ADD_ONLY;
  mechanism.score_scale = mechanism.output_scale = nullptr;
  std::vector<float> out(c.dout.size(), 77.0F), unused(c.k.size());
  CHECK(call_forward(out.data(), &in, &s, nullptr, &mechanism) == INHIBITOR_OK);
  CHECK(largest_difference(out, c.expected().out) < 2e-5);
  CHECK(call_backward(unused.data(), unused.data(), unused.data(), unused.data(), c.dout.data(), &in, &s, nullptr,
                      &mechanism) == INHIBITOR_BAD_ARGUMENT);
  mechanism.normalize_by_length = 1;
  CHECK(call_forward(out.data(), &in, &s, nullptr, &mechanism) == INHIBITOR_BAD_ARGUMENT);
}

TEST_CASE("C interface: bytes are near the reference, integers the same bits, caches the same rows", "[c]") {
  c_case c = small_case(84);
  c.options.is_signed = GENERATE(true, false);
  c.causal = true;
  const inhibitor_shape s = c.c_shape();
  const inhibitor_mask mask = c.c_mask();
  const inhibitor_mechanism mechanism = c.c_mechanism();
  const case_arrays in = c.arrays();
  const auto expected = c.expected().out;
  const double near = 0.05 * largest_magnitude(expected) + 0.1;
  std::vector<float> out(c.dout.size(), 77.0F), scales(8);
  std::vector<float> cached = out, u8_cached = out, from_integers = out, plain = out;
  std::vector<std::int32_t> integers(out.size());
  CHECK(call_u8(out.data(), &in, &s, &mask, &mechanism) == INHIBITOR_OK);
  CHECK(largest_difference(out, expected) < near);
  CHECK(call_u8_integers(integers.data(), scales.data(), &in, &s, &mask, &mechanism) == INHIBITOR_OK);
  for (std::size_t i = 0; i + 1 < out.size(); ++i) {
    const std::size_t head = i / 5 % 4, batch = i / (5 * 4 * 7);
    from_integers[i] = static_cast<float>(integers[i]) * scales[batch * 4 + head];
  }
  CHECK(out == from_integers);

  CHECK(call_forward(plain.data(), &in, &s, &mask, &mechanism) == INHIBITOR_OK);
  CHECK(call_cached(cached.data(), &in, &s, &mask, &mechanism) == INHIBITOR_OK);
  CHECK(cached == plain);
  const std::array<float, 2> range{1, 1};
  CHECK(call_u8_cached(u8_cached.data(), &in, &s, &mask, &mechanism, range.data(), range.data()) == INHIBITOR_OK);
  CHECK(largest_difference(u8_cached, expected) < near);
}

TEST_CASE("C interface: null pointers are a status and nothing is written", "[c]") {
  c_case c = small_case(85);
  const inhibitor_shape s = c.c_shape();
  const inhibitor_mechanism m = c.c_mechanism();
  std::vector<float> numbers(c.dout.size(), 77.0F);
  const inhibitor_tensor out{numbers.data(), 7 * 20, 20, 5}, no_out{};
  const inhibitor_input q{c.q.data(), 7 * 32, 32, 8}, k{c.k.data(), 19 * 16, 16, 8}, v{c.v.data(), 19 * 10, 10, 5};
  const inhibitor_input none{};
  size_t bytes = 0;
  REQUIRE(inhibitor_workspace_size(&bytes, INHIBITOR_CALL_FORWARD, &s, 1) == INHIBITOR_OK);
  std::vector<unsigned char> memory(bytes);
  const auto forward = inhibitor_attention_forward;
  for (const auto* bad : {static_cast<const inhibitor_input*>(nullptr), &none}) {
    CHECK(forward(&out, bad, &k, &v, &s, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
    CHECK(forward(&out, &q, bad, &v, &s, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
    CHECK(forward(&out, &q, &k, bad, &s, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
  }
  CHECK(forward(nullptr, &q, &k, &v, &s, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(forward(&no_out, &q, &k, &v, &s, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(forward(&out, &q, &k, &v, nullptr, nullptr, &m, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, nullptr, memory.data(), bytes, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, &m, nullptr, bytes, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, &m, memory.data(), bytes - 1, nullptr) == INHIBITOR_WORKSPACE_TOO_SMALL);
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, &m, memory.data(), 0, nullptr) == INHIBITOR_WORKSPACE_TOO_SMALL);
  inhibitor_mechanism scalarless = m;
  scalarless.shift = nullptr;
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, &scalarless, memory.data(), bytes, nullptr) ==
        INHIBITOR_MISSING_SCALARS);
  for (const int bad : {-1, 3, std::numeric_limits<int>::max()}) {
    inhibitor_mechanism unknown = m;
    unknown.kind = bad;
    CHECK(forward(&out, &q, &k, &v, &s, nullptr, &unknown, memory.data(), bytes, nullptr) == INHIBITOR_BAD_ARGUMENT);
    unknown = m;
    unknown.center = bad;
    CHECK(forward(&out, &q, &k, &v, &s, nullptr, &unknown, memory.data(), bytes, nullptr) == INHIBITOR_BAD_ARGUMENT);
  }
  inhibitor_mechanism dot_product{};
  dot_product.kind = INHIBITOR_KIND_DOT_PRODUCT;
  std::vector<unsigned char> more(10 * bytes);
  CHECK(inhibitor_u8_attention_forward(&out, &q, &k, &v, &s, nullptr, &dot_product, more.data(), more.size(),
                                       nullptr) == INHIBITOR_BAD_ARGUMENT);
  const inhibitor_executor nobody{0, [](void*, ptrdiff_t, inhibitor_task, void*) {}, nullptr};
  CHECK(forward(&out, &q, &k, &v, &s, nullptr, &m, memory.data(), bytes, &nobody) == INHIBITOR_BAD_ARGUMENT);
  CHECK(inhibitor_workspace_size(nullptr, 0, &s, 1) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_workspace_size(&bytes, 0, nullptr, 1) == INHIBITOR_NULL_POINTER);
  CHECK(numbers == std::vector<float>(numbers.size(), 77.0F));
}

TEST_CASE("C interface: extents of any size are a status", "[c]") {
  const inhibitor_shape good = small_case(86).c_shape();
  size_t bytes = 77;
  for (int call = 0; call < 5; ++call) {
    for (auto extent : {&inhibitor_shape::batch, &inhibitor_shape::heads, &inhibitor_shape::queries,
                        &inhibitor_shape::keys, &inhibitor_shape::head_size, &inhibitor_shape::value_size}) {
      for (const ptrdiff_t bad : {ptrdiff_t{-1}, PTRDIFF_MIN, PTRDIFF_MAX, (ptrdiff_t{1} << 31) + 1}) {
        inhibitor_shape s = good;
        s.*extent = bad;
        CHECK(inhibitor_workspace_size(&bytes, call, &s, 1) == INHIBITOR_BAD_EXTENT);
      }
    }
    const ptrdiff_t most = ptrdiff_t{1} << 31;
    inhibitor_shape s{most, most, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr};  // 2^62 heads
    CHECK(inhibitor_workspace_size(&bytes, call, &s, 1) == INHIBITOR_BAD_EXTENT);
    CHECK(inhibitor_workspace_size(&bytes, call, &good, PTRDIFF_MAX) == INHIBITOR_BAD_EXTENT);
    CHECK(inhibitor_workspace_size(&bytes, call, &good, 0) == INHIBITOR_BAD_ARGUMENT);
    CHECK(inhibitor_workspace_size(&bytes, call, &good, -5) == INHIBITOR_BAD_ARGUMENT);
  }
  CHECK(inhibitor_workspace_size(&bytes, 5, &good, 1) == INHIBITOR_BAD_ARGUMENT);
  CHECK(inhibitor_workspace_size(&bytes, -1, &good, 1) == INHIBITOR_BAD_ARGUMENT);
  CHECK(bytes == 77);
  inhibitor_shape s = good;
  s.kv_heads = 3;
  CHECK(inhibitor_workspace_size(&bytes, 0, &s, 1) == INHIBITOR_BAD_KV_HEADS);
}

TEST_CASE("C interface: caches refuse what they cannot hold", "[c]") {
  inhibitor_kv_cache* cache = nullptr;
  CHECK(inhibitor_kv_cache_create(nullptr, 1, 4, 4, 2) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_kv_cache_create(&cache, 1, 0, 4, 2) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_create(&cache, -1, 4, 4, 2) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_create(&cache, 1, 4, 4, -2) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_create(&cache, ptrdiff_t{1} << 31, 1 << 16, 1 << 16, ptrdiff_t{1} << 31) ==
        INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_create(&cache, 1 << 14, 1 << 14, 1 << 14, 1 << 30) == INHIBITOR_OUT_OF_MEMORY);
  CHECK(cache == nullptr);
  REQUIRE(inhibitor_kv_cache_create(&cache, 1, 4, 4, 2) == INHIBITOR_OK);
  const std::vector<float> numbers(4 * 4000, 0.5F);
  const inhibitor_input rows{numbers.data(), 0, 4, 4}, none{};
  const ptrdiff_t room = inhibitor_kv_cache_capacity(cache);
  CHECK(room >= 2);
  CHECK(inhibitor_kv_cache_append(cache, &rows, &rows, room + 1) == INHIBITOR_CACHE_FULL);
  CHECK(inhibitor_kv_cache_append(cache, &rows, &rows, PTRDIFF_MAX) == INHIBITOR_CACHE_FULL);
  CHECK(inhibitor_kv_cache_append(cache, &rows, &rows, -1) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_append(cache, &rows, &none, 1) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_kv_cache_append(cache, nullptr, &rows, 1) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_kv_cache_append(nullptr, &rows, &rows, 1) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_kv_cache_length(cache) == 0);
  CHECK(inhibitor_kv_cache_append(cache, &rows, &rows, room) == INHIBITOR_OK);
  CHECK(inhibitor_kv_cache_reserve(cache, PTRDIFF_MAX) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_reserve(cache, -1) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_reserve(nullptr, 1) == INHIBITOR_NULL_POINTER);
  CHECK(inhibitor_kv_cache_length(cache) == room);

  inhibitor_shape s{};
  s.batch = s.heads = s.queries = 1, s.keys = room, s.head_size = s.value_size = 4;
  const float one = 1;
  inhibitor_mechanism m{};
  m.score_scale = m.shift = m.output_scale = &one;
  float out[4] = {};
  const inhibitor_tensor to{out, 4, 4, 4};
  std::vector<unsigned char> memory(1 << 20);
  const auto call = [&](const inhibitor_kv_cache* const* caches, const inhibitor_mask* mask) {
    return inhibitor_cached_attention_forward(&to, &rows, caches, &s, mask, &m, memory.data(), memory.size(), nullptr);
  };
  const inhibitor_kv_cache* missing = nullptr;
  CHECK(call(nullptr, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(call(&missing, nullptr) == INHIBITOR_NULL_POINTER);
  CHECK(call(&cache, nullptr) == INHIBITOR_OK);
  const std::uint8_t seen[64] = {1};
  inhibitor_mask mask{};
  mask.key_mask = seen;
  CHECK(call(&cache, &mask) == INHIBITOR_UNSUPPORTED_MASK);
  s.keys = room - 1;
  CHECK(call(&cache, nullptr) == INHIBITOR_BAD_EXTENT);
  s.keys = room, s.head_size = 5;
  CHECK(call(&cache, nullptr) == INHIBITOR_BAD_EXTENT);
  CHECK(inhibitor_kv_cache_clear(cache) == INHIBITOR_OK);
  CHECK(inhibitor_kv_cache_length(cache) == 0);
  inhibitor_kv_cache_destroy(cache);
  inhibitor_kv_cache_destroy(nullptr);
  CHECK(inhibitor_kv_cache_length(nullptr) == 0);
}

TEST_CASE("C interface: byte caches know their limits, their ranges and their sign", "[c]") {
  inhibitor_u8_kv_cache* cache = nullptr;
  const float infinite = std::numeric_limits<float>::infinity(), below = -1, one = 1, small = 0.25F;
  const auto create = [&](ptrdiff_t size, ptrdiff_t capacity, const float* keys, const float* values) {
    return inhibitor_u8_kv_cache_create(&cache, 1, size, size, capacity, keys, values, 0);
  };
  CHECK(create(258, 4, &one, &one) == INHIBITOR_TOO_LARGE_FOR_U8);
  CHECK(create(4, 8000001, &one, &one) == INHIBITOR_TOO_LARGE_FOR_U8);
  CHECK(create(4, -1, &one, &one) == INHIBITOR_BAD_EXTENT);
  CHECK(create(4, 4, nullptr, &one) == INHIBITOR_NULL_POINTER);
  CHECK(create(4, 4, &infinite, &one) == INHIBITOR_NOT_FINITE);
  CHECK(create(4, 4, &one, &below) == INHIBITOR_BAD_ARGUMENT);
  CHECK(cache == nullptr);
  REQUIRE(create(4, 4, &small, &one) == INHIBITOR_OK);
  const std::vector<float> numbers(16, 0.5F);
  std::vector<float> broken = numbers;
  broken[3] = infinite;
  const inhibitor_input rows{numbers.data(), 0, 4, 4}, bad{broken.data(), 0, 4, 4};
  CHECK(inhibitor_u8_kv_cache_append(cache, &rows, &bad, 1) == INHIBITOR_NOT_FINITE);
  CHECK(inhibitor_u8_kv_cache_length(cache) == 0);
  CHECK(inhibitor_u8_kv_cache_append(cache, &rows, &rows, 2) == INHIBITOR_OK);
  CHECK(inhibitor_u8_kv_cache_limited(cache) == 8);  // the keys, not the values
  CHECK(inhibitor_u8_kv_cache_reserve(cache, 8000001) == INHIBITOR_TOO_LARGE_FOR_U8);
  inhibitor_shape s{};
  s.batch = s.heads = s.queries = 1, s.keys = 2, s.head_size = s.value_size = 4;
  inhibitor_mechanism m{};
  m.score_scale = m.shift = m.output_scale = &one;
  m.is_unsigned = 1;
  float out[4] = {};
  const inhibitor_tensor to{out, 4, 4, 4};
  std::vector<unsigned char> memory(1 << 20);
  const auto call = [&](const inhibitor_input* q) {
    return inhibitor_u8_cached_attention_forward(&to, q, &cache, &s, nullptr, &m, memory.data(), memory.size(),
                                                 nullptr);
  };
  CHECK(call(&rows) == INHIBITOR_BAD_OPTION);
  m.is_unsigned = 0;
  CHECK(call(&bad) == INHIBITOR_NOT_FINITE);
  CHECK(call(&rows) == INHIBITOR_OK);
  CHECK(inhibitor_u8_kv_cache_clear(cache) == INHIBITOR_OK);
  CHECK(inhibitor_u8_kv_cache_limited(cache) == 0);
  inhibitor_u8_kv_cache_destroy(cache);
}

TEST_CASE("C interface: statuses and the library have names", "[c]") {
  for (int status = INHIBITOR_OK; status <= INHIBITOR_OUT_OF_MEMORY; ++status) {
    CHECK(std::string(inhibitor_status_text(status)) != "unknown status");
  }
  CHECK(std::string(inhibitor_status_text(-1)) == "unknown status");
  CHECK(std::string(inhibitor_status_text(99)) == "unknown status");
  CHECK(std::string(inhibitor_version()) == INHIBITOR_EXPECTED_VERSION);
  CHECK(!std::string(inhibitor_active_isa()).empty());
}
