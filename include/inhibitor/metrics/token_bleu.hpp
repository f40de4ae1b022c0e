// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "inhibitor/metrics/bleu_counts.hpp"
#include "inhibitor/metrics/parallel_lines.hpp"

// BLEU of token lists as nltk 3.5's corpus_bleu gives it without smoothing, and the form of it that the code of
// "Rethinking Attention" (arXiv 2311.10642) reports. Not comparable with bleu.hpp's: for figures beside that paper's
// own, never instead of corpus_bleu.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// nltk's corpus BLEU in percent, one reference each; lines are tokens separated by white space. It differs from
/// corpus_bleu without tokenizer and smoothing in two points: a hypothesis counts as having at least one n-gram of
/// every order, however short it is, and an order without match has the smallest double as its precision. Throws
/// std::invalid_argument (check_parallel_lines). Allocates.
inline double nltk_token_bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  check_parallel_lines("token BLEU", hypotheses, {references});
  bleu_counts sum;
  std::array<index_t, bleu_order> totals{};
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    add_bleu_counts(sum, squeeze_white_space(hypotheses[i]), {squeeze_white_space(references[i])});
    const auto length = static_cast<index_t>(split_words(hypotheses[i]).size());
    for (std::size_t n = 0; n < totals.size(); ++n) {
      totals[n] += std::max(index_t{1}, ngram_total(length, static_cast<index_t>(n) + 1));
    }
  }
  if (sum.matches[0] == 0) return 0;
  double logarithms = 0;
  for (std::size_t n = 0; n < totals.size(); ++n) {
    const double precision = static_cast<double>(sum.matches[n]) / static_cast<double>(totals[n]);
    logarithms += std::log(sum.matches[n] > 0 ? precision : std::numeric_limits<double>::min());
  }
  const auto h = static_cast<double>(sum.hypothesis_length);
  const auto r = static_cast<double>(sum.reference_length);
  return 100 * std::exp(std::min(0.0, 1 - r / h) + logarithms / static_cast<double>(bleu_order));
}

/// The score of the code of "Rethinking Attention": nltk_token_bleu with a begin and an end token, <s> and </s>,
/// counted on both sides, which every hypothesis matches for free (47.25 becomes 52.10 on ten ordinary lines). Throws
/// as nltk_token_bleu does.
inline double begin_end_token_bleu(const std::vector<std::string>& hypotheses,
                                   const std::vector<std::string>& references) {
  const auto enclosed = [](std::vector<std::string> lines) {
    for (std::string& line : lines) line = "<s> " + line + " </s>";
    return lines;
  };
  check_parallel_lines("token BLEU", hypotheses, {references});
  return nltk_token_bleu(enclosed(hypotheses), enclosed(references));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
