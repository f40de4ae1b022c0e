// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "inhibitor/metrics/bleu_counts.hpp"
#include "inhibitor/metrics/parallel_lines.hpp"
#include "inhibitor/metrics/tokenizer_13a.hpp"
#include "inhibitor/text/lower_case.hpp"

// BLEU (Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation") as sacreBLEU 2 defines
// it (Post 2018): BP exp(1/4 sum_n log p_n) for n = 1..4, p_n the share of the hypotheses' n-grams that occur in the
// reference, counts summed over the corpus before they are divided, BP = exp(1 - r/h) for hypotheses of h words in all
// that are shorter than their references of r. Scores and precisions are in percent. Hypotheses are to be plain text,
// detokenized, and references the untouched lines of the test set.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What stands for the precision of an order without any match (Chen and Cherry 2014, "A Systematic Comparison of
/// Smoothing Techniques for Sentence-Level BLEU").
enum class bleu_smoothing {
  none,   ///< 0, and so is the score
  floor,  ///< smoothing_value (default 0.1) in place of the count
  add_k,  ///< smoothing_value (default 1) added to counts and totals of all orders but the first
  exp     ///< count 1/2 for the first such order, 1/4 for the next, and so on
};

enum class bleu_tokenizer {
  none,  ///< words between white space
  v13a   ///< tokenize_13a
};

struct bleu_options {
  bool lower_case = false;
  bleu_tokenizer tokenizer = bleu_tokenizer::v13a;
  bleu_smoothing smoothing = bleu_smoothing::exp;
  std::optional<double> smoothing_value = std::nullopt;
  bool effective_order = false;  ///< the mean runs over the orders that the hypotheses are long enough for
};

struct bleu_score {
  double score = 0;
  std::array<double, bleu_order> precisions{};
  double brevity_penalty = 1;
  bleu_counts counts;  ///< before smoothing
};

namespace detail {

/// A line as BLEU counts it: tokens joined by single blanks.
inline std::string bleu_tokens(const std::string& line, const bleu_options& options) {
  const std::string cased = options.lower_case ? to_lower_case(line) : line;
  return options.tokenizer == bleu_tokenizer::v13a ? tokenize_13a(cased) : squeeze_white_space(cased);
}

/// Precisions, brevity penalty and score of complete counts.
inline bleu_score score_of(const bleu_counts& counts, const bleu_options& options) {
  bleu_score out;
  out.counts = counts;
  const auto h = static_cast<double>(counts.hypothesis_length);
  const auto r = static_cast<double>(counts.reference_length);
  if (h < r) out.brevity_penalty = h > 0 ? std::exp(1 - r / h) : 0;
  if (std::all_of(counts.matches.begin(), counts.matches.end(), [](index_t count) { return count == 0; })) return out;
  const double k = options.smoothing_value.value_or(options.smoothing == bleu_smoothing::floor ? 0.1 : 1);
  double halvings = 1;
  std::size_t orders = counts.matches.size();
  for (std::size_t n = 0; n < counts.matches.size(); ++n) {
    const double added = options.smoothing == bleu_smoothing::add_k && n > 0 ? k : 0;
    const double matches = static_cast<double>(counts.matches[n]) + added;
    const double total = static_cast<double>(counts.totals[n]) + added;
    if (total == 0) break;
    if (options.effective_order) orders = n + 1;
    if (matches != 0) {
      out.precisions[n] = 100 * matches / total;
    } else if (options.smoothing == bleu_smoothing::exp) {
      halvings *= 2;
      out.precisions[n] = 100 / (halvings * total);
    } else if (options.smoothing == bleu_smoothing::floor) {
      out.precisions[n] = 100 * k / total;
    }
  }
  double logarithms = 0;
  for (std::size_t n = 0; n < orders; ++n) {
    if (out.precisions[n] <= 0) return out;
    logarithms += std::log(out.precisions[n]);
  }
  out.score = out.brevity_penalty * std::exp(logarithms / static_cast<double>(orders));
  return out;
}

}  // namespace detail

/// BLEU of a corpus: hypotheses (one line each) against lists of references, each with a line for every hypothesis.
/// Throws std::invalid_argument (check_parallel_lines). Allocates.
inline bleu_score corpus_bleu(const std::vector<std::string>& hypotheses,
                              const std::vector<std::vector<std::string>>& references,
                              const bleu_options& options = {}) {
  check_parallel_lines("BLEU", hypotheses, references);
  bleu_counts counts;
  std::vector<std::string> of_line(references.size());
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    for (std::size_t r = 0; r < references.size(); ++r) of_line[r] = detail::bleu_tokens(references[r][i], options);
    add_bleu_counts(counts, detail::bleu_tokens(hypotheses[i], options), of_line);
  }
  return detail::score_of(counts, options);
}

/// corpus_bleu of a single line with its references. Set effective_order, or lines under four words have no score.
inline bleu_score sentence_bleu(const std::string& hypothesis, const std::vector<std::string>& references,
                                const bleu_options& options) {
  std::vector<std::vector<std::string>> lists;
  for (const std::string& reference : references) lists.push_back({reference});
  return corpus_bleu({hypothesis}, lists, options);
}

/// What the score was taken with, in sacreBLEU's words, the version being that of the sacreBLEU this agrees with:
/// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0".
inline std::string bleu_signature(const bleu_options& options, index_t references = 1) {
  std::string smoothing;
  if (options.smoothing == bleu_smoothing::none) smoothing = "none";
  if (options.smoothing == bleu_smoothing::exp) smoothing = "exp";
  if (options.smoothing == bleu_smoothing::floor || options.smoothing == bleu_smoothing::add_k) {
    const bool is_floor = options.smoothing == bleu_smoothing::floor;
    std::array<char, 64> value{};
    std::snprintf(value.data(), value.size(), "[%.2f]", options.smoothing_value.value_or(is_floor ? 0.1 : 1));
    smoothing = (is_floor ? "floor" : "add-k") + std::string(value.data());
  }
  return "nrefs:" + std::to_string(references) + "|case:" + (options.lower_case ? "lc" : "mixed") +
         "|eff:" + (options.effective_order ? "yes" : "no") +
         "|tok:" + (options.tokenizer == bleu_tokenizer::v13a ? "13a" : "none") + "|smooth:" + smoothing +
         "|version:2.6.0";
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
