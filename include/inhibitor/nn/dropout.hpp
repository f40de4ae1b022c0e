// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "inhibitor/nn/linear.hpp"

// Inverted dropout (Srivastava et al. 2014) from a counter-based generator: whether element i is kept is a pure
// function of (stream, i). The backward pass draws the same decisions again instead of storing them, and neither the
// number of workers nor the order of evaluation can change them.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Names one dropout site of one training step. Two sites or steps with different numbers draw independent decisions.
struct dropout_stream {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint32_t site = 0;

  /// The same stream seen from another place of the model.
  dropout_stream at(std::uint32_t where) const { return {seed, step, where}; }
};

namespace detail {

// Finalizer of MurmurHash3 (public domain, Appleby): every input bit flips every output bit with probability near 1/2.
constexpr std::uint32_t mix32(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  h ^= h >> 16;
  return h;
}

constexpr std::uint32_t stream_key(const dropout_stream& s) {
  std::uint32_t key = mix32(s.site + 0x9e3779b9U);
  key = mix32(key ^ static_cast<std::uint32_t>(s.seed));
  key = mix32(key ^ static_cast<std::uint32_t>(s.seed >> 32));
  key = mix32(key ^ static_cast<std::uint32_t>(s.step));
  return mix32(key ^ static_cast<std::uint32_t>(s.step >> 32));
}

constexpr std::uint32_t random_bits(std::uint32_t key, std::uint32_t index) { return mix32(mix32(index + key) ^ key); }

/// Probabilities become thresholds on 32 random bits: dropped when bits < threshold.
inline std::uint32_t drop_threshold(double probability) {
  return static_cast<std::uint32_t>(std::min(probability * 4294967296.0, 4294967295.0));
}

}  // namespace detail

/// x (size), in place: each element becomes 0 with probability `p`, else x / (1 - p). Used on values in the forward
/// pass and, with the same stream, on gradients in the backward pass. 0 <= p < 1; p == 0 leaves x alone. Does not
/// throw.
template <class T>
void dropout(T* x, index_t size, double p, const dropout_stream& stream, const executor& workers) {
  if (p <= 0) return;
  const std::uint32_t key = detail::stream_key(stream);
  const std::uint32_t threshold = detail::drop_threshold(p);
  const T scale = static_cast<T>(1 / (1 - p));
  constexpr index_t block = 16384;
  workers.for_each(detail::blocks(size, block), [&](index_t item, index_t) {
    const index_t end = std::min(size, (item + 1) * block);
    for (index_t i = item * block; i < end; ++i) {
      x[i] = detail::random_bits(key, static_cast<std::uint32_t>(i)) < threshold ? T(0) : x[i] * scale;
    }
  });
}

/// Key dropout: clears entries of key_mask (size) with probability `p`. Entries that are 0 stay 0. Applied to attention
/// it removes a key for every query and head of one example, which is what the authors' inhibitor code does with its
/// mask; unlike dropout on softmax weights there is no rescaling. Does not throw.
inline void dropout_keys(std::uint8_t* key_mask, index_t size, double p, const dropout_stream& stream) {
  if (p <= 0) return;
  const std::uint32_t key = detail::stream_key(stream);
  const std::uint32_t threshold = detail::drop_threshold(p);
  for (index_t i = 0; i < size; ++i) {
    if (detail::random_bits(key, static_cast<std::uint32_t>(i)) < threshold) key_mask[i] = 0;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
