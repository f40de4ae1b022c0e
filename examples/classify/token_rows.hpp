// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "classify/text_rows.hpp"
#include "inhibitor/models/bert/packed_tokens.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace inhibitor::examples {

/// Tokens of several rows, one after the other.
struct token_rows {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<index_t> starts{0};
  std::vector<index_t> lines;  ///< (size()) where each begins in the input

  index_t size() const { return static_cast<index_t>(starts.size()) - 1; }
  index_t tokens() const { return starts.back(); }
  packed_tokens view() const { return {ids.data(), type_ids.data(), starts.data(), size()}; }
  void clear() {
    ids.clear();
    type_ids.clear();
    starts.assign(1, 0);
    lines.clear();
  }
};

/// Turns rows into tokens and counts the texts that had to be cut.
class row_tokenizer {
 public:
  /// Rows longer than `max_length` tokens, special ones included, are cut (pairs longest first) or, when `is_strict`,
  /// refused.
  row_tokenizer(const wordpiece& tokenizer, index_t max_length, bool is_strict)
      : tokenizer_(tokenizer), max_length_(max_length), is_strict_(is_strict) {}

  /// Appends a row of the input called `name`. Throws file_error with the line for text that is not valid UTF-8 (if the
  /// tokenizer is strict) or too long (if this is).
  void append(token_rows& out, const text_row& row, const std::string& name) {
    encoded_text encoded;
    try {
      encoded = encode(row, PTRDIFF_MAX);
      const auto length = static_cast<index_t>(encoded.ids.size());
      if (length > max_length_) {
        if (is_strict_) {
          throw file_error(
              name, row.line,
              "the text has " + std::to_string(length) + " tokens; expected at most " + std::to_string(max_length_));
        }
        ++truncated_;
        encoded = encode(row, max_length_);
      }
    } catch (const utf8_error& error) {
      throw file_error(name, row.line, error.what());
    }
    out.ids.insert(out.ids.end(), encoded.ids.begin(), encoded.ids.end());
    out.type_ids.insert(out.type_ids.end(), encoded.token_types.begin(), encoded.token_types.end());
    out.starts.push_back(static_cast<index_t>(out.ids.size()));
    out.lines.push_back(row.line);
  }

  index_t truncated() const { return truncated_; }
  index_t max_length() const { return max_length_; }

 private:
  encoded_text encode(const text_row& row, index_t max_length) const {
    if (row.pair) return tokenizer_.encode_pair(row.text, *row.pair, max_length);
    encoded_text out;
    out.ids = tokenizer_.encode(row.text, max_length);
    out.token_types.assign(out.ids.size(), 0);
    return out;
  }

  const wordpiece& tokenizer_;
  index_t max_length_;
  bool is_strict_;
  index_t truncated_ = 0;
};

}  // namespace inhibitor::examples
