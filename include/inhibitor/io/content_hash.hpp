// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// 64-bit FNV-1a over the pieces given to it; every piece is followed by its length, so that borders count.
class content_hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) mix(static_cast<unsigned char>(c));
    add_number(bytes.size());
  }
  void add_number(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) mix((number >> shift) & 0xFF);
  }
  /// The bytes of an array of numbers.
  template <class T>
  void add_values(const T* values, std::size_t count) {
    static_assert(std::is_arithmetic_v<T>, "content_hash: padding bytes would count");
    add({reinterpret_cast<const char*>(values), count * sizeof(T)});
  }
  template <class T>
  void add_values(const std::vector<T>& values) {
    add_values(values.data(), values.size());
  }

  std::uint64_t value() const { return hash_; }
  /// The value as 16 hexadecimal digits.
  std::string text() const {
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(hash_ >> shift) & 0xF];
    return out;
  }

 private:
  void mix(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; }
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
