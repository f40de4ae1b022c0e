// SPDX-License-Identifier: Apache-2.0
// kernels/attention/skip.hpp and simd/index_list.hpp: exactly the keys that add something are visited.
#include "inhibitor/kernels/attention/skip.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/attention/add_only.hpp"
#include "inhibitor/kernels/attention/forward.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using Isa = best_isa;

template <class T>
constexpr index_t N = lanes<Isa, T>;

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
