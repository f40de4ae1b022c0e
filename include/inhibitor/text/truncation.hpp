// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "inhibitor/base/check.hpp"
#include "inhibitor/text/unicode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Which text of a pair gives way when both together are too long.
enum class pair_truncation { longest_first, only_first, only_second };

/// Numbers of tokens kept of the two texts of a pair.
struct pair_lengths {
  index_t first;
  index_t second;
};

/// How many tokens of a pair with `first` and `second` tokens are kept within `budget` (special tokens not counted).
/// longest_first by the slow rules takes one token at a time from the longer text, from the second when they are equal;
/// by the fast rules, when both must give way, the shorter text gets the smaller half, and of two equally long the
/// first counts as the shorter. The two differ only where the budget is odd. only_first and only_second throw
/// std::invalid_argument when that text is not longer than the excess.
inline pair_lengths truncate_pair(index_t first, index_t second, index_t budget, pair_truncation strategy,
                                  tokenizer_rules rules) {
  check(first >= 0 && second >= 0 && budget >= 0, "truncate_pair: lengths and budget must not be negative");
  const index_t excess = first + second - budget;
  if (excess <= 0) return {first, second};
  if (strategy == pair_truncation::only_first) {
    check(first > excess, "truncate_pair: the first text is too short to make the pair fit");
    return {first - excess, second};
  }
  if (strategy == pair_truncation::only_second) {
    check(second > excess, "truncate_pair: the second text is too short to make the pair fit");
    return {first, second - excess};
  }
  const bool first_is_shorter = first <= second;
  index_t shorter = std::min(first, second);
  index_t longer = budget - shorter;
  if (longer < shorter) {
    // Both give way.
    shorter = budget / 2;
    longer = budget - shorter;
    if (rules == tokenizer_rules::slow) return {longer, shorter};
  }
  return first_is_shorter ? pair_lengths{shorter, longer} : pair_lengths{longer, shorter};
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
