// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/text/unicode.hpp"
#include "inhibitor/text/word_counter.hpp"

// Making a WordPiece vocabulary (Schuster and Nakajima 2012, "Japanese and Korean Voice Search"; Wu et al. 2016,
// "Google's Neural Machine Translation System"). Google's own trainer was never published; this is what the one of
// Hugging Face's tokenizers does, byte-pair encoding by counts of which only the pieces are kept, made deterministic:
// words in sorted order, exact counts, ties to the smaller pair of pieces by code points.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

struct wordpiece_trainer_options {
  index_t size = 30000;           ///< lines of the vocabulary at most, special tokens included
  index_t min_frequency = 2;      ///< no pair of pieces that occurs less often is merged
  index_t limit_alphabet = 1000;  ///< so many characters, the most frequent; words lose the others in training
};

namespace detail {

class wordpiece_trainer {
 public:
  wordpiece_trainer(const word_counter& counter, const wordpiece_trainer_options& options) : options_(options) {
    tokens_ = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    std::vector<const word_count*> sorted;
    for (const word_count& entry : counter.words()) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const word_count* a, const word_count* b) { return a->word < b->word; });
    add_alphabet(sorted);
    for (const word_count* entry : sorted) add_word(*entry);
    for (const auto& [key, p] : pairs_) offer(key, p.count);
  }

  std::vector<std::string> train() {
    const index_t least = std::max(options_.min_frequency, index_t{1});
    while (static_cast<index_t>(tokens_.size()) < options_.size && !queue_.empty()) {
      const candidate top = queue_.top();
      queue_.pop();
      const index_t count = pairs_[top.key].count;
      if (count != top.count) {  // it has changed since
        offer(top.key, count);
      } else if (count < least) {
        break;
      } else {
        merge(top.key);
      }
    }
    return std::move(tokens_);
  }

 private:
  using token = std::uint32_t;
  using pair_key = std::uint64_t;
  struct word {
    std::vector<token> pieces;
    index_t count;
  };
  struct pair {
    index_t count = 0;
    std::vector<std::uint32_t> in_words;  // where it was made; it may be gone since
  };
  struct candidate {
    index_t count;
    pair_key key;
  };
  /// Whether `a` comes out of the queue after `b`.
  struct is_later {
    const std::vector<std::string>* tokens;
    bool operator()(const candidate& a, const candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      const int left = (*tokens)[left_of(a.key)].compare((*tokens)[left_of(b.key)]);
      if (left != 0) return left > 0;
      return (*tokens)[right_of(a.key)] > (*tokens)[right_of(b.key)];
    }
  };

  static pair_key key_of(token left, token right) { return (pair_key{left} << 32) | right; }
  static token left_of(pair_key key) { return static_cast<token>(key >> 32); }
  static token right_of(pair_key key) { return static_cast<token>(key & 0xFFFFFFFFu); }

  /// Calls body(character) for every character of a word.
  template <class Body>
  static void for_each_character(const std::string& text, Body body) {
    for (std::size_t begin = 0; begin < text.size();) {
      const auto length = static_cast<std::size_t>(unicode::decode(text, static_cast<index_t>(begin)).length);
      body(text.substr(begin, length));
      begin += length;
    }
  }

  token token_of(const std::string& text) {
    const auto [entry, is_new] = index_.emplace(text, static_cast<token>(tokens_.size()));
    if (is_new) tokens_.push_back(text);
    return entry->second;
  }

  /// The most frequent characters, then those that continue a word, both sorted.
  void add_alphabet(const std::vector<const word_count*>& words) {
    std::map<std::string, index_t> counts;
    for (const word_count* entry : words) {
      for_each_character(entry->word, [&](const std::string& c) { counts[c] += entry->count; });
    }
    std::vector<std::pair<std::string, index_t>> characters(counts.begin(), counts.end());
    if (static_cast<index_t>(characters.size()) > options_.limit_alphabet) {
      std::stable_sort(characters.begin(), characters.end(),
                       [](const auto& a, const auto& b) { return a.second > b.second; });
      characters.resize(static_cast<std::size_t>(options_.limit_alphabet));
      std::sort(characters.begin(), characters.end());
    }
    for (const auto& entry : characters) token_of(entry.first);
    std::map<std::string, bool> continues;
    for (const word_count* entry : words) {
      bool is_first = true;
      for_each_character(entry->word, [&](const std::string& c) {
        if (!is_first && index_.count(c) != 0) continues[c] = true;
        is_first = false;
      });
    }
    for (const auto& entry : continues) token_of("##" + entry.first);
    check(static_cast<index_t>(tokens_.size()) <= options_.size, [&] {
      return "a vocabulary of " + std::to_string(options_.size) + " tokens has no room for the " +
             std::to_string(tokens_.size()) + " special tokens and characters of this text; limit the alphabet to less";
    });
  }

  void add_word(const word_count& entry) {
    word w{{}, entry.count};
    bool is_first = true;
    for_each_character(entry.word, [&](const std::string& c) {
      const auto known = index_.find(is_first ? c : "##" + c);
      if (known != index_.end()) w.pieces.push_back(known->second);
      is_first = false;
    });
    const auto in = static_cast<std::uint32_t>(words_.size());
    for (std::size_t i = 0; i + 1 < w.pieces.size(); ++i) count(w.pieces[i], w.pieces[i + 1], w.count, in);
    words_.push_back(std::move(w));
  }

  void offer(pair_key key, index_t count) {
    if (count > 0) queue_.push({count, key});
  }

  void count(token left, token right, index_t change, std::uint32_t in) {
    pair& p = pairs_[key_of(left, right)];
    p.count += change;
    if (change > 0 && (p.in_words.empty() || p.in_words.back() != in)) p.in_words.push_back(in);
  }

  /// Replaces a pair wherever it stands, from left to right.
  void merge(pair_key key) {
    const token left = left_of(key);
    const token right = right_of(key);
    const std::string& end = tokens_[right];
    const token merged = token_of(tokens_[left] + (end.compare(0, 2, "##") == 0 ? end.substr(2) : end));
    std::vector<std::uint32_t> in_words;
    in_words.swap(pairs_[key].in_words);
    std::vector<pair_key> made;
    std::vector<token> pieces;
    for (const std::uint32_t in : in_words) {
      word& w = words_[in];
      pieces.clear();
      for (std::size_t i = 0; i < w.pieces.size(); ++i) {
        if (i + 1 == w.pieces.size() || w.pieces[i] != left || w.pieces[i + 1] != right) {
          pieces.push_back(w.pieces[i]);
          continue;
        }
        count(left, right, -w.count, in);
        if (!pieces.empty()) {
          count(pieces.back(), left, -w.count, in);
          count(pieces.back(), merged, w.count, in);
          made.push_back(key_of(pieces.back(), merged));
        }
        if (i + 2 < w.pieces.size()) {
          count(right, w.pieces[i + 2], -w.count, in);
          count(merged, w.pieces[i + 2], w.count, in);
          made.push_back(key_of(merged, w.pieces[i + 2]));
        }
        pieces.push_back(merged);
        ++i;
      }
      w.pieces = pieces;
    }
    std::sort(made.begin(), made.end());
    made.erase(std::unique(made.begin(), made.end()), made.end());
    for (const pair_key k : made) offer(k, pairs_[k].count);
  }

  wordpiece_trainer_options options_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, token> index_;
  std::vector<word> words_;
  std::unordered_map<pair_key, pair> pairs_;
  std::priority_queue<candidate, std::vector<candidate>, is_later> queue_{is_later{&tokens_}};
};

}  // namespace detail

/// Makes a vocabulary from counted words (count_wordpiece_words): [PAD] [UNK] [CLS] [SEP] [MASK], the characters, those
/// that continue a word ("##e"), then pieces in the order in which they were merged. Depends on the words and counts
/// alone. Throws std::invalid_argument when there are no words, an option is out of range, or the characters alone are
/// more than `size`. Allocates.
inline std::vector<std::string> train_wordpiece(const word_counter& words,
                                                const wordpiece_trainer_options& options = {}) {
  check(!words.words().empty(), "train_wordpiece: the text holds no words");
  check(options.size > 0 && options.limit_alphabet > 0 && options.min_frequency >= 0,
        "train_wordpiece: expected a positive size and alphabet, and a minimal frequency of at least 0");
  return detail::wordpiece_trainer(words, options).train();
}

/// The content of a vocab.txt: a token per line.
inline std::string vocabulary_text(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text.append(token).append("\n");
  return text;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
