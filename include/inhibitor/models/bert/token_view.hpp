// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One padded batch of token ids. No array is owned.
struct token_view {
  const std::int32_t* ids = nullptr;       ///< (B, L), padded
  const std::uint8_t* key_mask = nullptr;  ///< (B, L), 1 = real token, 0 = padding
  index_t batch = 0, length = 0;           ///< B, L
  const std::int32_t* type_ids = nullptr;  ///< (B, L) token types, read by models that have them; null: all 0

  index_t rows() const { return batch * length; }
};

/// Throws std::invalid_argument naming the position unless every id is in [0, vocab_size), every token type in
/// [0, type_vocab_size) where the model has types, and the length fits the position table.
inline void check_tokens(const token_view& tokens, const encoder_config& c) {
  check(tokens.length <= c.max_position_embeddings, [&] {
    return "sequence length is " + std::to_string(tokens.length) +
           "; expected at most max_position_embeddings = " + std::to_string(c.max_position_embeddings);
  });
  const auto check_ids = [&](const std::int32_t* ids, index_t end, const char* what, const char* limit) {
    for (index_t i = 0; i < tokens.rows(); ++i) {
      check(ids[i] >= 0 && ids[i] < end, [&] {
        return std::string(what) + " at row " + std::to_string(i / tokens.length) + ", position " +
               std::to_string(i % tokens.length) + " is " + std::to_string(ids[i]) + "; expected 0 <= id < " + limit +
               " = " + std::to_string(end);
      });
    }
  };
  check_ids(tokens.ids, c.vocab_size, "token id", "vocab_size");
  if (c.type_vocab_size > 0 && tokens.type_ids != nullptr) {
    check_ids(tokens.type_ids, c.type_vocab_size, "token type", "type_vocab_size");
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
