// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/metrics/ngrams.hpp"
#include "inhibitor/metrics/parallel_lines.hpp"
#include "inhibitor/text/lower_case.hpp"
#include "inhibitor/text/white_space.hpp"

// chrF (Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation") and chrF++ (Popovic 2017, "chrF++:
// words helping character n-grams") as sacreBLEU 2 defines them: F = (1 + beta^2) P R / (beta^2 P + R), where P and R
// are means, over the orders that occur on both sides, of the n-gram precision and recall of the whole corpus. White
// space does not count. In percent.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

struct chrf_options {
  index_t char_order = 6;
  index_t word_order = 0;  ///< 2: chrF++
  index_t beta = 2;        ///< recall counts beta times as much as precision
  bool lower_case = false;
};

namespace detail {

/// n-grams of one order: of the hypotheses, of the references, in both.
struct chrf_counts {
  index_t hypothesis = 0, reference = 0, matches = 0;
};

/// The text without white space, and its characters.
struct chrf_characters {
  std::string text;
  std::vector<text_span> units;
};

inline chrf_characters characters_of(std::string_view line) {
  chrf_characters out;
  for (const text_span& word : split_words(line)) out.text.append(line.substr(word.begin, word.end - word.begin));
  for (std::size_t i = 0; i < out.text.size();) {
    const auto length = static_cast<std::size_t>(unicode::decode(out.text, static_cast<index_t>(i)).length);
    out.units.push_back({i, i + length});
    i += length;
  }
  return out;
}

/// Words joined by single blanks, the last punctuation character of a word, or else its first, taken off.
inline chrf_characters chrf_words_of(std::string_view line) {
  chrf_characters out;
  const auto add = [&](std::string_view word) {
    if (!out.text.empty()) out.text.push_back(' ');
    out.units.push_back({out.text.size(), out.text.size() + word.size()});
    out.text.append(word);
  };
  const auto is_mark = [](char c) {
    return c > ' ' && c <= '~' && unicode::is_punctuation(static_cast<unsigned char>(c), tokenizer_rules::fast);
  };
  for (const text_span& span : split_words(line)) {
    const std::string_view word = line.substr(span.begin, span.end - span.begin);
    if (word.size() > 1 && is_mark(word.back())) {
      add(word.substr(0, word.size() - 1));
      add(word.substr(word.size() - 1));
    } else if (word.size() > 1 && is_mark(word.front())) {
      add(word.substr(0, 1));
      add(word.substr(1));
    } else {
      add(word);
    }
  }
  return out;
}

/// A line's n-gram counts per order, characters first, and the texts they point into.
struct chrf_line {
  chrf_characters characters, words;
  std::vector<ngram_counts> counts;
};

inline void read_for_chrf(const std::string& line, const chrf_options& options, chrf_line& out) {
  const std::string cased = options.lower_case ? to_lower_case(line) : line;
  out.characters = characters_of(cased);
  out.counts.clear();
  for (index_t n = 1; n <= options.char_order; ++n) {
    out.counts.push_back(count_ngrams(out.characters.text, out.characters.units, n));
  }
  if (options.word_order > 0) out.words = chrf_words_of(cased);
  for (index_t n = 1; n <= options.word_order; ++n) {
    out.counts.push_back(count_ngrams(out.words.text, out.words.units, n));
  }
}

inline std::vector<chrf_counts> compare_for_chrf(const chrf_line& hypothesis, const chrf_line& reference) {
  const auto total = [](const ngram_counts& counts) {
    index_t sum = 0;
    for (const auto& entry : counts) sum += entry.second;
    return sum;
  };
  std::vector<chrf_counts> out;
  for (std::size_t n = 0; n < hypothesis.counts.size(); ++n) {
    const ngram_counts& h = hypothesis.counts[n];
    const ngram_counts& r = reference.counts[n];
    out.push_back({r.empty() ? 0 : total(h), total(r), count_matches(h, r)});
  }
  return out;
}

inline double chrf_of(const std::vector<chrf_counts>& counts, const chrf_options& options) {
  double precision = 0, recall = 0, orders = 0;
  for (const chrf_counts& c : counts) {
    if (c.hypothesis == 0 || c.reference == 0) continue;
    precision += static_cast<double>(c.matches) / static_cast<double>(c.hypothesis);
    recall += static_cast<double>(c.matches) / static_cast<double>(c.reference);
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const auto factor = static_cast<double>(options.beta * options.beta);
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

}  // namespace detail

/// chrF of a corpus: hypotheses (one line each) against lists of references, each with a line for every hypothesis; of
/// several references of a line the one with the best score counts. Throws std::invalid_argument
/// (check_parallel_lines; an order or beta out of range). Allocates.
inline double corpus_chrf(const std::vector<std::string>& hypotheses,
                          const std::vector<std::vector<std::string>>& references, const chrf_options& options = {}) {
  check(options.char_order >= 0 && options.word_order >= 0 && options.char_order + options.word_order > 0 &&
            options.beta > 0,
        "chrF: expected orders of at least 0, one of them positive, and a positive beta");
  check_parallel_lines("chrF", hypotheses, references);
  std::vector<detail::chrf_counts> sum(static_cast<std::size_t>(options.char_order + options.word_order));
  detail::chrf_line hypothesis, reference;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    detail::read_for_chrf(hypotheses[i], options, hypothesis);
    std::vector<detail::chrf_counts> best;
    for (const std::vector<std::string>& lines : references) {
      detail::read_for_chrf(lines[i], options, reference);
      std::vector<detail::chrf_counts> counts = detail::compare_for_chrf(hypothesis, reference);
      if (best.empty() || detail::chrf_of(counts, options) > detail::chrf_of(best, options)) best = std::move(counts);
    }
    for (std::size_t n = 0; n < sum.size(); ++n) {
      sum[n].hypothesis += best[n].hypothesis;
      sum[n].reference += best[n].reference;
      sum[n].matches += best[n].matches;
    }
  }
  return detail::chrf_of(sum, options);
}

/// What the score was taken with, in sacreBLEU's words: "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0".
inline std::string chrf_signature(const chrf_options& options, index_t references = 1) {
  return "nrefs:" + std::to_string(references) + "|case:" + (options.lower_case ? "lc" : "mixed") +
         "|eff:yes|nc:" + std::to_string(options.char_order) + "|nw:" + std::to_string(options.word_order) +
         "|space:no|version:2.6.0";
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
