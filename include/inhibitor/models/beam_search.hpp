// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/executor.hpp"
#include "inhibitor/nn/softmax_row.hpp"

// Beam search over whatever gives logits, by the rules of fairseq (sequence_generator.py) but for when it stops. Of each
// sentence, with B beams, in every step:
//
//   candidates   the 2 B best of (beam, next token) by sum of log-probabilities; ties to the better beam, then to the
//                lower token. Padding and what is not a number are none.
//   the end      finishes a translation where it is among the first B candidates
//   the beams    of the next step are the first B candidates that are not the end
//   stop         B translations are finished and no beam can become worth more than the best of them, or a translation
//                has max_length tokens and only the end may follow. fairseq stops at B: of a model that is sure of
//                itself those may all be bad ones, finished while the good one goes on.
//
// A finished translation of n tokens, its end among them, is worth sum / n^alpha, or sum / ((5 + n) / 6)^alpha (Wu et
// al. 2016, arXiv 1609.08144 equation 14). Sums are negative, so a larger alpha favors longer translations. One beam is
// greedy search.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a sum of log-probabilities is divided by.
enum class length_penalty { length, wu };

/// How to search. Defaults are fairseq's but for when to stop.
struct beam_options {
  index_t beams = 5;
  bool stops_when_full = false;  ///< as soon as B translations are finished, as fairseq does
  length_penalty penalty = length_penalty::length;
  double alpha = 1;            ///< larger: longer translations
  index_t min_length = 1;      ///< tokens before the end may come
  double longest_share = 1.2;  ///< a translation has at most longest_share * source tokens + longest_more tokens
  double longest_more = 10;    ///< and its end

  /// Throws std::invalid_argument naming the field that does not make sense.
  void validate() const {
    check(beams >= 1, [&] { return "beams is " + std::to_string(beams) + "; expected at least 1"; });
    check(min_length >= 0, [&] { return "min_length is " + std::to_string(min_length) + "; expected at least 0"; });
    check(std::isfinite(alpha), "alpha must be a number");
    check(longest_share >= 0 && longest_more >= 0, "longest_share and longest_more must not be negative");
  }
  /// What a translation with `tokens` tokens, its end among them, is worth.
  double score(double log_probability, index_t tokens) const {
    const auto n = static_cast<double>(tokens);
    return log_probability / std::pow(penalty == length_penalty::wu ? (5 + n) / 6 : n, alpha);
  }
  /// The most that a translation can be worth that has this sum so far and at least `fewest`, at most `most` tokens in
  /// the end: further tokens add nothing to the sum at best.
  double best_score(double log_probability, index_t fewest, index_t most) const {
    return std::max(score(log_probability, fewest), score(log_probability, most));
  }
};

/// A finished translation.
struct hypothesis {
  std::vector<std::int32_t> tokens;  ///< without its end
  double score = 0;                  ///< beam_options::score
  double log_probability = 0;        ///< sum over its tokens and its end
};

/// The search for a batch of sentences:
///
///   beam_search search(max_lengths, special, options);
///   while (!search.is_done()) {
///     search.advance(logits of what follows search.ids(), row by row, vocab, workers);
///     keep of the model the rows search.parents();
///   }
class beam_search {
 public:
  /// Ids that mean something. `start` is given to the model first and is no token of a translation.
  struct special_tokens {
    std::int32_t start = 0, end = 1, padding = 0;
  };

  /// One search per sentence, whose translation has at most max_lengths[b] tokens before its end. Throws
  /// std::invalid_argument for options that do not make sense.
  beam_search(const std::vector<index_t>& max_lengths, const special_tokens& special, const beam_options& options)
      : special_(special), options_(options), finished_(max_lengths.size()) {
    options_.validate();
    for (std::size_t b = 0; b < max_lengths.size(); ++b) {
      sentences_.push_back({static_cast<index_t>(b), max_lengths[b], {beam{{}, 0, static_cast<index_t>(b)}}});
    }
    list_rows();
  }

  bool is_done() const { return sentences_.empty(); }
  /// The last token of every row (R).
  const std::vector<std::int32_t>& ids() const { return ids_; }
  /// For every row (R) which row of the step before it goes on from. Rows of a sentence are side by side and sentences
  /// in order.
  const std::vector<index_t>& parents() const { return parents_; }

  /// One step with the logits (R, vocab) of what follows the rows. Results do not depend on the workers.
  template <class T>
  void advance(const T* logits, index_t vocab, const executor& workers) {
    workers.for_each(static_cast<index_t>(sentences_.size()), [&](index_t item, index_t) {
      advance_sentence(sentences_[static_cast<std::size_t>(item)], logits, vocab);
    });
    ++step_;
    const auto is_finished = [](const sentence& s) { return s.beams.empty(); };
    sentences_.erase(std::remove_if(sentences_.begin(), sentences_.end(), is_finished), sentences_.end());
    list_rows();
  }

  /// The finished translations of every sentence, best first, those that ended earlier first among equals; at most
  /// options.beams of them. Empty where the logits were no numbers.
  std::vector<std::vector<hypothesis>> take_results() {
    for (auto& all : finished_) {
      std::stable_sort(all.begin(), all.end(),
                       [](const hypothesis& a, const hypothesis& b) { return a.score > b.score; });
      if (all.size() > static_cast<std::size_t>(options_.beams)) all.resize(static_cast<std::size_t>(options_.beams));
    }
    return std::move(finished_);
  }

 private:
  struct beam {
    std::vector<std::int32_t> tokens;
    double log_probability;
    index_t row;  ///< of the step in work; after it, the row it came from
  };
  struct sentence {
    index_t index;
    index_t max_length;
    std::vector<beam> beams;  ///< best first
  };
  struct candidate {
    double log_probability;
    std::size_t beam;
    std::int32_t token;

    bool operator<(const candidate& other) const {
      if (log_probability != other.log_probability) return log_probability > other.log_probability;
      return beam != other.beam ? beam < other.beam : token < other.token;
    }
  };

  void list_rows() {
    ids_.clear();
    parents_.clear();
    for (sentence& s : sentences_) {
      for (beam& b : s.beams) {
        parents_.push_back(b.row);
        b.row = static_cast<index_t>(ids_.size());
        ids_.push_back(b.tokens.empty() ? special_.start : b.tokens.back());
      }
    }
  }

  /// Adds the best `most` continuations of one beam.
  template <class T>
  void add_candidates(std::vector<candidate>& all, const sentence& s, std::size_t which, const T* logits, index_t vocab,
                      std::size_t most) const {
    const beam& from = s.beams[which];
    const T* x = logits + from.row * vocab;
    const double normalizer = log_sum_of_exponentials(x, vocab);
    const auto sum_of = [&](index_t k) { return from.log_probability + (static_cast<double>(x[k]) - normalizer); };
    const auto add = [&](index_t k) { all.push_back({sum_of(k), which, static_cast<std::int32_t>(k)}); };
    if (step_ >= s.max_length) {
      if (std::isfinite(sum_of(special_.end))) add(special_.end);
      return;
    }
    // The best logits so far in order, the lower token first among equals.
    std::vector<index_t> best;
    for (index_t k = 0; k < vocab; ++k) {
      if (best.size() == most && !(x[k] > x[best.back()])) continue;
      if (k == special_.padding || (k == special_.end && step_ < options_.min_length)) continue;
      if (!std::isfinite(sum_of(k))) continue;
      if (best.size() == most) best.pop_back();
      best.insert(std::find_if(best.begin(), best.end(), [&](index_t other) { return x[k] > x[other]; }), k);
    }
    for (const index_t k : best) add(k);
  }

  template <class T>
  void advance_sentence(sentence& s, const T* logits, index_t vocab) {
    const auto beams = static_cast<std::size_t>(options_.beams);
    std::vector<candidate> candidates;
    for (std::size_t b = 0; b < s.beams.size(); ++b) add_candidates(candidates, s, b, logits, vocab, 2 * beams);
    std::sort(candidates.begin(), candidates.end());
    if (candidates.size() > 2 * beams) candidates.resize(2 * beams);
    std::vector<hypothesis>& finished = finished_[static_cast<std::size_t>(s.index)];
    std::vector<beam> next;
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      const candidate& c = candidates[rank];
      const beam& from = s.beams[c.beam];
      if (c.token != special_.end) {
        if (next.size() == beams) continue;
        next.push_back({from.tokens, c.log_probability, from.row});
        next.back().tokens.push_back(c.token);
      } else if (rank < beams && !(options_.stops_when_full && finished.size() == beams)) {
        const auto tokens = static_cast<index_t>(from.tokens.size()) + 1;
        finished.push_back({from.tokens, options_.score(c.log_probability, tokens), c.log_probability});
      }
    }
    if (step_ >= s.max_length || (finished.size() >= beams && is_decided(s, finished, next))) next.clear();
    s.beams = std::move(next);
  }

  /// True when none of the beams, best first, can become worth more than the best that is finished.
  bool is_decided(const sentence& s, const std::vector<hypothesis>& finished, const std::vector<beam>& beams) const {
    if (options_.stops_when_full || beams.empty()) return true;
    double best = finished.front().score;
    for (const hypothesis& h : finished) best = std::max(best, h.score);
    const auto fewest = static_cast<index_t>(beams.front().tokens.size()) + 1;
    return options_.best_score(beams.front().log_probability, fewest, s.max_length + 1) <= best;
  }

  special_tokens special_;
  beam_options options_;
  index_t step_ = 0;                 ///< tokens of every row
  std::vector<sentence> sentences_;  ///< that are not done
  std::vector<std::vector<hypothesis>> finished_;
  std::vector<std::int32_t> ids_;
  std::vector<index_t> parents_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
