// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Sequences of token ids one after the other, without padding: M rows in all. No array is owned.
struct packed_tokens {
  const std::int32_t* ids = nullptr;       ///< (M)
  const std::int32_t* type_ids = nullptr;  ///< (M) token types, read by models that have them; null: all 0
  const index_t* starts = nullptr;  ///< (B + 1): sequence b has the rows [starts[b], starts[b + 1]); starts[0] = 0
  index_t batch = 0;                ///< B
  /// Tokens to which the batch counts as padded in models whose results depend on it (encoder_inference::
  /// counts_padding); 0: those of its longest sequence.
  index_t padded_length = 0;

  index_t rows() const { return batch == 0 ? 0 : starts[batch]; }
};

/// Length of the longest sequence. Throws std::invalid_argument naming sequence and position unless the starts begin at
/// 0, every sequence has at least one token and no more than the position table, every id is in [0, vocab_size), and
/// every token type in [0, type_vocab_size) where the model has types.
inline index_t check_tokens(const packed_tokens& tokens, const encoder_config& c) {
  const auto n = [](index_t x) { return std::to_string(x); };
  if (tokens.batch == 0) return 0;
  check(tokens.starts[0] == 0,
        [&] { return "packed tokens: the first sequence starts at row " + n(tokens.starts[0]) + "; expected 0"; });
  index_t longest = 0;
  for (index_t b = 0; b < tokens.batch; ++b) {
    const index_t length = tokens.starts[b + 1] - tokens.starts[b];
    check(length >= 1 && length <= c.max_position_embeddings, [&] {
      return "packed tokens: sequence " + n(b) + " has " + n(length) +
             " tokens; expected 1 to max_position_embeddings = " + n(c.max_position_embeddings);
    });
    longest = std::max(longest, length);
    const auto check_ids = [&](const std::int32_t* ids, index_t end, const char* what, const char* limit) {
      for (index_t i = tokens.starts[b]; i < tokens.starts[b + 1]; ++i) {
        check(ids[i] >= 0 && ids[i] < end, [&] {
          return std::string(what) + " of sequence " + n(b) + ", position " + n(i - tokens.starts[b]) + " is " +
                 n(ids[i]) + "; expected 0 <= id < " + limit + " = " + n(end);
        });
      }
    };
    check_ids(tokens.ids, c.vocab_size, "token id", "vocab_size");
    if (c.type_vocab_size > 0 && tokens.type_ids != nullptr) {
      check_ids(tokens.type_ids, c.type_vocab_size, "token type", "type_vocab_size");
    }
  }
  return longest;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
