// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/attention/raw.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "support/no_exceptions.hpp"
#include "support/options_case.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

options_case<float> every_option() {
  random_numbers random(61);
  options_case<float> c;
  c.shape.batch = 3;
  c.shape.heads = 4;
  c.shape.kv_heads = 2;
  c.shape.queries = 21;
  c.shape.keys = 35;
  c.shape.head_size = 9;
  c.shape.value_size = 17;
  c.causal = true;
  c.fill(random, true, true, true, true);
  return c;
}

/// Forward and backward in `memory`, which is `bytes` long.
struct raw_run {
  std::vector<float> out, dq, dk, dv, ds;
  attention_status forward = attention_status::ok, backward = attention_status::ok;

  explicit raw_run(const options_case<float>& c)
      : out(c.dout.size(), 77.0F), dq(c.q.size()), dk(c.k.size()), dv(c.v.size()), ds(13) {}

  void run(const options_case<float>& c, void* memory, index_t bytes, const executor& workers = {}) {
    const index_t D = c.shape.head_size, Dv = c.shape.value_size;
    const heads_view<const float> q = c.query_view(c.q.data(), D), k = c.key_view(c.k.data(), D);
    const heads_view<const float> v = c.key_view(c.v.data(), Dv), g = c.query_view(c.dout.data(), Dv);
    const attention_shape s = c.shape_of_call();
    forward = try_multi_head_attention_forward<float>(c.query_view(out.data(), Dv), q, k, v, s, c.mask(), c.inhibitor(),
                                                      memory, bytes, workers);
    backward = try_multi_head_attention_backward<float>(
        c.query_view(dq.data(), D), c.key_view(dk.data(), D), c.key_view(dv.data(), Dv),
        {ds.data(), ds.data() + 4, ds.data() + 8}, g, q, k, v, s, c.mask(), c.inhibitor(), memory, bytes, workers);
  }
};

index_t size_for_both(const options_case<float>& c, index_t workers) {
  const index_t forward = attention_workspace_size<float>(c.shape_of_call(), workers);
  const index_t backward = attention_workspace_size<float>(c.shape_of_call(), workers, attention_pass::backward);
  return forward > backward ? forward : backward;
}

}  // namespace

TEST_CASE("multi_head_attention: in the caller's memory at any address, the same bits", "[attention]") {
  const auto c = every_option();
  const auto expected = c.run();
  const index_t bytes = size_for_both(c, 1);
  for (const index_t offset : {0, 1, 7, 63}) {
    std::vector<unsigned char> memory(static_cast<std::size_t>(offset + bytes + 16), 0xA5);
    raw_run r(c);
    r.run(c, memory.data() + offset, bytes);
    CHECK(r.forward == attention_status::ok);
    CHECK(r.backward == attention_status::ok);
    CHECK(r.out == expected.out);
    CHECK(r.dq == expected.dq);
    CHECK(r.dk == expected.dk);
    CHECK(r.dv == expected.dv);
    CHECK(r.ds == expected.dscalars);
    for (index_t i = 0; i < offset; ++i) CHECK(memory[static_cast<std::size_t>(i)] == 0xA5);
    for (index_t i = 0; i < 16; ++i) CHECK(memory[static_cast<std::size_t>(offset + bytes + i)] == 0xA5);
  }
}

TEST_CASE("multi_head_attention: allocates nothing in the caller's memory", "[attention]") {
  const auto c = every_option();
  const index_t bytes = size_for_both(c, 1);
  std::vector<unsigned char> memory(static_cast<std::size_t>(bytes));
  raw_run r(c);
  const long before = allocations;
  r.run(c, memory.data(), bytes);
  CHECK(allocations == before);
  CHECK(r.backward == attention_status::ok);
}

TEST_CASE("multi_head_attention: allocates nothing once the workspace has grown", "[attention]") {
  const auto c = every_option();
  std::vector<float> out(c.dout.size()), dq(c.q.size()), dk(c.k.size()), dv(c.v.size());
  attention_workspace workspace;
  const index_t D = c.shape.head_size, Dv = c.shape.value_size;
  const auto call = [&](index_t rows) {
    attention_shape s = c.shape_of_call();
    s.rows = {0, rows};
    multi_head_attention_forward<float>(c.query_view(out.data(), Dv), c.query_view(c.q.data(), D),
                                        c.key_view(c.k.data(), D), c.key_view(c.v.data(), Dv), s, c.mask(),
                                        c.inhibitor(), workspace, {});
    multi_head_attention_backward<float>(c.query_view(dq.data(), D), c.key_view(dk.data(), D),
                                         c.key_view(dv.data(), Dv), {}, c.query_view(c.dout.data(), Dv),
                                         c.query_view(c.q.data(), D), c.key_view(c.k.data(), D),
                                         c.key_view(c.v.data(), Dv), s, c.mask(), c.inhibitor(), workspace, {});
  };
  const long at_first = allocations;
  call(3);
  CHECK(allocations > at_first);  // the counter works
  const long before = allocations;
  call(21);
  call(1);
  CHECK(allocations == before);
}

TEST_CASE("multi_head_attention: says what is wrong and leaves the output alone", "[attention]") {
  auto c = every_option();
  c.query_starts.clear();
  c.key_starts.clear();
  c.key_mask.clear();
  random_numbers random(62);
  c.fill(random, false, true, false, false);
  const index_t bytes = size_for_both(c, 1);
  std::vector<unsigned char> memory(static_cast<std::size_t>(bytes));
  const auto status_of = [&](options_case<float> changed) {
    raw_run r(c);
    r.run(changed, memory.data(), bytes);
    CHECK(r.forward == r.backward);
    CHECK(r.out == std::vector<float>(r.out.size(), 77.0F));
    CHECK(r.dk == std::vector<float>(r.dk.size()));
    CHECK(std::string(describe(r.forward)) != describe(attention_status::ok));
    return r.forward;
  };
  auto bad = c;
  bad.shape.queries = -1;
  CHECK(status_of(bad) == attention_status::bad_extent);
  bad = c;
  bad.shape.head_size = 0;
  CHECK(status_of(bad) == attention_status::bad_extent);
  CHECK(attention_workspace_size<float>(bad.shape, 1) == 0);
  bad = c;
  bad.shape.keys = std::numeric_limits<index_t>::max();
  CHECK(status_of(bad) == attention_status::bad_extent);
  bad = c;
  bad.shape.keys = bad.shape.queries = bad.shape.head_size = index_t{1} << 31;  // whose product has no number of bytes
  CHECK(status_of(bad) == attention_status::bad_extent);
  bad = c;
  bad.shape.batch = bad.shape.heads = index_t{1} << 31;  // nor have the sums of a backward pass
  bad.shape.kv_heads = 0;
  CHECK(attention_workspace_size<float>(bad.shape, 1, attention_pass::backward) == 0);
  for (const index_t kv_heads : {-1, 3, 8}) {
    bad = c;
    bad.shape.kv_heads = kv_heads;
    CHECK(status_of(bad) == (kv_heads < 0 ? attention_status::bad_extent : attention_status::bad_kv_heads));
  }
  bad = c;
  bad.query_starts = {0, 5, 4, 6};
  CHECK(status_of(bad) == attention_status::bad_starts);
  bad.query_starts = {-1, 5, 6, 7};
  CHECK(status_of(bad) == attention_status::bad_starts);
  bad.query_starts = {0, 22, 23, 24};  // 22 queries where the shape says at most 21
  CHECK(status_of(bad) == attention_status::bad_starts);
  bad = c;
  bad.key_starts = {0, 0, 36, 40};
  CHECK(status_of(bad) == attention_status::bad_starts);

  raw_run r(c);
  r.run(c, memory.data(), bytes - 1);
  CHECK(r.backward == attention_status::workspace_too_small);
  r.run(c, memory.data(), -1);
  CHECK(r.forward == attention_status::workspace_too_small);
  r.run(c, nullptr, bytes);
  CHECK(r.forward == attention_status::null_pointer);
  CHECK(r.backward == attention_status::null_pointer);

  const auto view = c.query_view(r.out.data(), 17);
  const auto q = c.query_view(c.q.data(), 9), k = c.key_view(c.k.data(), 9), v = c.key_view(c.v.data(), 17);
  const auto call = [&](const auto& out, const auto& queries, const auto& keys, const auto& values, const auto& m) {
    return try_multi_head_attention_forward<float>(out, queries, keys, values, c.shape, {}, m, memory.data(), bytes,
                                                   {});
  };
  const heads_view<const float> none;
  CHECK(call(heads_view<float>(), q, k, v, c.inhibitor()) == attention_status::null_pointer);
  CHECK(call(view, none, k, v, c.inhibitor()) == attention_status::null_pointer);
  CHECK(call(view, q, none, v, c.inhibitor()) == attention_status::null_pointer);
  CHECK(call(view, q, k, none, c.inhibitor()) == attention_status::null_pointer);
  CHECK(call(view, q, k, v, inhibitor_attention<float>{}) == attention_status::missing_scalars);
  CHECK(call(view, q, k, v, c.inhibitor()) == attention_status::ok);
}

TEST_CASE("multi_head_attention: empty shapes need no pointers", "[attention]") {
  attention_shape s;
  s.head_size = 4;
  unsigned char memory[4096];
  const auto call = [&] {
    return try_multi_head_attention_forward<float>({}, {}, {}, {}, s, {}, dot_product_attention<float>{}, memory,
                                                   index_t{sizeof(memory)}, {});
  };
  CHECK(call() == attention_status::ok);
  s.batch = 0;
  s.queries = s.keys = s.value_size = 2;
  CHECK(call() == attention_status::ok);
  s.batch = 1;
  CHECK(call() == attention_status::null_pointer);
  s.heads = s.kv_heads = 0;
  CHECK(call() == attention_status::ok);
}

TEST_CASE("multi_head_attention: NaN and infinities reach the rows that use them and no others", "[attention]") {
  const bool dot_product = GENERATE(false, true);
  random_numbers random(63);
  options_case<float> c;
  c.shape.batch = 2;
  c.shape.heads = 2;
  c.shape.queries = c.shape.keys = 9;
  c.shape.head_size = 5;
  c.shape.value_size = 6;
  c.dot_product = dot_product;
  c.causal = true;
  c.fill(random, false, false, false, false);
  const auto plain = c.run();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (auto* x : {&c.q, &c.k, &c.v}) {
      const float kept = (*x)[42];  // sequence 0, row 4 of q and k (head 0), row 3 of v (head 1)
      (*x)[42] = bad;
      const auto r = c.run();
      (*x)[42] = kept;
      const auto head_row = [&](const std::vector<float>& y, index_t b, index_t i, index_t h) {
        const auto begin = y.begin() + ((b * 9 + i) * 2 + h) * 6;
        return std::vector<float>(begin, begin + 6);
      };
      const index_t row = x == &c.v ? 3 : 4, head = x == &c.v ? 1 : 0;
      for (index_t b = 0; b < 2; ++b) {
        for (index_t i = 0; i < 9; ++i) {
          for (index_t h = 0; h < 2; ++h) {
            const bool uses = b == 0 && h == head && (x == &c.q ? i == row : i >= row);
            const auto y = head_row(r.out, b, i, h);
            bool finite = true;
            for (const float e : y) finite = finite && e - e == 0;
            INFO("query " << i << " head " << h);
            // A dot product of minus infinity is a weight of 0, not an error.
            const bool may_vanish = dot_product && bad - bad != 0 && bad == bad;
            if (!uses || !may_vanish) CHECK(finite != uses);
            if (!uses && i + 4 < row) CHECK(y == head_row(plain.out, b, i, h));
          }
        }
      }
    }
  }
}

TEST_CASE("raw.hpp: works without exceptions and run-time type information", "[attention]") {
  CHECK(no_exceptions::largest_error() < 1e-5F);
  CHECK(no_exceptions::largest_error_of_others() < 0.05F);
  CHECK(no_exceptions::status_of_call(-2) == 1);
}
