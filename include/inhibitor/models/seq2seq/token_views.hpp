// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "inhibitor/models/seq2seq/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One padded batch of sequences, padding last. No array is owned.
struct sequence_view {
  const std::int32_t* ids = nullptr;       ///< (B, L)
  const std::uint8_t* key_mask = nullptr;  ///< (B, L), 1 = real token, 0 = padding
  index_t batch = 0, length = 0;           ///< B, L

  index_t rows() const { return batch * length; }
};

/// What a translation model reads in training.
struct pair_view {
  sequence_view source;  ///< (B, S)
  sequence_view target;  ///< (B, T) what the decoder reads: the start token, then the target without its end
};

/// Sequences one after the other, without padding. No array is owned.
struct packed_sequences {
  const std::int32_t* ids = nullptr;  ///< (M)
  const index_t* starts = nullptr;    ///< (B + 1): sequence b has the rows [starts[b], starts[b + 1]); starts[0] = 0
  index_t batch = 0;                  ///< B

  index_t rows() const { return batch == 0 ? 0 : starts[batch]; }
  index_t length(index_t b) const { return starts[b + 1] - starts[b]; }
};

/// Length of the longest source. Throws std::invalid_argument naming sequence and position unless every sequence has
/// at least one token and no more than `positions`, and every id is in [0, vocab).
inline index_t check_sources(const packed_sequences& tokens, index_t vocab, index_t positions) {
  const auto n = [](index_t x) { return std::to_string(x); };
  index_t longest = 0;
  for (index_t b = 0; b < tokens.batch; ++b) {
    const index_t length = tokens.length(b);
    check(length >= 1 && length <= positions, [&] {
      return "source " + n(b) + " has " + n(length) +
             " tokens; expected 1 to max_position_embeddings = " + n(positions);
    });
    longest = longest < length ? length : longest;
    for (index_t i = tokens.starts[b]; i < tokens.starts[b + 1]; ++i) {
      check(tokens.ids[i] >= 0 && tokens.ids[i] < vocab, [&] {
        return "token of source " + n(b) + ", position " + n(i - tokens.starts[b]) + " is " + n(tokens.ids[i]) +
               "; expected 0 <= id < vocab_size = " + n(vocab);
      });
    }
  }
  return longest;
}

/// Throws std::invalid_argument naming the position unless every id is in [0, vocab), and the length fits `positions`.
inline void check_sequence(const sequence_view& tokens, const char* side, index_t vocab, index_t positions) {
  const auto n = [](index_t x) { return std::to_string(x); };
  check(tokens.length <= positions, [&] {
    return std::string("the longest ") + side + " has " + n(tokens.length) +
           " tokens; expected at most max_position_embeddings = " + n(positions);
  });
  for (index_t i = 0; i < tokens.rows(); ++i) {
    check(tokens.ids[i] >= 0 && tokens.ids[i] < vocab, [&] {
      return std::string(side) + " token at row " + n(i / tokens.length) + ", position " + n(i % tokens.length) +
             " is " + n(tokens.ids[i]) + "; expected 0 <= id < " + n(vocab);
    });
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
