// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/text/bpe_codes.hpp"
#include "inhibitor/text/utf8_error.hpp"
#include "inhibitor/text/word_counter.hpp"

// Learning byte-pair encoding (Sennrich, Haddow and Birch 2016): start from characters, then merge the most frequent
// pair of neighboring units everywhere, over and over. The merges are those of subword-nmt's learn-bpe, version 0.2,
// also in its corners, which come from keeping counts up to date instead of counting anew:
//   - a unit that two different merges spell alike is one unit, and where a word already held it before the merge at
//     hand its neighbors are counted again;
//   - rare pairs are set aside; one that gains occurrences while it is aside loses those it had before.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

struct bpe_learner_options {
  index_t merges = 10000;     ///< at most so many
  index_t min_frequency = 2;  ///< stops when no pair occurs that often
};

namespace detail {

class bpe_learner {
 public:
  explicit bpe_learner(const word_counter& counter) {
    for (const word_count& entry : counter.words()) {
      check_utf8(entry.word);
      if (!entry.word.empty()) add_word(entry);
    }
  }

  bpe_codes learn(const bpe_learner_options& options) {
    bpe_codes codes;
    double threshold = live_.empty() ? 0 : static_cast<double>(pairs_[best()].count) / 10;
    for (index_t step = 0; step < options.merges && !pairs_.empty(); ++step) {
      std::size_t chosen = best();
      if (live_.empty() || (step > 0 && static_cast<double>(pairs_[chosen].count) < threshold)) {
        set_aside(threshold);
        bring_back();
        chosen = best();
        threshold = static_cast<double>(pairs_[chosen].count * step) / (static_cast<double>(step) + 10000.0);
        set_aside(threshold);
      }
      if (pairs_[chosen].count < options.min_frequency) break;
      codes.merges.emplace_back(units_[pairs_[chosen].left], units_[pairs_[chosen].right]);
      merge(chosen);
      if (step % 100 == 0) set_aside(threshold);
    }
    return codes;
  }

 private:
  using unit = std::uint32_t;
  using word_index = std::uint32_t;

  struct word {
    std::vector<unit> units;
    index_t count;
  };
  /// A pair of units that are or were neighbors somewhere.
  struct pair {
    unit left, right;
    index_t count = 0;        // while live
    index_t aside_count = 0;  // when last set aside
    bool is_live = false;
    std::unordered_map<word_index, std::int32_t> in_words;  // word: occurrences
  };

  unit unit_of(const std::string& text) {
    const auto [entry, is_new] = unit_index_.emplace(text, static_cast<unit>(units_.size()));
    if (is_new) units_.push_back(text);
    return entry->second;
  }

  std::size_t pair_of(unit left, unit right) {
    const std::uint64_t key = (std::uint64_t{left} << 32) | right;
    const auto [entry, is_new] = pair_index_.emplace(key, pairs_.size());
    if (is_new) {
      pairs_.emplace_back();
      pairs_.back().left = left;
      pairs_.back().right = right;
    }
    return entry->second;
  }

  void count(unit left, unit right, word_index in, std::int32_t occurrences) {
    const std::size_t index = pair_of(left, right);
    pair& p = pairs_[index];
    if (!p.is_live) {
      p.is_live = true;
      p.count = 0;
      live_.push_back(index);
    }
    p.count += occurrences * words_[in].count;
    p.in_words[in] += occurrences;
  }

  void add_word(const word_count& entry) {
    word w{{}, entry.count};
    for (std::size_t begin = 0; begin < entry.word.size();) {
      const auto length = static_cast<std::size_t>(unicode::decode(entry.word, static_cast<index_t>(begin)).length);
      std::string character = entry.word.substr(begin, length);
      begin += length;
      if (begin == entry.word.size()) character += bpe_word_end;
      w.units.push_back(unit_of(character));
    }
    words_.push_back(std::move(w));
    const auto in = static_cast<word_index>(words_.size() - 1);
    const std::vector<unit>& units = words_.back().units;
    for (std::size_t i = 0; i + 1 < units.size(); ++i) {
      count(units[i], units[i + 1], in, 1);
      pair& p = pairs_[pair_of(units[i], units[i + 1])];
      p.aside_count = p.count;
    }
  }

  /// The most frequent live pair; of equally frequent ones the largest by code points, left unit first.
  std::size_t best() const {
    std::size_t best = live_.empty() ? 0 : live_.front();
    for (const std::size_t index : live_) {
      const pair& a = pairs_[index];
      const pair& b = pairs_[best];
      if (a.count < b.count || index == best) continue;
      if (a.count == b.count) {
        const int left = units_[a.left].compare(units_[b.left]);  // bytes of UTF-8 sort as code points do
        if (left < 0 || (left == 0 && units_[a.right] < units_[b.right])) continue;
      }
      best = index;
    }
    return best;
  }

  /// Sets pairs that are rarer than `threshold` aside, so that best() need not look at them.
  void set_aside(double threshold) {
    const auto is_frequent = [&](std::size_t index) {
      pair& p = pairs_[index];
      if (static_cast<double>(p.count) >= threshold) return true;
      // A negative count is what a pair lost while it was aside.
      p.aside_count = p.count < 0 ? p.aside_count + p.count : p.count;
      p.is_live = false;
      return false;
    };
    live_.erase(std::stable_partition(live_.begin(), live_.end(), is_frequent), live_.end());
  }

  void bring_back() {
    live_.clear();
    for (std::size_t index = 0; index < pairs_.size(); ++index) {
      pairs_[index].count = pairs_[index].aside_count;
      pairs_[index].is_live = true;
      live_.push_back(index);
    }
  }

  /// Merges a pair wherever it stands, from left to right, and corrects the counts of the pairs around it.
  void merge(std::size_t chosen) {
    const unit left = pairs_[chosen].left;
    const unit right = pairs_[chosen].right;
    const unit merged = unit_of(units_[left] + units_[right]);
    std::unordered_map<word_index, std::int32_t> in_words;
    in_words.swap(pairs_[chosen].in_words);
    for (const auto& [in, occurrences] : in_words) {
      if (occurrences < 1) continue;
      std::vector<unit> old;
      old.swap(words_[in].units);
      std::vector<unit>& units = words_[in].units;
      const auto is_pair = [&](std::size_t i) { return i + 1 < old.size() && old[i] == left && old[i + 1] == right; };
      for (std::size_t i = 0; i < old.size();) {
        if (!is_pair(i)) {
          units.push_back(old[i++]);
          continue;
        }
        units.push_back(merged);
        if (i > 0) count(old[i - 1], old[i], in, -1);
        // Between two occurrences in a row the pair is the one that the second takes away.
        if (i + 2 < old.size() && !is_pair(i + 2)) count(old[i + 1], old[i + 2], in, -1);
        i += 2;
      }
      for (std::size_t i = 0; i < units.size(); ++i) {
        if (units[i] != merged) continue;
        if (i > 0) count(units[i - 1], units[i], in, 1);
        if (i + 1 < units.size() && units[i + 1] != merged) count(units[i], units[i + 1], in, 1);
      }
    }
    pairs_[chosen].count = 0;
  }

  std::vector<std::string> units_;
  std::unordered_map<std::string, unit> unit_index_;
  std::vector<word> words_;
  std::vector<pair> pairs_;
  std::unordered_map<std::uint64_t, std::size_t> pair_index_;
  std::vector<std::size_t> live_;  // indices of pairs
};

}  // namespace detail

/// Learns merges from counted words; the order in which they were counted does not matter. Throws
/// std::invalid_argument for a minimal frequency below 1, utf8_error. Allocates.
inline bpe_codes learn_bpe(const word_counter& words, const bpe_learner_options& options = {}) {
  check(options.min_frequency >= 1, "learn_bpe: the minimal frequency must be at least 1");
  return detail::bpe_learner(words).learn(options);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
