// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "inhibitor/text/bpe_codes.hpp"
#include "inhibitor/text/bpe_words.hpp"
#include "inhibitor/text/utf8_error.hpp"

// Applying byte-pair encoding: words to units, the same units as subword-nmt's apply-bpe.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

struct bpe_options {
  std::string separator = "@@";  ///< behind every unit that does not end its word
  /// Units that may be produced, as a vocabulary file has them (with separator). Others are taken apart again, merge by
  /// merge, until they are in it or cannot be taken apart. Unset: all.
  std::optional<std::unordered_set<std::string>> vocabulary = std::nullopt;
};

/// Words with their segmentation, for one bpe and one thread. Emptied whenever it holds a million words.
class bpe_cache {
 public:
  /// The text stored for `word`, or null.
  const std::string* find(std::string_view word) const {
    const auto known = index_.find(word);
    return known == index_.end() ? nullptr : known->second;
  }
  const std::string& insert(std::string_view word, std::string segmented) {
    if (entries_.size() >= most_words) {
      index_.clear();
      entries_.clear();
    }
    entries_.push_back({std::string(word), std::move(segmented)});
    index_.emplace(entries_.back().first, &entries_.back().second);
    return entries_.back().second;
  }

 private:
  static constexpr std::size_t most_words = std::size_t{1} << 20;
  std::deque<std::pair<std::string, std::string>> entries_;  // which never move
  std::unordered_map<std::string_view, const std::string*> index_;
};

/// All const functions may run on many threads at once.
class bpe {
 public:
  /// Of merges that occur twice the first counts. Allocates.
  explicit bpe(const bpe_codes& codes, bpe_options options = {})
      : options_(std::move(options)), version_(codes.version) {
    for (std::size_t rank = 0; rank < codes.merges.size(); ++rank) {
      const auto& [left, right] = codes.merges[rank];
      const merge m{static_cast<std::uint32_t>(rank), unit_of(left + right)};
      merges_.emplace(pair_key(unit_of(left), unit_of(right)), m);
    }
    if (!options_.vocabulary) return;
    // Where two merges spell the same unit, the one whose last line in the file comes first takes it apart.
    std::unordered_set<std::uint64_t> seen;
    for (auto it = codes.merges.rbegin(); it != codes.merges.rend(); ++it) {
      const std::uint64_t key = pair_key(unit_of(it->first), unit_of(it->second));
      if (seen.insert(key).second) parts_[it->first + it->second] = *it;
    }
  }

  /// The units of one word (valid UTF-8, without blanks), without separators. One character stays as it is. Allocates;
  /// n log n in the length of the word.
  std::vector<std::string> units(std::string_view word) const {
    const std::vector<node> nodes = merge_all(word);
    std::vector<std::string> found;
    for (std::int32_t i = nodes.empty() ? -1 : 0; i >= 0; i = nodes[static_cast<std::size_t>(i)].next) {
      const node& n = nodes[static_cast<std::size_t>(i)];
      if (n.end > n.begin) found.emplace_back(word.substr(n.begin, n.end - n.begin));
    }
    const bool is_one_character = nodes.size() < 2;
    return options_.vocabulary && !is_one_character ? within_vocabulary(found) : found;
  }

  /// A line with its words segmented, joined by single blanks; blanks and line ends around the words stay. Throws
  /// utf8_error. Allocates.
  std::string segment(std::string_view line, bpe_cache& cache) const {
    check_utf8(line);
    std::string out;
    const auto is_end = [](char c) { return c == ' ' || c == '\r' || c == '\n'; };
    const auto first = std::find_if_not(line.begin(), line.end(), is_end);
    out.append(line.begin(), first);
    const std::size_t start = out.size();
    for_each_bpe_word(line, [&](std::string_view word) {
      if (out.size() > start) out.push_back(' ');
      const std::string* known = cache.find(word);
      out.append(known != nullptr ? *known : cache.insert(word, segmented(word)));
    });
    if (first == line.end()) return out;
    const auto last = std::find_if_not(line.rbegin(), line.rend(), is_end).base();
    return out.append(last, line.end());
  }

  /// segment without a cache.
  std::string segment(std::string_view line) const {
    bpe_cache cache;
    return segment(line, cache);
  }

  const bpe_options& options() const { return options_; }

 private:
  using unit = std::uint32_t;
  struct merge {
    std::uint32_t rank;
    unit result;
  };
  /// A unit of a word: bytes [begin, end) of it and its neighbors, -1 for none.
  struct node {
    unit id;
    std::size_t begin, end;
    std::int32_t previous, next;
  };
  static constexpr unit unknown = ~unit{0};  // a character that no merge has
  static constexpr unit consumed = unknown - 1;

  static std::uint64_t pair_key(unit left, unit right) { return (std::uint64_t{left} << 32) | right; }

  unit unit_of(const std::string& text) {
    return unit_index_.emplace(text, static_cast<unit>(unit_index_.size())).first->second;
  }

  unit find_unit(const std::string& text) const {
    const auto found = unit_index_.find(text);
    return found == unit_index_.end() ? unknown : found->second;
  }

  /// The word as characters, linked to each other; the end of the word is part of the last or stands behind it.
  std::vector<node> characters(std::string_view word) const {
    std::vector<node> nodes;
    for (std::size_t begin = 0; begin < word.size();) {
      const auto end = begin + static_cast<std::size_t>(unicode::decode(word, static_cast<index_t>(begin)).length);
      std::string text(word.substr(begin, end - begin));
      if (end == word.size() && version_ == bpe_version::v0_2) text += bpe_word_end;
      const auto here = static_cast<std::int32_t>(nodes.size());
      nodes.push_back({find_unit(text), begin, end, here - 1, here + 1});
      begin = end;
    }
    if (nodes.size() > 1 && version_ == bpe_version::v0_1) {
      const auto here = static_cast<std::int32_t>(nodes.size());
      nodes.push_back({find_unit(std::string(bpe_word_end)), word.size(), word.size(), here - 1, here + 1});
    }
    if (!nodes.empty()) nodes.back().next = -1;
    return nodes;
  }

  /// The merge of a node with the next one, or null.
  const merge* merge_at(const std::vector<node>& nodes, std::int32_t at) const {
    const node& left = nodes[static_cast<std::size_t>(at)];
    if (left.next < 0 || left.id >= consumed) return nullptr;
    const auto found = merges_.find(pair_key(left.id, nodes[static_cast<std::size_t>(left.next)].id));
    return found == merges_.end() ? nullptr : &found->second;
  }

  /// Applies the merge of lowest rank everywhere, from left to right, until none is left. The queue holds every pair
  /// that has a merge, by rank, then place; what a round of one rank creates takes part from the next round on.
  std::vector<node> merge_all(std::string_view word) const {
    std::vector<node> nodes = characters(word);
    if (nodes.size() < 2) return nodes;
    using candidate = std::pair<std::uint32_t, std::int32_t>;  // rank, node
    std::priority_queue<candidate, std::vector<candidate>, std::greater<candidate>> queue;
    const auto offer = [&](std::int32_t at) {
      const merge* m = at >= 0 ? merge_at(nodes, at) : nullptr;
      if (m != nullptr) queue.push({m->rank, at});
    };
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(nodes.size()); ++i) offer(i);
    std::vector<std::int32_t> changed;
    while (!queue.empty()) {
      const std::uint32_t rank = queue.top().first;
      changed.clear();
      while (!queue.empty() && queue.top().first == rank) {
        const std::int32_t at = queue.top().second;
        queue.pop();
        const merge* m = merge_at(nodes, at);
        if (m == nullptr || m->rank != rank) continue;  // a neighbor took part of it
        node& left = nodes[static_cast<std::size_t>(at)];
        node& right = nodes[static_cast<std::size_t>(left.next)];
        left.id = m->result;
        left.end = right.end;
        left.next = right.next;
        right.id = consumed;
        if (left.next >= 0) nodes[static_cast<std::size_t>(left.next)].previous = at;
        changed.push_back(at);
      }
      for (const std::int32_t at : changed) {
        offer(nodes[static_cast<std::size_t>(at)].previous);
        offer(at);
      }
    }
    return nodes;
  }

  /// Appends `text` taken apart, by the merges that made it, until its units are in the vocabulary.
  void take_apart(const std::string& text, bool is_last, std::vector<std::string>& out) const {
    const auto made = parts_.find(is_last ? text + std::string(bpe_word_end) : text);
    if (made == parts_.end()) {
      out.push_back(text);
      return;
    }
    const std::string& left = made->second.first;
    std::string right = made->second.second;
    if (is_last) right.resize(right.size() - std::min(right.size(), bpe_word_end.size()));
    append_unit(left, false, out);
    append_unit(right, is_last, out);
  }

  void append_unit(const std::string& text, bool is_last, std::vector<std::string>& out) const {
    if (options_.vocabulary->count(is_last ? text : text + options_.separator) != 0) {
      out.push_back(text);
    } else {
      take_apart(text, is_last, out);
    }
  }

  std::vector<std::string> within_vocabulary(const std::vector<std::string>& units) const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < units.size(); ++i) append_unit(units[i], i + 1 == units.size(), out);
    return out;
  }

  std::string segmented(std::string_view word) const {
    std::string out;
    for (const std::string& text : units(word)) out.append(out.empty() ? "" : options_.separator + " ").append(text);
    return out;
  }

  bpe_options options_;
  bpe_version version_;
  std::unordered_map<std::string, unit> unit_index_;
  std::unordered_map<std::uint64_t, merge> merges_;
  std::unordered_map<std::string, std::pair<std::string, std::string>> parts_;  // only with a vocabulary
};

/// Words from units: every separator with the blank behind it vanishes, and one at the end of the line. Allocates.
inline std::string join_bpe_units(std::string_view line, std::string_view separator = "@@") {
  std::string out;
  std::size_t begin = 0;
  if (separator.empty()) return std::string(line);
  for (std::size_t at = line.find(separator); at != std::string_view::npos; at = line.find(separator, at)) {
    const std::size_t end = at + separator.size();
    const bool has_blank = end < line.size() && line[end] == ' ';
    if (!has_blank && end < line.size()) {
      ++at;
      continue;
    }
    out.append(line.substr(begin, at - begin));
    begin = at = end + (has_blank ? 1 : 0);
  }
  return out.append(line.substr(begin));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
