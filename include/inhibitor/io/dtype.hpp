// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

// Element types of the safetensors format. The order of the enumerators is part of the format: the reference writer
// stores tensors by descending type in this order, which keeps every tensor aligned to its element size.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

enum class dtype : std::uint8_t {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};

namespace detail {

struct dtype_row {
  std::string_view name;
  unsigned bits;
};

inline constexpr std::array<dtype_row, 22> dtype_table{
    {{"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
     {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
     {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
     {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}}};

}  // namespace detail

/// Name of a type as the format writes it, e.g. "F32". Does not throw or allocate.
inline std::string_view dtype_name(dtype type) { return detail::dtype_table[static_cast<std::size_t>(type)].name; }

/// Bits per element; 4 and 6 occur. Does not throw or allocate.
inline unsigned dtype_bits(dtype type) { return detail::dtype_table[static_cast<std::size_t>(type)].bits; }

/// The type called `name` (exact spelling), or nothing. Does not throw or allocate.
inline std::optional<dtype> dtype_from_name(std::string_view name) {
  for (std::size_t i = 0; i < detail::dtype_table.size(); ++i) {
    if (detail::dtype_table[i].name == name) return static_cast<dtype>(i);
  }
  return std::nullopt;
}

/// The storage type of a C++ number: float, double or std::int64_t.
template <class T>
constexpr dtype dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>,
                "tensors are float, double or std::int64_t in memory");
  if constexpr (std::is_same_v<T, float>) {
    return dtype::f32;
  } else if constexpr (std::is_same_v<T, double>) {
    return dtype::f64;
  } else {
    return dtype::i64;
  }
}

/// Value of an IEEE 754 half-precision number given by its bits. Exact, subnormals, infinities and NaN payloads
/// included.
inline float f16_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * (1.0F / 16777216.0F);  // unit of the subnormals: 2^-24
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 0x1FU ? 0xFFU : exponent + (127U - 15U);
  const std::uint32_t bits = sign | (wide_exponent << 23) | (fraction << 13);
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Value of a bfloat16 number given by its bits: the upper half of a float. Exact.
inline float bf16_to_float(std::uint16_t upper) {
  const std::uint32_t bits = static_cast<std::uint32_t>(upper) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
