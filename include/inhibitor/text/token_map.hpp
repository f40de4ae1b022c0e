// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/config.hpp"

// WordPiece's greedy search over a fixed vocabulary: open addressing on a hash that grows byte by byte, so that all
// prefixes of a word are hashed in one pass and tried from the longest down.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace tokenizing {

/// A piece of a word: bytes [begin, end) of the word.
struct word_piece {
  std::int32_t id;
  index_t begin;
  index_t end;
};

/// Words of more code points than this become one unknown token.
inline constexpr index_t longest_word = 100;

class token_map {
 public:
  token_map() = default;

  /// Indexes `tokens` (id = position); of equal ones the last wins. Keeps no reference to them.
  explicit token_map(const std::vector<std::string>& tokens) {
    const auto is_inner = [](std::string_view token) { return token.size() > 2 && token.substr(0, 2) == "##"; };
    const auto inner = static_cast<std::size_t>(std::count_if(tokens.begin(), tokens.end(), is_inner));
    std::size_t slots = 16;
    while (2 * slots < 3 * (tokens.size() + inner)) slots *= 2;  // at most two thirds full
    slots_.assign(slots, slot{});
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      const std::string_view token = tokens[id];
      insert(token, start_seed, static_cast<std::int32_t>(id), longest_start_);
      if (is_inner(token)) {
        insert(token.substr(2), inner_seed, static_cast<std::int32_t>(id), longest_inner_);
      }
    }
  }

  /// Id of a whole token, -1 when there is none.
  std::int32_t find(std::string_view token) const {
    std::uint64_t hash = start_seed;
    for (const char c : token) hash = extend(hash, c);
    return find(token, hash, start_seed);
  }

  /// Cuts a word (valid UTF-8, at most `longest_word` code points) into the longest pieces the vocabulary has, from
  /// left to right. Returns how many; 0 when some position matches nothing, so that the word is unknown as a whole.
  /// Does not allocate or throw.
  index_t cut(std::string_view word, std::array<word_piece, longest_word>& pieces) const {
    std::array<std::uint64_t, 4 * longest_word> hashes;  // hashes[i]: bytes begin .. begin + i of the word
    index_t count = 0;
    for (std::size_t begin = 0; begin < word.size();) {
      const std::uint64_t seed = begin == 0 ? start_seed : inner_seed;
      const std::size_t limit = std::min(word.size() - begin, begin == 0 ? longest_start_ : longest_inner_);
      std::uint64_t hash = seed;
      for (std::size_t i = 0; i < limit; ++i) hashes[i] = hash = extend(hash, word[begin + i]);
      std::int32_t id = -1;
      std::size_t length = limit;
      for (; length > 0; --length) {
        // A piece ends where a code point ends.
        const std::size_t end = begin + length;
        if (end < word.size() && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) continue;
        id = find(word.substr(begin, length), hashes[length - 1], seed);
        if (id >= 0) break;
      }
      if (id < 0) return 0;
      pieces[static_cast<std::size_t>(count++)] = {id, static_cast<index_t>(begin),
                                                   static_cast<index_t>(begin + length)};
      begin += length;
    }
    return count;
  }

 private:
  // Small, because the table's misses in the cache are most of the time a look-up takes.
  struct slot {
    std::uint32_t hash = 0;    // upper half of the hash
    std::uint32_t offset = 0;  // of the token's bytes in text_
    std::uint32_t length = 0;  // of the token, with `inner_bit` for an inner piece
    std::int32_t id = -1;
  };
  static constexpr std::uint32_t inner_bit = std::uint32_t{1} << 31;

  // Words and inner pieces live in one table, told apart by where their hash starts.
  static constexpr std::uint64_t start_seed = 0xCBF29CE484222325u;
  static constexpr std::uint64_t inner_seed = 0x9AE16A3B2F90404Fu;

  static std::uint64_t extend(std::uint64_t hash, char c) {
    return (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  }
  std::size_t first_slot(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash ^ (hash >> 29)) & (slots_.size() - 1);
  }

  static std::uint32_t upper_half(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  static std::uint32_t marked_length(std::string_view token, std::uint64_t seed) {
    return static_cast<std::uint32_t>(token.size()) | (seed == inner_seed ? inner_bit : 0);
  }

  bool holds(const slot& s, std::string_view token, std::uint64_t hash, std::uint64_t seed) const {
    return s.hash == upper_half(hash) && s.length == marked_length(token, seed) &&
           std::memcmp(text_.data() + s.offset, token.data(), token.size()) == 0;
  }

  std::int32_t find(std::string_view token, std::uint64_t hash, std::uint64_t seed) const {
    if (slots_.empty()) return -1;
    for (std::size_t i = first_slot(hash);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].id < 0 || holds(slots_[i], token, hash, seed)) return slots_[i].id;
    }
  }

  void insert(std::string_view token, std::uint64_t seed, std::int32_t id, std::size_t& longest) {
    std::uint64_t hash = seed;
    for (const char c : token) hash = extend(hash, c);
    // Longer tokens can match no word; leaving them out of `longest` keeps cut() within its array.
    longest = std::min(std::max(longest, token.size()), static_cast<std::size_t>(4 * longest_word));
    std::size_t i = first_slot(hash);
    while (slots_[i].id >= 0 && !holds(slots_[i], token, hash, seed)) i = (i + 1) & (slots_.size() - 1);
    if (slots_[i].id < 0) {
      check(text_.size() + token.size() < inner_bit, "vocabulary: its tokens exceed 2 GiB of text");
      slots_[i].hash = upper_half(hash);
      slots_[i].offset = static_cast<std::uint32_t>(text_.size());
      slots_[i].length = marked_length(token, seed);
      text_.append(token);
    }
    slots_[i].id = id;
  }

  std::vector<slot> slots_;
  std::string text_;
  std::size_t longest_start_ = 0;
  std::size_t longest_inner_ = 0;
};

}  // namespace tokenizing
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
