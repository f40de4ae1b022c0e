// SPDX-License-Identifier: Apache-2.0
// attention/add_only.hpp, kernels/attention/add_only.hpp, kernels/attention/skip.hpp and simd/index_list.hpp: what they
// must not change.
#include "inhibitor/attention/add_only.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/base/round_up.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/catch.hpp"
#include "support/isa.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using Isa = tested_isa;

/// One forward call on [B, L, H, D] arrays without gaps.
template <class T>
struct forward_case {
  attention_shape shape;
  bool causal = false;
  std::vector<std::uint8_t> key_mask, attend;  ///< (B, S), (B, L, S) or empty
  std::vector<T> q, k, v, score_scale, shift, output_scale;

  forward_case(const attention_shape& s, random_numbers& random) : shape(s) {
    q = random.numbers<T>(s.batch * s.queries * s.heads * s.head_size);
    k = random.numbers<T>(s.batch * s.keys * s.heads * s.head_size);
    v = random.numbers<T>(s.batch * s.keys * s.heads * s.value_size);
    score_scale.assign(static_cast<std::size_t>(s.heads), static_cast<T>(std::sqrt(static_cast<double>(s.head_size))));
    shift = random.numbers<T>(s.heads, 0.4, 1.2);
    output_scale.assign(static_cast<std::size_t>(s.heads), T(1));
  }
  void draw_masks(random_numbers& random, bool keys, bool pairs) {
    const auto draw = [&](index_t n) {
      std::vector<std::uint8_t> mask(static_cast<std::size_t>(n));
      for (auto& m : mask) m = random.index(3) != 0 ? 1 : 0;
      return mask;
    };
    if (keys) key_mask = draw(shape.batch * shape.keys);
    if (pairs) attend = draw(shape.batch * shape.queries * shape.keys);
  }
  attention_mask mask() const {
    attention_mask m;
    m.key_mask = key_mask.empty() ? nullptr : key_mask.data();
    m.causal = causal;
    if (!attend.empty()) m.attend = {attend.data(), shape.queries * shape.keys, shape.keys};
    return m;
  }
  template <class Mechanism>
  std::vector<T> run(const Mechanism& mechanism) const {
    const attention_shape& s = shape;
    std::vector<T> out(static_cast<std::size_t>(s.batch * s.queries * s.heads * s.value_size), T(33));
    const auto view = [&s](auto* data, index_t rows, index_t width) {
      using number = std::remove_pointer_t<decltype(data)>;
      return heads_view<number>{data, rows * s.heads * width, s.heads * width, width};
    };
    attention_workspace workspace;
    multi_head_attention_forward<T, Mechanism, default_isa>(
        view(out.data(), s.queries, s.value_size), view(q.data(), s.queries, s.head_size),
        view(k.data(), s.keys, s.head_size), view(v.data(), s.keys, s.value_size), s, mask(), mechanism, workspace, {});
    return out;
  }
  inhibitor_attention<T> ordinary(const inhibitor_options& options) const {
    return {options, {score_scale.data(), shift.data(), output_scale.data()}};
  }
  add_only_inhibitor_attention<T> add_only(const inhibitor_options& options) const {
    return {options.center, options.is_signed, options.skip_inhibited, shift.data()};
  }
};

/// Every way of centering, both forms.
std::vector<inhibitor_options> all_options() {
  std::vector<inhibitor_options> all;
  for (const auto center : {centering::none, centering::attended_keys, centering::all_keys}) {
    for (const bool is_signed : {true, false}) {
      inhibitor_options o;
      o.center = center;
      o.is_signed = is_signed;
      all.push_back(o);
    }
  }
  return all;
}

template <class T>
constexpr index_t N = lanes<Isa, T>;

/// Shapes around the edges of registers, tiles and blocks, under every mask.
template <class T, class Check>
void for_cases(index_t head_size, Check&& check) {
  random_numbers random(31);
  const std::vector<attention_shape> shapes = {
      {2, 2, 5, 3 * N<T> + 1, head_size, 3},
      {1, 1, 7, 2 * N<T>, head_size, N<T>},
      {1, 3, 1, N<T> - 1, head_size, 4 * N<T> + 1},
      {1, 1, 70, 150, head_size, 64},
      {1, 2, 4, 0, head_size, 5},
      {1, 1, 3, 600, head_size, 1},
  };
  for (const attention_shape& shape : shapes) {
    for (int masks = 0; masks < 8; ++masks) {
      forward_case<T> c(shape, random);
      c.causal = (masks & 1) != 0;
      c.draw_masks(random, (masks & 2) != 0, (masks & 4) != 0);
      INFO("L " << shape.queries << " S " << shape.keys << " D " << head_size << " Dv " << shape.value_size << " masks "
                << masks);
      check(c);
    }
  }
}

/// Raw scores of uncentered rows are far above every value: then the shift must be negative for anything to live.
template <class T>
void suit_shift(forward_case<T>& c, const inhibitor_options& o) {
  if (o.center != centering::none) return;
  for (T& x : c.shift) x -= static_cast<T>(0.667 * static_cast<double>(c.shape.head_size));
}

}  // namespace

TEMPLATE_TEST_CASE("list_where_not_at_least: the lanes below, ascending; a NaN is never at least", "[skip]", float,
                   double) {
  using T = TestType;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  random_numbers random(30);
  for (int round = 0; round < 300; ++round) {
    alignas(64) T a[N<T>], b[N<T>];
    std::vector<std::uint32_t> expected;
    for (index_t i = 0; i < N<T>; ++i) {
      a[i] = static_cast<T>(random.index(3));
      b[i] = static_cast<T>(random.index(3));
      if (random.index(8) == 0) (random.index(2) == 0 ? a : b)[i] = nan;
      if (!(a[i] >= b[i])) expected.push_back(static_cast<std::uint32_t>(1000 + i));
    }
    constexpr index_t room = list_room<Isa, T>;
    std::uint32_t list[room + 1];
    list[room] = 77;
    const index_t n =
        list_where_not_at_least<Isa, T>(list, batch<Isa, T>::load_aligned(a), batch<Isa, T>::load_aligned(b), 1000);
    CHECK(std::vector<std::uint32_t>(list, list + n) == expected);
    CHECK(list[room] == 77);
  }
}

TEMPLATE_TEST_CASE("key_bounds and list_live_keys: exactly the keys that can add something are listed", "[skip]", float,
                   double) {
  using T = TestType;
  random_numbers random(32);
  for (const index_t keys : {index_t{1}, N<T>, N<T> + 1, 5 * N<T> + 3}) {
    for (const index_t width : {index_t{1}, N<T>, 2 * N<T> + 1}) {
      const index_t pitch = round_up(width, N<T>);
      const auto v = random.numbers<T>(keys * width);
      aligned_buffer<T> packed(keys * pitch), bounds(round_up(keys, N<T>));
      kernels::pack_rows<Isa, T>(packed.data(), v.data(), width, nullptr, keys, width);
      const auto weights = random.numbers<T>(keys, 0, 2);
      const auto check_list = [&](auto aggregate, bool is_signed) {
        kernels::key_bounds<Isa, T, decltype(aggregate)>(bounds.data(), packed.data(), keys, pitch);
        std::vector<std::uint32_t> expected;
        for (index_t j = 0; j < keys; ++j) {
          bool adds = false;
          for (index_t x = 0; x < width; ++x) {
            const T value = v[static_cast<std::size_t>(j * width + x)];
            adds = adds || (is_signed ? std::abs(value) : value) > weights[static_cast<std::size_t>(j)];
          }
          if (adds) expected.push_back(static_cast<std::uint32_t>(j));
        }
        std::vector<std::uint32_t> list(static_cast<std::size_t>(keys + list_room<Isa, T>));
        const index_t live = kernels::list_live_keys<Isa, T, true>(list.data(), weights.data(), bounds.data(), keys);
        CHECK(std::vector<std::uint32_t>(list.begin(), list.begin() + live) == expected);
        CHECK(kernels::list_live_keys<Isa, T, false>(list.data(), weights.data(), bounds.data(), keys) == keys);
      };
      check_list(kernels::signed_relu{}, true);
      check_list(kernels::unsigned_relu{}, false);
    }
  }
}

TEMPLATE_TEST_CASE("skipping: to the bit what the same steps over all keys give", "[skip]", float, double) {
  using T = TestType;
  random_numbers random(33);
  double dropped = 0, pairs = 0;
  for (const index_t S : {N<T> + 3, index_t{130}, index_t{611}}) {
    for (const index_t Dv : {index_t{1}, index_t{19}, index_t{64}}) {
      for (const bool causal : {false, true}) {
        const index_t L = 37, D = 16;
        const auto q = random.numbers<T>(L * D), k = random.numbers<T>(S * D), v = random.numbers<T>(S * Dv);
        std::vector<index_t> limits;
        for (index_t i = 0; i < L; ++i) limits.push_back(!causal ? S : i + S - L + 1 > 0 ? i + S - L + 1 : 0);
        kernels::head_inputs<T> in{};
        in.q = q.data();
        in.k = k.data();
        in.v = v.data();
        in.q_stride = in.k_stride = in.head_size = D;
        in.v_stride = in.value_size = Dv;
        in.queries = L;
        in.scored = in.attended = S;
        in.limits = limits.data();
        kernels::weight_options<T> options = kernels::plain_weights<T>();
        options.center = true;
        options.shift = T(0.7);
        options.output_scale = T(1.3);
        const kernels::forward_scratch<Isa, T> scratch(nullptr, L, S, D, Dv);
        aligned_buffer<T> memory(scratch.size);
        const auto run = [&](auto aggregate) {
          for (T& x : memory) x = std::numeric_limits<T>::quiet_NaN();
          std::vector<T> out(static_cast<std::size_t>(L * Dv), T(9));
          kernels::attention_forward<Isa, T, kernels::manhattan_by_max, decltype(aggregate)>(out.data(), Dv, in,
                                                                                             options, memory.data());
          return out;
        };
        INFO("S " << S << " Dv " << Dv << " causal " << causal);
        CHECK(run(kernels::skipping<kernels::signed_relu>{}) == run(kernels::skipping<kernels::signed_relu, false>{}));
        CHECK(run(kernels::skipping<kernels::unsigned_relu>{}) ==
              run(kernels::skipping<kernels::unsigned_relu, false>{}));
        using folded = kernels::add_only<kernels::signed_relu, true>;
        CHECK(run(kernels::skipping<folded>{}) == run(kernels::skipping<folded, false>{}));
        // The comparison means something only if keys were dropped.
        for (index_t i = 0; i < L; ++i) {
          const index_t n = limits[static_cast<std::size_t>(i)];
          std::vector<double> raw;
          double mean = 0;
          for (index_t j = 0; j < n; ++j) {
            double d = 0;
            for (index_t x = 0; x < D; ++x)
              d += std::abs(static_cast<double>(q[static_cast<std::size_t>(i * D + x)]) -
                            static_cast<double>(k[static_cast<std::size_t>(j * D + x)]));
            raw.push_back(d);
            mean += d / static_cast<double>(n);
          }
          for (const double d : raw) dropped += d - mean + 0.7 >= 1 ? 1 : 0;
          pairs += static_cast<double>(n);
        }
      }
    }
  }
  CHECK(dropped > 0.3 * pairs);
  CHECK(dropped < 0.8 * pairs);
}

TEMPLATE_TEST_CASE("skip_inhibited: the ordinary result but for the rounding of sums, under every mask", "[skip]",
                   float, double) {
  using T = TestType;
  for_cases<T>(9, [](forward_case<T>& c) {
    for (inhibitor_options o : all_options()) {
      forward_case<T> suited = c;
      suit_shift(suited, o);
      const auto all = suited.run(suited.ordinary(o));
      o.skip_inhibited = true;
      // Weights are the same bits; |v| <= 1 bounds the two sums of the ordinary form.
      CHECK(largest_difference(suited.run(suited.ordinary(o)), all) <=
            reduction<T>(c.shape.keys, static_cast<double>(c.shape.keys)));
    }
  });
}

TEMPLATE_TEST_CASE("skip_inhibited: full inhibition gives exactly 0", "[skip]", float, double) {
  using T = TestType;
  for_cases<T>(4, [](forward_case<T>& c) {
    inhibitor_options o;
    o.skip_inhibited = true;
    for (T& x : c.shift) x = T(1000);
    CHECK(largest_magnitude(c.run(c.ordinary(o))) == 0);
    CHECK(largest_magnitude(c.run(c.add_only(o))) == 0);
  });
}

TEMPLATE_TEST_CASE("skip_inhibited: non-finite numbers reach the rows that use them", "[skip]", float, double) {
  using T = TestType;
  const T bad = GENERATE(std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity());
  const int where = GENERATE(0, 1, 2);
  random_numbers random(34);
  forward_case<T> c({1, 1, 9, 40, 4, 20}, random);
  c.causal = true;
  constexpr index_t row = 5, key = 5 + 40 - 9;  // key is the last one that query `row` sees
  inhibitor_options o;
  o.skip_inhibited = true;
  // A weight above every finite value: the non-finite one must not be skipped with them.
  for (T& x : c.shift) x = T(50);
  forward_case<T> dirty = c;
  (where == 0 ? dirty.q[row * 4 + 2] : where == 1 ? dirty.k[key * 4 + 2] : dirty.v[key * 20 + 2]) = bad;
  const auto check_rows = [&](const std::vector<T>& clean, const std::vector<T>& out) {
    for (index_t i = 0; i < 9; ++i) {
      for (index_t x = 0; x < 20; ++x) {
        const auto at = static_cast<std::size_t>(i * 20 + x);
        const bool touched = where == 0 ? i == row : i >= row && (where == 1 || x == 2);
        INFO("row " << i << " column " << x << " where " << where);
        CHECK((touched ? !std::isfinite(out[at]) : out[at] == clean[at]));
      }
    }
  };
  check_rows(c.run(c.ordinary(o)), dirty.run(dirty.ordinary(o)));
  check_rows(c.run(c.add_only(o)), dirty.run(dirty.add_only(o)));
  o.skip_inhibited = false;
  check_rows(c.run(c.add_only(o)), dirty.run(dirty.add_only(o)));
}

TEMPLATE_TEST_CASE("add_only_inhibitor_attention: the ordinary inhibitor of unit scales, to the bit", "[add_only]",
                   float, double) {
  using T = TestType;
  for_cases<T>(16, [](forward_case<T>& c) {  // sqrt(16) is exact
    for (inhibitor_options o : all_options()) {
      for (const bool skip : {false, true}) {
        o.skip_inhibited = skip;
        forward_case<T> suited = c;
        suit_shift(suited, o);
        CHECK(suited.run(suited.add_only(o)) == suited.run(suited.ordinary(o)));
      }
    }
  });
}

TEMPLATE_TEST_CASE("add_only_inhibitor_attention: scales folded into queries, keys and output", "[add_only]", float,
                   double) {
  using T = TestType;
  random_numbers random(35);
  for (const index_t D : {index_t{1}, index_t{7}, index_t{64}}) {
    forward_case<T> c({2, 3, 11, 45, D, 20}, random);
    for (inhibitor_options o : all_options()) {
      forward_case<T> folded = c;
      for (index_t h = 0; h < 3; ++h) {
        const auto x = static_cast<std::size_t>(h);
        c.score_scale[x] = static_cast<T>(0.5 + 0.4 * static_cast<double>(h));
        c.output_scale[x] = static_cast<T>(0.7 + 0.5 * static_cast<double>(h));
        c.shift[x] = static_cast<T>(o.center == centering::none ? 0.5 - 0.6 * std::sqrt(static_cast<double>(D)) : 0.5);
      }
      folded.shift = c.shift;
      const auto fold = [&](std::vector<T>& x) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          x[i] *= c.score_scale[i / static_cast<std::size_t>(D) % 3] / std::sqrt(static_cast<T>(D));
        }
      };
      fold(folded.q);
      fold(folded.k);
      auto out = folded.run(folded.add_only(o));
      for (std::size_t i = 0; i < out.size(); ++i) out[i] *= c.output_scale[i / 20 % 3];
      const auto expected = c.run(c.ordinary(o));
      CHECK(largest_magnitude(expected) > 0.01);
      // Distances of at most 2 D gamma / sqrt(D) round differently, in each of S terms; |v| <= 1, eta < 2.
      const double distance = 2 * 1.3 * std::sqrt(static_cast<double>(D));
      CHECK(largest_difference(out, expected) <= reduction<T>(D + 45, 45 * 2 * (1 + distance)));
    }
  }
}

TEST_CASE("add_only_inhibitor_attention: a missing shift is refused", "[add_only]") {
  random_numbers random(36);
  const forward_case<float> c({1, 1, 2, 2, 4, 4}, random);
  CHECK_THROWS_AS(c.run(add_only_inhibitor_attention<float>{}), std::invalid_argument);
}
