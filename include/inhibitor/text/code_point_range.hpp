// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace unicode {

/// Code points first .. last, both included.
struct code_point_range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Whether `code_point` lies in one of the `ranges`, which are sorted and disjoint. Binary search; does not throw.
template <std::size_t Size>
constexpr bool contains(const code_point_range (&ranges)[Size], std::uint32_t code_point) {
  std::size_t low = 0;
  std::size_t high = Size;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (code_point > ranges[middle].last) {
      low = middle + 1;
    } else if (code_point < ranges[middle].first) {
      high = middle;
    } else {
      return true;
    }
  }
  return false;
}

}  // namespace unicode
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
