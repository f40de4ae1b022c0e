// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/random.hpp"
#include "inhibitor/nn/blocks.hpp"

// Inverted dropout (Srivastava et al. 2014) from counter-based random numbers: the backward pass draws the decisions of
// the forward pass again.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// x (size), in place: each element becomes 0 with probability `p`, else x / (1 - p). Used on values in the forward
/// pass and, with the same stream, on gradients in the backward pass. 0 <= p < 1; p == 0 leaves x alone. Does not
/// throw.
template <class T>
void dropout(T* x, index_t size, double p, const random_stream& stream, const executor& workers) {
  if (p <= 0) return;
  const std::uint32_t key = stream_key(stream);
  const std::uint32_t threshold = random_threshold(p);
  const T scale = static_cast<T>(1 / (1 - p));
  for_each_range(size, 16384, workers, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; ++i) {
      x[i] = random_bits(key, static_cast<std::uint32_t>(i)) < threshold ? T(0) : x[i] * scale;
    }
  });
}

/// Key dropout: clears entries of key_mask (size) with probability `p`. Entries that are 0 stay 0. Applied to attention
/// it removes a key for every query and head of one example, which is what the authors' inhibitor code does with its
/// mask; unlike dropout on softmax weights there is no rescaling. Does not throw.
inline void dropout_keys(std::uint8_t* key_mask, index_t size, double p, const random_stream& stream) {
  if (p <= 0) return;
  const std::uint32_t key = stream_key(stream);
  const std::uint32_t threshold = random_threshold(p);
  for (index_t i = 0; i < size; ++i) {
    if (random_bits(key, static_cast<std::uint32_t>(i)) < threshold) key_mask[i] = 0;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
