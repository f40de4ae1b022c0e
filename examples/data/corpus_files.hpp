// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "data/corpus.hpp"

namespace inhibitor::examples::corpus {

/// The words of a text: runs of letters, and single punctuation marks.
inline std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool letter = c >= 'a' && c <= 'z';
    if (c != ' ' && !(letter && inside)) words.emplace_back();
    if (c != ' ') words.back().push_back(c);
    inside = letter;
  }
  return words;
}

/// A WordPiece vocabulary for the corpus: special tokens, every printable ASCII character (letters and digits also as
/// inner pieces, so that any English text can be cut), endings, and the words of `reviews` or their stems.
inline std::vector<std::string> make_vocabulary(const std::vector<review>& reviews) {
  std::set<std::string> words(stems.begin(), stems.end());
  for (const review& r : reviews) {
    for (const std::string& word : words_of(r.text)) {
      if (word.size() > 1) words.insert(word);
    }
  }
  const std::set<std::string> whole = words;
  for (const std::string& word : whole) {
    for (const std::string& ending : endings) {
      if (word.size() <= ending.size() || word.substr(word.size() - ending.size()) != ending) continue;
      if (whole.count(word.substr(0, word.size() - ending.size())) > 0) words.erase(word);
    }
  }
  std::vector<std::string> vocabulary{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  std::vector<std::string> inner;
  for (char c = '!'; c <= '~'; ++c) {
    if (c >= 'A' && c <= 'Z') continue;
    vocabulary.emplace_back(1, c);
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) inner.push_back(std::string("##") + c);
  }
  vocabulary.insert(vocabulary.end(), inner.begin(), inner.end());
  for (const std::string& ending : endings) {
    if (ending.size() > 1) vocabulary.push_back("##" + ending);
  }
  vocabulary.insert(vocabulary.end(), words.begin(), words.end());
  return vocabulary;
}

/// SST-2 layout: header, then one sentence, tab and label per line.
inline std::string to_tsv(const std::vector<review>& reviews) {
  std::string text = "sentence\tlabel\n";
  for (const review& r : reviews) text += r.text + '\t' + (r.label == 1 ? '1' : '0') + '\n';
  return text;
}

/// One token per line.
inline std::string to_vocab_txt(const std::vector<std::string>& vocabulary) {
  std::string text;
  for (const std::string& token : vocabulary) text += token + '\n';
  return text;
}

/// What the committed files were made with.
inline constexpr std::uint64_t default_seed = 20240229;
inline constexpr std::size_t default_train = 7000;
inline constexpr std::size_t default_dev = 800;

}  // namespace inhibitor::examples::corpus
