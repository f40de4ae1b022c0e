// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/simd/ops.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "support/catch.hpp"

// Every operation of byte_ops against loops written here, on inputs with a distinct value in every lane, with the
// extremes of the type, and at random. portable_ops is checked by the same loops, so the two forms agree.

namespace {

using namespace inhibitor;

using isa_under_test = best_isa;

struct native {
  using ops = byte_ops<isa_under_test>;
};
struct portable {
  using ops = portable_ops<isa_under_test>;
};

/// Registers' worth of T: counting, reversed, all equal to each extreme, alternating, random.
template <class T>
std::vector<std::vector<T>> patterns(index_t lanes_of_t, T low, T high) {
  const auto n = static_cast<std::size_t>(lanes_of_t);
  std::vector<std::vector<T>> all;
  std::vector<T> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(3 + 2 * i);
  all.push_back(x);
  std::reverse(x.begin(), x.end());
  all.push_back(x);
  all.push_back(std::vector<T>(n, low));
  all.push_back(std::vector<T>(n, high));
  for (std::size_t i = 0; i < n; ++i) x[i] = i % 2 == 0 ? low : high;
  all.push_back(x);
  std::mt19937 generator(7);
  std::uniform_int_distribution<std::int64_t> number(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high));
  for (int repeat = 0; repeat < 20; ++repeat) {
    for (auto& value : x) value = static_cast<T>(number(generator));
    all.push_back(x);
  }
  return all;
}

template <class Batch, class T>
Batch load(const std::vector<T>& x) {
  return Batch::load_unaligned(x.data());
}

template <class T, class Batch>
std::vector<T> values(const Batch& x) {
  std::vector<T> result(sizeof(x) / sizeof(T));
  x.store_unaligned(result.data());
  return result;
}

std::vector<std::vector<std::uint8_t>> byte_patterns() {
  return patterns<std::uint8_t>(byte_ops<isa_under_test>::width, 0, 255);
}
std::vector<std::vector<std::uint16_t>> word_patterns() {
  return patterns<std::uint16_t>(byte_ops<isa_under_test>::width / 2, 0, 65535);
}

}  // namespace

TEMPLATE_TEST_CASE("sums_of_8_abs_diff: equals the sum of eight differences", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  for (const auto& a : byte_patterns()) {
    for (const auto& b : byte_patterns()) {
      std::vector<std::uint64_t> expected(a.size() / 8);
      for (std::size_t i = 0; i < a.size(); ++i) expected[i / 8] += static_cast<std::uint64_t>(std::abs(a[i] - b[i]));
      CHECK(values<std::uint64_t>(ops::sums_of_8_abs_diff(load<typename ops::u8>(a), load<typename ops::u8>(b))) ==
            expected);
    }
  }
}

TEMPLATE_TEST_CASE("gather_distances: puts four accumulators of 257 features in key order", "[simd]", native,
                   portable) {
  using ops = typename TestType::ops;
  using u8 = typename ops::u8;
  const auto all = byte_patterns();
  const std::vector<std::uint8_t> none(all[0].size(), 0), full(all[0].size(), 255);
  std::vector<std::uint8_t> one(all[0].size(), 0);
  for (std::size_t i = 0; i < one.size(); i += 8) one[i] = 255;
  typename ops::distance sums[4];
  std::vector<std::uint16_t> expected(all[0].size() / 2);
  for (std::size_t r = 0; r < 4; ++r) {
    sums[r] = ops::distance_zero();
    // Accumulator 0 reaches the largest distance there is, 255 * (32 * 8 + 1).
    for (int step = 0; step < 32 && r == 0; ++step)
      sums[r] = ops::add_abs_diff(sums[r], load<u8>(none), load<u8>(full));
    const auto& x = r == 0 ? one : all[r - 1 + 5];
    sums[r] = ops::add_abs_diff(sums[r], load<u8>(x), load<u8>(none));
    for (std::size_t i = 0; i < x.size(); ++i) {
      expected[i / 8 * 4 + r] = static_cast<std::uint16_t>(expected[i / 8 * 4 + r] + x[i] + (r == 0 ? 32 * 255 : 0));
    }
  }
  CHECK(expected[0] == 65535);
  CHECK(values<std::uint16_t>(ops::gather_distances(sums[0], sums[1], sums[2], sums[3])) == expected);
}

TEMPLATE_TEST_CASE("broadcast_8 and broadcast_4: repeat unaligned bytes in every lane", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  const std::uint8_t bytes[9] = {9, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto eight = values<std::uint8_t>(ops::broadcast_8(bytes + 1));
  const auto four = values<std::uint8_t>(ops::broadcast_4(bytes + 1));
  for (std::size_t i = 0; i < eight.size(); ++i) {
    CHECK(eight[i] == i % 8 + 1);
    CHECK(four[i] == i % 4 + 1);
  }
}

TEMPLATE_TEST_CASE("add_pairs: adds neighboring words into 32 bits", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  auto all = word_patterns();
  all.push_back(std::vector<std::uint16_t>(all[0].size(), 32767));
  for (const auto& x : all) {
    std::vector<std::uint32_t> expected(x.size() / 2, 40);
    for (std::size_t i = 0; i < x.size(); ++i) expected[i / 2] += x[i];
    CHECK(values<std::uint32_t>(ops::add_pairs(typename ops::u32(40U), load<typename ops::u16>(x))) == expected);
    if (*std::max_element(x.begin(), x.end()) < 32768) {
      CHECK(values<std::uint32_t>(ops::add_small_pairs(typename ops::u32(40U), load<typename ops::u16>(x))) ==
            expected);
    }
  }
}

TEMPLATE_TEST_CASE("add_saturated, subtract_saturated: stop at the ends of bytes and words", "[simd]", native,
                   portable) {
  using ops = typename TestType::ops;
  using u8 = typename ops::u8;
  using u16 = typename ops::u16;
  const auto check_all = [](const auto& patterns, int largest, auto load_as, auto add, auto subtract) {
    for (const auto& a : patterns) {
      for (const auto& b : patterns) {
        auto sums = a, differences = a;
        for (std::size_t i = 0; i < a.size(); ++i) {
          sums[i] = static_cast<std::decay_t<decltype(sums[i])>>(std::min(largest, int{a[i]} + int{b[i]}));
          differences[i] = static_cast<std::decay_t<decltype(sums[i])>>(std::max(0, int{a[i]} - int{b[i]}));
        }
        using lane = std::decay_t<decltype(sums[0])>;
        CHECK(values<lane>(add(load_as(a), load_as(b))) == sums);
        CHECK(values<lane>(subtract(load_as(a), load_as(b))) == differences);
      }
    }
  };
  const auto add = [](const auto& a, const auto& b) { return ops::add_saturated(a, b); };
  const auto subtract = [](const auto& a, const auto& b) { return ops::subtract_saturated(a, b); };
  check_all(
      byte_patterns(), 255, [](const auto& x) { return load<u8>(x); }, add, subtract);
  check_all(
      word_patterns(), 65535, [](const auto& x) { return load<u16>(x); }, add, subtract);
}

TEMPLATE_TEST_CASE("multiply_high: is the upper half of the product", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  using u16 = typename ops::u16;
  for (const auto& a : word_patterns()) {
    for (const auto& b : word_patterns()) {
      std::vector<std::uint16_t> expected(a.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        expected[i] = static_cast<std::uint16_t>((std::uint64_t{a[i]} * b[i]) / 65536);
      }
      CHECK(values<std::uint16_t>(ops::multiply_high(load<u16>(a), load<u16>(b))) == expected);
    }
  }
}

TEMPLATE_TEST_CASE("store_saturated: limits to 255, keeps the order and writes half a register", "[simd]", native,
                   portable) {
  using ops = typename TestType::ops;
  auto all = word_patterns();
  all.push_back(std::vector<std::uint16_t>(all[0].size(), 255));
  all.push_back(std::vector<std::uint16_t>(all[0].size(), 256));
  all.push_back(std::vector<std::uint16_t>(all[0].size(), 32768));
  for (const auto& x : all) {
    std::vector<std::uint8_t> expected(x.size() + 2, 77), bytes(x.size() + 2, 77);
    for (std::size_t i = 0; i < x.size(); ++i) expected[i + 1] = static_cast<std::uint8_t>(std::min<int>(x[i], 255));
    ops::store_saturated(bytes.data() + 1, load<typename ops::u16>(x));
    CHECK(bytes == expected);
  }
}

TEMPLATE_TEST_CASE("add_signed: adds four signed magnitudes, exactly over the allowed number of steps", "[simd]",
                   native, portable) {
  using ops = typename TestType::ops;
  using u8 = typename ops::u8;
  const auto magnitudes = byte_patterns();
  std::mt19937 generator(3);
  for (int kind = 0; kind < 4; ++kind) {
    auto sum = ops::signed_zero();
    std::vector<std::int32_t> expected(magnitudes[0].size() / 4);
    for (index_t step = 0; step < ops::signed_steps; ++step) {
      // All 255 with one sign reaches the largest partial sums; the rest are mixed.
      const auto& m = kind < 2 ? magnitudes[3] : magnitudes[static_cast<std::size_t>(step) % magnitudes.size()];
      std::vector<std::uint8_t> sign(m.size());
      for (auto& s : sign) {
        const bool negative = kind == 0 ? false : kind == 1 ? true : (generator() & 1U) != 0;
        s = negative ? 255 : 1;
      }
      for (std::size_t i = 0; i < m.size(); ++i) expected[i / 4] += sign[i] == 1 ? m[i] : -m[i];
      sum = ops::add_signed(sum, load<u8>(m), load<u8>(sign));
    }
    CHECK(values<std::int32_t>(ops::signed_total(sum)) == expected);
  }
}

TEMPLATE_TEST_CASE("nonzero_quads and max_of_quads: see every byte", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  const std::size_t width = static_cast<std::size_t>(ops::width);
  CHECK(ops::nonzero_quads(typename ops::u8(std::uint8_t{0})) == 0);
  for (std::size_t i = 0; i < width; ++i) {
    std::vector<std::uint8_t> x(width, 0);
    x[i] = 128;
    CHECK(ops::nonzero_quads(load<typename ops::u8>(x)) == std::uint32_t{1} << (i / 4));
  }
  for (const auto& x : byte_patterns()) {
    std::uint8_t largest[4] = {};
    for (std::size_t i = 0; i < width; ++i) largest[i % 4] = std::max(largest[i % 4], x[i]);
    const std::uint32_t word = ops::max_of_quads(load<typename ops::u8>(x));
    std::uint8_t bytes[4];
    std::memcpy(bytes, &word, 4);
    CHECK(std::equal(bytes, bytes + 4, largest));
  }
}

TEMPLATE_TEST_CASE("round_to_int: rounds ties to even and to_float converts back", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  const std::size_t n = static_cast<std::size_t>(ops::width) / 4;
  const std::vector<float> numbers = {0.5F,    1.5F,  2.5F,   -0.5F,     -1.5F,     -2.5F, 0.49999997F, 254.5F,
                                      255.49F, -0.0F, 1e-30F, -127.501F, 8388609.F, 3.0F,  -7.0F,       100000.49F};
  for (std::size_t first = 0; first < numbers.size(); ++first) {
    std::vector<float> x(n);
    std::vector<std::int32_t> expected(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = numbers[(first + i) % numbers.size()];
      expected[i] = static_cast<std::int32_t>(std::nearbyint(static_cast<double>(x[i])));
    }
    const auto rounded = ops::round_to_int(load<typename ops::f32>(x));
    CHECK(values<std::int32_t>(rounded) == expected);
    const auto back = values<float>(ops::to_float(rounded));
    for (std::size_t i = 0; i < n; ++i) CHECK(back[i] == static_cast<float>(expected[i]));
  }
}

TEMPLATE_TEST_CASE("store_offset_bytes and offset_bytes: limit, offset and keep the order", "[simd]", native,
                   portable) {
  using ops = typename TestType::ops;
  using i32 = typename ops::i32;
  const auto offset = [](std::int32_t value) {
    return static_cast<std::uint8_t>(std::min(std::max(value, -128), 127) + 128);
  };
  auto all = patterns<std::int32_t>(ops::width / 4, -200, 200);
  const auto extremes = patterns<std::int32_t>(ops::width / 4, std::numeric_limits<std::int32_t>::min(),
                                               std::numeric_limits<std::int32_t>::max());
  all.insert(all.end(), extremes.begin(), extremes.end());
  for (const auto& x : all) {
    std::vector<std::uint8_t> expected(x.size() + 2, 77), bytes(x.size() + 2, 77);
    std::transform(x.begin(), x.end(), expected.begin() + 1, offset);
    ops::store_offset_bytes(bytes.data() + 1, load<i32>(x));
    CHECK(bytes == expected);
  }
  for (std::size_t first = 0; first + 4 <= all.size(); ++first) {
    std::vector<std::uint8_t> expected;
    for (std::size_t r = 0; r < 4; ++r) {
      std::transform(all[first + r].begin(), all[first + r].end(), std::back_inserter(expected), offset);
    }
    const auto found = ops::offset_bytes(load<i32>(all[first]), load<i32>(all[first + 1]), load<i32>(all[first + 2]),
                                         load<i32>(all[first + 3]));
    CHECK(values<std::uint8_t>(found) == expected);
  }
}

TEMPLATE_TEST_CASE("sum_of_lanes: does not wrap", "[simd]", native, portable) {
  using ops = typename TestType::ops;
  for (const auto& x : patterns<std::uint32_t>(ops::width / 4, 0, std::numeric_limits<std::uint32_t>::max())) {
    std::uint64_t expected = 0;
    for (const std::uint32_t value : x) expected += value;
    CHECK(ops::sum_of_lanes(load<typename ops::u32>(x)) == expected);
  }
}

TEST_CASE("sadd, ssub, min, max and shifts: are those of unsigned lanes", "[simd]") {
  using ops = byte_ops<isa_under_test>;
  using u16 = typename ops::u16;
  using u8 = typename ops::u8;
  for (const auto& a : word_patterns()) {
    for (const auto& b : word_patterns()) {
      const auto sum = values<std::uint16_t>(sadd(load<u16>(a), load<u16>(b)));
      const auto rest = values<std::uint16_t>(ssub(load<u16>(a), load<u16>(b)));
      const auto least = values<std::uint16_t>(min(load<u16>(a), load<u16>(b)));
      const auto shifted = values<std::uint16_t>((load<u16>(a) ^ load<u16>(b)) << 8);
      for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(sum[i] == std::min(a[i] + b[i], 65535));
        CHECK(rest[i] == std::max(a[i] - b[i], 0));
        CHECK(least[i] == std::min(a[i], b[i]));
        CHECK(shifted[i] == static_cast<std::uint16_t>((a[i] ^ b[i]) << 8));
      }
    }
  }
  for (const auto& a : byte_patterns()) {
    for (const auto& b : byte_patterns()) {
      const auto rest = values<std::uint8_t>(ssub(load<u8>(a), load<u8>(b)));
      const auto most = values<std::uint8_t>(max(load<u8>(a), load<u8>(b)));
      for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(rest[i] == std::max(a[i] - b[i], 0));
        CHECK(most[i] == std::max(a[i], b[i]));
      }
    }
  }
}
