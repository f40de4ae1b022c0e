// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/io/dtype.hpp"

// Names and shapes of tensors in messages.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// `text` in quotes, fit for a message: shortened, and bytes a terminal could act upon replaced.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 100;
  std::string out = "'";
  for (const char c : text.substr(0, most)) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) ? '?' : c;
  return out + (text.size() > most ? "...'" : "'");
}

/// "[2, 768]"
inline std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

/// Bytes of a tensor. Returns an empty string, or what is wrong with type and shape. An overflow of the other extents
/// is an error even when one extent is zero, in whatever order they come.
inline std::string count_bytes(dtype type, const std::vector<std::uint64_t>& shape, std::uint64_t& bytes) {
  std::uint64_t bits = dtype_bits(type);
  bool is_empty = false;
  for (const std::uint64_t extent : shape) {
    if (extent == 0) {
      is_empty = true;
    } else if (__builtin_mul_overflow(bits, extent, &bits)) {
      return "the size of shape " + shape_text(shape) + " overflows 64 bits";
    }
  }
  if (is_empty) bits = 0;
  if (bits % 8 != 0) {
    return "shape " + shape_text(shape) + " of " + std::string(dtype_name(type)) + " does not fill whole bytes";
  }
  bytes = bits / 8;
  return {};
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
