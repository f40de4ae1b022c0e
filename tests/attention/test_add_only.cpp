// SPDX-License-Identifier: Apache-2.0
// Attention without multiplication and with skipping: what they must not change.
#include "inhibitor/attention/add_only.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

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
constexpr index_t N = 64 / static_cast<index_t>(sizeof(T));  // the widest register there is

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
