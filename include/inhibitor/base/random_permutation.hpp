// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/random.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A random order of [0, size) of which any place can be asked for without making the others: a Feistel network over
/// the next even power of two, walked until it ends below `size` (Black & Rogaway 2002, "Ciphers with arbitrary finite
/// domains"). The same for the same size and stream. Does not throw or allocate.
class random_permutation {
 public:
  /// `size` is at least 1 and below 2^62.
  random_permutation(std::uint64_t size, const random_stream& stream) : size_(size), key_(stream_key(stream)) {
    while ((std::uint64_t{1} << (2 * half_bits_)) < size) ++half_bits_;
  }

  std::uint64_t size() const { return size_; }

  /// What stands at `place` < size().
  std::uint64_t operator[](std::uint64_t place) const {
    do {
      place = exchange(place);
    } while (place >= size_);
    return place;
  }

 private:
  std::uint64_t exchange(std::uint64_t x) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = x >> half_bits_, right = x & mask;
    for (std::uint32_t round = 0; round < 4; ++round) {
      const std::uint32_t bits = random_bits(mix_bits(key_ + round), static_cast<std::uint32_t>(right));
      const std::uint64_t next = left ^ (bits & mask);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  std::uint64_t size_;
  std::uint32_t key_;
  unsigned half_bits_ = 1;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
