// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A packed batch with the padding that it would have as a (B, L) rectangle: every sequence is followed by padding
/// tokens, of type 0, up to the same length.
class padded_batch {
 public:
  /// The padded tokens, valid until the next call; L is tokens.padded_length, or `longest` when that is 0. Throws
  /// std::invalid_argument when a padded_length is shorter than the longest sequence or longer than the position table.
  packed_tokens pad(const packed_tokens& tokens, index_t longest, const encoder_config& c) {
    length_ = tokens.padded_length == 0 ? longest : tokens.padded_length;
    check(length_ >= longest && length_ <= c.max_position_embeddings, [&] {
      return "packed tokens: padded_length is " + std::to_string(length_) + "; expected " + std::to_string(longest) +
             ", the longest sequence, to max_position_embeddings = " + std::to_string(c.max_position_embeddings);
    });
    const index_t rows = tokens.batch * length_;
    ids_.resize(rows);
    type_ids_.resize(rows);
    key_mask_.resize(rows);
    starts_.resize(tokens.batch + 1);
    starts_[0] = 0;
    std::fill(ids_.begin(), ids_.end(), static_cast<std::int32_t>(c.pad_token_id));
    type_ids_.fill_zero();
    key_mask_.fill_zero();
    for (index_t b = 0; b < tokens.batch; ++b) {
      const index_t from = tokens.starts[b], count = tokens.starts[b + 1] - from, to = b * length_;
      std::copy_n(tokens.ids + from, count, ids_.data() + to);
      if (tokens.type_ids != nullptr) std::copy_n(tokens.type_ids + from, count, type_ids_.data() + to);
      std::fill_n(key_mask_.data() + to, count, std::uint8_t{1});
      starts_[b + 1] = to + length_;
    }
    packed_tokens padded;
    padded.ids = ids_.data();
    padded.type_ids = type_ids_.data();
    padded.starts = starts_.data();
    padded.batch = tokens.batch;
    return padded;
  }

  index_t length() const { return length_; }                         ///< L
  const std::uint8_t* key_mask() const { return key_mask_.data(); }  ///< (B, L)

  /// Moves the rows (cols) of real tokens, of the padded batch made from `tokens`, to where they are without padding.
  template <class T>
  void remove_padding(T* x, const packed_tokens& tokens, index_t cols) const {
    for (index_t b = 0; b < tokens.batch; ++b) {
      const index_t from = tokens.starts[b], count = tokens.starts[b + 1] - from;
      std::copy_n(x + b * length_ * cols, count * cols, x + from * cols);
    }
  }

 private:
  index_t length_ = 0;
  aligned_buffer<std::int32_t> ids_, type_ids_;
  aligned_buffer<std::uint8_t> key_mask_;
  aligned_buffer<index_t> starts_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
