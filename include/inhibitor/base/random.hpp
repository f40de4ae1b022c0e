// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "inhibitor/base/config.hpp"

// Counter-based random numbers: value i of a stream is a pure function of (stream, i). What was drawn can be drawn
// again instead of being stored, and neither the number of workers nor the order of evaluation can change it.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Names one place of one training step that draws. Streams with different numbers are independent.
struct random_stream {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint32_t site = 0;

  /// The same stream seen from another place of the model.
  random_stream at(std::uint32_t where) const { return {seed, step, where}; }
};

/// Finalizer of MurmurHash3 (public domain, Appleby): every input bit flips every output bit with probability near 1/2.
constexpr std::uint32_t mix_bits(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  h ^= h >> 16;
  return h;
}

/// A stream as one number, to be computed once for all its values.
constexpr std::uint32_t stream_key(const random_stream& s) {
  std::uint32_t key = mix_bits(s.site + 0x9e3779b9U);
  key = mix_bits(key ^ static_cast<std::uint32_t>(s.seed));
  key = mix_bits(key ^ static_cast<std::uint32_t>(s.seed >> 32));
  key = mix_bits(key ^ static_cast<std::uint32_t>(s.step));
  return mix_bits(key ^ static_cast<std::uint32_t>(s.step >> 32));
}

/// 32 random bits: value `index` of the stream with this key.
constexpr std::uint32_t random_bits(std::uint32_t key, std::uint32_t index) {
  return mix_bits(mix_bits(index + key) ^ key);
}

/// The bound below which random_bits lie with this probability.
constexpr std::uint32_t random_threshold(double probability) {
  return static_cast<std::uint32_t>(std::min(probability * 4294967296.0, 4294967295.0));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
