// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inhibitor/io/atomic_file.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/text/bpe.hpp"
#include "inhibitor/text/bpe_learner.hpp"

// The tokenizer of a translation model: byte-pair encoding joint for both languages, in the files of its folder
//
//   bpe.codes     merges, as subword-nmt writes them
//   vocab.json    {unit: id}, as Marian's folders have it; special tokens are <pad>, </s> and <unk>
//
// Words are what stands between blanks, so that text comes back as it was but for its white space.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Text to ids and back. Const functions with a cache of their own may run on many threads at once.
class bpe_tokenizer {
 public:
  /// A vocabulary of the special tokens, ids 0 to 2, and of every unit of `words`, the most frequent first.
  bpe_tokenizer(bpe_codes codes, const word_counter& words) : codes_(std::move(codes)), bpe_(codes_) {
    word_counter units;
    bpe_cache cache;
    for (const word_count& entry : words.words()) {
      for_each_bpe_word(bpe_.segment(entry.word, cache), [&](std::string_view unit) { units.add(unit, entry.count); });
    }
    std::vector<const word_count*> sorted;
    for (const word_count& entry : units.words()) sorted.push_back(&entry);
    std::stable_sort(sorted.begin(), sorted.end(), [](const word_count* a, const word_count* b) {
      return a->count != b->count ? a->count > b->count : a->word < b->word;
    });
    for (const char* special : {pad_token, end_token, unknown_token}) add(special);
    for (const word_count* entry : sorted) {
      if (ids_.count(entry->word) == 0) add(entry->word);
    }
    find_special("");
  }

  /// Reads the files of a folder. Throws file_error for what is missing or malformed: ids must be 0, 1, 2, ... and the
  /// special tokens there.
  static bpe_tokenizer load(const std::string& folder) {
    const std::string file = folder + "/vocab.json";
    const nlohmann::json vocabulary = read_json_file(file);
    if (!vocabulary.is_object()) throw file_error(file, "is no object {unit: id}");
    bpe_tokenizer out(read_bpe_codes(folder + "/bpe.codes"));
    out.units_.resize(vocabulary.size());
    for (const auto& [unit, id] : vocabulary.items()) {
      const bool is_id = id.is_number_unsigned() && id.get<std::uint64_t>() < vocabulary.size() &&
                         out.units_[id.get<std::size_t>()].empty();
      if (!is_id) {
        throw file_error(file, "gives " + unit + " the id " + id.dump() + "; expected each of 0 to " +
                                   std::to_string(vocabulary.size() - 1) + " once");
      }
      out.units_[id.get<std::size_t>()] = unit;
      out.ids_[unit] = id.get<std::int32_t>();
    }
    out.find_special(file);
    return out;
  }
  /// Writes them.
  void save(const std::string& folder) const {
    nlohmann::json vocabulary = nlohmann::json::object();
    for (const auto& [unit, id] : ids_) vocabulary[unit] = id;
    write_file_atomically(folder + "/bpe.codes", bpe_codes_text(codes_));
    write_json_file(folder + "/vocab.json", vocabulary);
  }

  index_t size() const { return static_cast<index_t>(units_.size()); }
  std::int32_t pad_id() const { return pad_; }
  std::int32_t end_id() const { return end_; }
  std::int32_t unknown_id() const { return unknown_; }

  /// The units of a line as ids, without special tokens but <unk>; none for a line of blanks. Throws utf8_error.
  std::vector<std::int32_t> encode(std::string_view line, bpe_cache& cache) const {
    std::vector<std::int32_t> ids;
    for_each_bpe_word(bpe_.segment(line, cache), [&](std::string_view unit) {
      const auto found = ids_.find(std::string(unit));
      ids.push_back(found != ids_.end() ? found->second : unknown_);
    });
    return ids;
  }
  /// The text of ids.
  std::string decode(const std::vector<std::int32_t>& ids) const {
    std::string units;
    for (const std::int32_t id : ids)
      units.append(units.empty() ? "" : " ").append(units_.at(static_cast<std::size_t>(id)));
    return join_bpe_units(units);
  }

 private:
  static constexpr const char* pad_token = "<pad>";
  static constexpr const char* end_token = "</s>";
  static constexpr const char* unknown_token = "<unk>";

  explicit bpe_tokenizer(bpe_codes codes) : codes_(std::move(codes)), bpe_(codes_) {}

  void add(const std::string& unit) {
    ids_.emplace(unit, static_cast<std::int32_t>(units_.size()));
    units_.push_back(unit);
  }
  void find_special(const std::string& file) {
    for (const auto& [token, id] : {std::pair(pad_token, &pad_), {end_token, &end_}, {unknown_token, &unknown_}}) {
      const auto found = ids_.find(token);
      if (found == ids_.end()) throw file_error(file, std::string("lacks the token ") + token);
      *id = found->second;
    }
  }

  bpe_codes codes_;
  bpe bpe_;
  std::vector<std::string> units_;
  std::unordered_map<std::string, std::int32_t> ids_;
  std::int32_t pad_ = 0, end_ = 0, unknown_ = 0;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
