// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/random.hpp"
#include "inhibitor/text/wordpiece.hpp"

// Which tokens a masked-LM has to guess (Devlin et al. 2019, arXiv 1810.04805 section 3.1): of those chosen 80 % become
// [MASK], 10 % another token, 10 % stay. Drawn by counter: the masks of a sample are a function of its stream alone.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What is masked as one.
enum class mask_unit {
  word,   ///< a word with all its pieces, as in BERT's whole-word masking
  piece,  ///< every piece on its own
};

/// What masking needs to know of a vocabulary.
class masking_vocabulary {
 public:
  /// Throws std::invalid_argument for a vocabulary without ordinary tokens.
  explicit masking_vocabulary(const wordpiece& tokenizer) : mask_id_(tokenizer.mask_id()) {
    for (std::int32_t id = 0; id < static_cast<std::int32_t>(tokenizer.size()); ++id) {
      const bool is_inner = tokenizer.token(id).compare(0, 2, "##") == 0;
      kinds_.push_back(tokenizer.is_special(id) ? kind::special : is_inner ? kind::inner : kind::first);
      if (!tokenizer.is_special(id)) ordinary_.push_back(id);
    }
    check(!ordinary_.empty(), "the vocabulary has special tokens alone");
  }

  std::int32_t mask_id() const { return mask_id_; }
  /// Special tokens, [UNK] among them, are never masked.
  bool is_special(std::int32_t id) const { return kinds_[static_cast<std::size_t>(id)] == kind::special; }
  /// True for a piece that continues a word.
  bool is_inner(std::int32_t id) const { return kinds_[static_cast<std::size_t>(id)] == kind::inner; }
  /// An ordinary token, by random bits.
  std::int32_t random_token(std::uint32_t bits) const { return ordinary_[bits % ordinary_.size()]; }

 private:
  enum class kind : std::uint8_t { first, inner, special };

  std::int32_t mask_id_;
  std::vector<kind> kinds_;
  std::vector<std::int32_t> ordinary_;
};

/// How many tokens of a sample are masked.
struct masking {
  mask_unit unit = mask_unit::word;
  double rate = 0.15;  ///< of the tokens that are not special, rounded, at least one
};

/// Masks the tokens `ids` (size) of one sample in place, and appends to `positions` where (in rising order, `offset`
/// added) and to `labels` what stood there. With words, one that would exceed the number is passed over, so a few
/// fewer may be masked, and none where every word does. `stream` is the sample's own.
inline void mask_tokens(std::int32_t* ids, index_t size, const masking_vocabulary& vocabulary, const masking& how,
                        const random_stream& stream, index_t offset, std::vector<index_t>& positions,
                        std::vector<std::int32_t>& labels) {
  std::vector<std::pair<index_t, index_t>> units;  // [begin, end)
  index_t maskable = 0;
  bool is_word_open = false;
  for (index_t i = 0; i < size; ++i) {
    if (vocabulary.is_special(ids[i])) {
      is_word_open = false;
      continue;
    }
    ++maskable;
    const bool continues = how.unit == mask_unit::word && is_word_open && vocabulary.is_inner(ids[i]);
    if (continues) {
      units.back().second = i + 1;
    } else {
      units.emplace_back(i, i + 1);
    }
    is_word_open = true;
  }
  if (maskable == 0) return;
  const index_t wanted = std::max<index_t>(1, std::lround(how.rate * static_cast<double>(maskable)));

  const std::uint32_t key = stream_key(stream);
  std::uint32_t counter = 0;
  const std::size_t first = positions.size();
  index_t chosen = 0;
  for (std::size_t left = units.size(); left > 0 && chosen < wanted; --left) {
    std::swap(units[random_bits(key, counter++) % left], units[left - 1]);
    const auto [begin, end] = units[left - 1];
    if (chosen + end - begin > wanted) continue;
    for (index_t i = begin; i < end; ++i) positions.push_back(i);
    chosen += end - begin;
  }
  std::sort(positions.begin() + static_cast<index_t>(first), positions.end());
  for (std::size_t k = first; k < positions.size(); ++k) {
    std::int32_t& id = ids[positions[k]];
    labels.push_back(id);
    positions[k] += offset;
    const std::uint32_t choice = random_bits(key, counter++);
    if (choice < random_threshold(0.8)) {
      id = vocabulary.mask_id();
    } else if (choice < random_threshold(0.9)) {
      id = vocabulary.random_token(random_bits(key, counter++));
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
