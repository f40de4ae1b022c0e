// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/io/content_hash.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Adds everything that the ids of a text depend on: the rules of the tokenizer and its vocabulary.
inline void add_tokenizer(content_hash& hash, const wordpiece& tokenizer) {
  const wordpiece_options& o = tokenizer.options();
  for (const bool flag : {o.lower_case, o.strip_accents.value_or(o.lower_case), o.split_cjk, o.special_tokens_in_text,
                          o.rules == tokenizer_rules::fast, o.strict_utf8}) {
    hash.add_number(flag ? 1 : 0);
  }
  for (const std::string& token : o.added_tokens) hash.add(token);
  for (index_t id = 0; id < tokenizer.size(); ++id) hash.add(tokenizer.token(static_cast<std::int32_t>(id)));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
