// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "inhibitor/simd/batch.hpp"
#include "inhibitor/simd/eight_bytes.hpp"

// The register operations of the integer kernels that xsimd does not have. `portable_ops` is the contract: every
// operation written as loops over lanes, good for any instruction set; `byte_ops<Isa>` is what kernels call: the native
// form where one exists (ops_x86.hpp, ops_arm.hpp), the portable one elsewhere. All are exact, so the two forms agree
// in every bit and a test compares them. Addition, &, |, ^, shifts, min and max come from xsimd (and eight_bytes on
// `scalar`).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A register of the integer kernels: xsimd::batch, or eight_bytes on `scalar`.
template <class Isa, class T>
using byte_batch = std::conditional_t<std::is_same_v<Isa, isa::scalar>, eight_bytes<T>, batch<Isa, T>>;

template <class Isa>
struct portable_ops {
  using u8 = byte_batch<Isa, std::uint8_t>;
  using u16 = byte_batch<Isa, std::uint16_t>;
  using u32 = byte_batch<Isa, std::uint32_t>;
  using i32 = byte_batch<Isa, std::int32_t>;
  using u64 = byte_batch<Isa, std::uint64_t>;
  using f32 = byte_batch<Isa, float>;
  using distance = u64;    ///< running byte distance of one key per 64-bit lane
  using signed_sum = i32;  ///< running signed sum of four neighboring bytes per 32-bit lane

  static constexpr index_t width = static_cast<index_t>(u8::size);  ///< bytes of a register
  /// add_signed may be called this often before signed_total must be taken (16-bit partial sums: 64 * 2 * 255 < 2^15).
  static constexpr index_t signed_steps = 64;

  /// The same bits as lanes of another type.
  template <class To, class From>
  static INHIBITOR_INLINE To bit_cast(const From& x) {
    static_assert(sizeof(To) == sizeof(From), "bit_cast: registers of one instruction set");
    To result;
    std::memcpy(static_cast<void*>(&result), static_cast<const void*>(&x), sizeof(To));
    return result;
  }

  /// Eight bytes of memory in every 64-bit lane.
  static INHIBITOR_INLINE u8 broadcast_8(const std::uint8_t* p) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof(word));
    return bit_cast<u8>(u64(word));
  }

  /// Four bytes of memory in every 32-bit lane.
  static INHIBITOR_INLINE u8 broadcast_4(const std::uint8_t* p) {
    std::uint32_t word;
    std::memcpy(&word, p, sizeof(word));
    return bit_cast<u8>(u32(word));
  }

  /// Per unsigned lane a + b limited to its largest value, and a - b limited to 0.
  static INHIBITOR_INLINE u8 add_saturated(const u8& a, const u8& b) { return sadd(a, b); }
  static INHIBITOR_INLINE u16 add_saturated(const u16& a, const u16& b) { return sadd(a, b); }
  static INHIBITOR_INLINE u8 subtract_saturated(const u8& a, const u8& b) { return ssub(a, b); }
  static INHIBITOR_INLINE u16 subtract_saturated(const u16& a, const u16& b) { return ssub(a, b); }

  /// Per 64-bit lane the sum of eight |a - b|: at most 2040.
  static INHIBITOR_INLINE u64 sums_of_8_abs_diff(const u8& a, const u8& b) {
    std::uint8_t x[width], y[width];
    std::uint64_t sums[width / 8] = {};
    a.store_unaligned(x);
    b.store_unaligned(y);
    for (index_t i = 0; i < width; ++i)
      sums[i / 8] += static_cast<std::uint64_t>(x[i] < y[i] ? y[i] - x[i] : x[i] - y[i]);
    return u64::load_unaligned(sums);
  }

  static INHIBITOR_INLINE distance distance_zero() { return distance(std::uint64_t{0}); }

  /// d plus the sums of eight |a - b|; a distance may reach 65535 (257 features) and no more.
  static INHIBITOR_INLINE distance add_abs_diff(const distance& d, const u8& a, const u8& b) {
    return d + sums_of_8_abs_diff(a, b);
  }

  /// The distances of four accumulators as 16-bit lanes: lane 4 i + r is lane i of d[r].
  static INHIBITOR_INLINE u16 gather_distances(const distance& d0, const distance& d1, const distance& d2,
                                               const distance& d3) {
    return bit_cast<u16>(d0 | (d1 << 16) | (d2 << 32) | (d3 << 48));
  }

  /// sum plus, per 32-bit lane, its two neighboring 16-bit lanes of x.
  static INHIBITOR_INLINE u32 add_pairs(const u32& sum, const u16& x) {
    const u32 pairs = bit_cast<u32>(x);
    return sum + ((pairs & u32(0xffffU)) + (pairs >> 16));
  }

  /// The same for lanes of x below 2^15.
  static INHIBITOR_INLINE u32 add_small_pairs(const u32& sum, const u16& x) { return add_pairs(sum, x); }

  /// Sum of all lanes, without wrapping.
  static INHIBITOR_INLINE std::uint64_t sum_of_lanes(const u32& x) {
    std::uint32_t values[width / 4];
    x.store_unaligned(values);
    std::uint64_t total = 0;
    for (const std::uint32_t value : values) total += value;
    return total;
  }

  /// Writes width / 4 bytes: the 32-bit lanes limited to -128 .. 127, plus 128.
  static INHIBITOR_INLINE void store_offset_bytes(std::uint8_t* p, const i32& x) {
    constexpr index_t n = width / 4;
    std::int32_t values[n];
    x.store_unaligned(values);
    for (index_t i = 0; i < n; ++i) {
      const std::int32_t limited = values[i] < -128 ? -128 : (values[i] > 127 ? 127 : values[i]);
      p[i] = static_cast<std::uint8_t>(limited + 128);
    }
  }

  /// The 32-bit lanes of four registers in order, limited to -128 .. 127, plus 128.
  static INHIBITOR_INLINE u8 offset_bytes(const i32& x0, const i32& x1, const i32& x2, const i32& x3) {
    std::uint8_t bytes[width];
    store_offset_bytes(bytes, x0);
    store_offset_bytes(bytes + width / 4, x1);
    store_offset_bytes(bytes + width / 2, x2);
    store_offset_bytes(bytes + width / 4 * 3, x3);
    return u8::load_unaligned(bytes);
  }

  /// The upper 16 bits of the 32-bit products.
  static INHIBITOR_INLINE u16 multiply_high(const u16& a, const u16& b) {
    constexpr index_t n = width / 2;
    std::uint16_t x[n], y[n];
    a.store_unaligned(x);
    b.store_unaligned(y);
    for (index_t i = 0; i < n; ++i) x[i] = static_cast<std::uint16_t>((std::uint32_t{x[i]} * y[i]) >> 16);
    return u16::load_unaligned(x);
  }

  /// Writes width / 2 bytes min(x, 255).
  static INHIBITOR_INLINE void store_saturated(std::uint8_t* p, const u16& x) {
    constexpr index_t n = width / 2;
    std::uint16_t lanes_u16[n];
    x.store_unaligned(lanes_u16);
    for (index_t i = 0; i < n; ++i) p[i] = static_cast<std::uint8_t>(lanes_u16[i] > 255 ? 255 : lanes_u16[i]);
  }

  static INHIBITOR_INLINE signed_sum signed_zero() { return signed_sum(std::int32_t{0}); }

  /// sum plus, per 32-bit lane, four products of a magnitude byte and a sign byte (+1 or -1).
  static INHIBITOR_INLINE signed_sum add_signed(const signed_sum& sum, const u8& magnitude, const u8& sign) {
    std::uint8_t m[width], s[width];
    std::int32_t total[width / 4];
    magnitude.store_unaligned(m);
    sign.store_unaligned(s);
    sum.store_unaligned(total);
    for (index_t i = 0; i < width; ++i) total[i / 4] += s[i] < 128 ? m[i] : -m[i];
    return signed_sum::load_unaligned(total);
  }

  static INHIBITOR_INLINE i32 signed_total(const signed_sum& sum) { return sum; }

  /// Bit i is set when 32-bit lane i is not zero.
  static INHIBITOR_INLINE std::uint32_t nonzero_quads(const u8& x) {
    std::uint8_t bytes[width];
    x.store_unaligned(bytes);
    std::uint32_t bits = 0;
    for (index_t i = 0; i < width; ++i) bits |= std::uint32_t{bytes[i] != 0} << (i / 4);
    return bits;
  }

  /// Largest byte at each of the four positions of the 32-bit lanes, in the order of memory.
  static INHIBITOR_INLINE std::uint32_t max_of_quads(const u8& x) {
    std::uint8_t bytes[width], largest[4] = {};
    x.store_unaligned(bytes);
    for (index_t i = 0; i < width; ++i) largest[i % 4] = bytes[i] > largest[i % 4] ? bytes[i] : largest[i % 4];
    std::uint32_t word;
    std::memcpy(&word, largest, sizeof(word));
    return word;
  }

  /// Nearest integers, ties to even; for |x| < 2^31 in the default rounding mode.
  static INHIBITOR_INLINE i32 round_to_int(const f32& x) {
    constexpr index_t n = width / 4;
    float values[n];
    std::int32_t rounded[n];
    x.store_unaligned(values);
    for (index_t i = 0; i < n; ++i) rounded[i] = static_cast<std::int32_t>(std::nearbyint(values[i]));
    return i32::load_unaligned(rounded);
  }

  /// The floats nearest to the integers.
  static INHIBITOR_INLINE f32 to_float(const i32& x) {
    constexpr index_t n = width / 4;
    std::int32_t values[n];
    float converted[n];
    x.store_unaligned(values);
    for (index_t i = 0; i < n; ++i) converted[i] = static_cast<float>(values[i]);
    return f32::load_unaligned(converted);
  }
};

namespace detail {
template <class Isa, class = void>
struct native_ops : portable_ops<Isa> {};
}  // namespace detail

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor

#if defined(__x86_64__) || defined(__i386__)
#include "inhibitor/simd/ops_x86.hpp"
#elif defined(__aarch64__)
#include "inhibitor/simd/ops_arm.hpp"
#endif

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The operations of an instruction set; see portable_ops for what each one does.
template <class Isa>
using byte_ops = detail::native_ops<Isa>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
