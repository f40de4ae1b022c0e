// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/file_error.hpp"
#include "inhibitor/text/ascii_class.hpp"
#include "inhibitor/text/close_up.hpp"
#include "inhibitor/text/normalize.hpp"
#include "inhibitor/text/token_map.hpp"
#include "inhibitor/text/truncation.hpp"
#include "inhibitor/text/unicode.hpp"
#include "inhibitor/text/utf8_error.hpp"
#include "inhibitor/text/vocabulary.hpp"
#include "inhibitor/text/whole_tokens.hpp"

// BERT's tokenizer: UTF-8 text to the ids of a WordPiece vocabulary, the same ids as the two established
// implementations ("fast" by default, "slow" on request). In order:
//   0 special tokens spelled out in the text become their ids      4 split at blanks
//   1 clean: bad bytes and control characters vanish, blanks unify  5 every punctuation character stands alone
//   2 ideographs are set apart                                      6 greedy longest match; a word that cannot be
//   covered, 3 accents stripped, lower case                                    or of more than 100 code points, is one
//   [UNK]
// Bytes that are not valid UTF-8 vanish in step 1 and their neighbors join, unless strict_utf8 refuses them.
// All const functions may run on many threads at once.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Base of what takes a text's words, by a member take_word(bytes), in place of its tokens.
struct word_sink {
  template <class Token>
  void operator()(const Token&) const {}
};

}  // namespace detail

struct wordpiece_options {
  bool lower_case = true;
  std::optional<bool> strip_accents;  ///< unset: the same as lower_case
  bool split_cjk = true;
  bool special_tokens_in_text = true;  ///< "[SEP]" in a text is the special token, not three words
  tokenizer_rules rules = tokenizer_rules::fast;
  bool strict_utf8 = false;  ///< throw utf8_error instead of dropping bad bytes
  /// Tokens of the vocabulary that are whole in a text too, where special_tokens_in_text; the longest counts.
  std::vector<std::string> added_tokens;
};

/// A token and the bytes [begin, end) of the source text it covers.
struct token_span {
  std::int32_t id;
  index_t begin;
  index_t end;
};

/// One or two texts as model input. Both arrays have the same length.
struct encoded_text {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> token_types;  ///< 0 for [CLS] first [SEP], 1 for second [SEP]
};

class wordpiece {
 public:
  /// Reads a vocab.txt. Throws file_error naming the file, and the special token where one of the five is missing.
  static wordpiece load(const std::string& vocab_file, wordpiece_options options = {}) {
    std::vector<std::string> tokens = read_vocabulary(vocab_file, options.rules);
    try {
      return wordpiece(std::move(tokens), options);
    } catch (const std::invalid_argument& error) {
      throw file_error(vocab_file, error.what());
    }
  }

  /// Vocabulary with id = position; of equal tokens the last id counts. Throws std::invalid_argument when [PAD], [UNK],
  /// [CLS], [SEP], [MASK] or an added token is missing.
  explicit wordpiece(std::vector<std::string> tokens, wordpiece_options options = {})
      : options_(std::move(options)), tokens_(std::move(tokens)), map_(tokens_) {
    check(tokens_.size() <= std::size_t{std::numeric_limits<std::int32_t>::max()},
          "vocabulary: more than 2^31 - 1 tokens");
    const auto add_whole = [&](std::string_view token) {
      const std::int32_t id = map_.find(token);
      check(id >= 0 && !token.empty(), [&] {
        return "the vocabulary of " + std::to_string(tokens_.size()) + " tokens lacks the special token " +
               std::string(token);
      });
      whole_.add(token, id);
      return id;
    };
    for (std::size_t i = 0; i < special_.size(); ++i) special_[i] = add_whole(special_names[i]);
    for (const std::string& token : options_.added_tokens) add_whole(token);
  }

  /// Ids of `utf8` without [CLS] and [SEP]. Throws utf8_error when strict. Allocates the result.
  std::vector<std::int32_t> tokenize(std::string_view utf8) const {
    std::vector<std::int32_t> ids;
    for_each_token(utf8, [&](const token_span& token) { ids.push_back(token.id); });
    return ids;
  }

  /// As tokenize, with the bytes of `utf8` each token covers (accents that were stripped from a token's end and dropped
  /// characters at its edges are not covered).
  std::vector<token_span> tokenize_with_offsets(std::string_view utf8) const {
    std::vector<token_span> spans;
    for_each_token(utf8, [&](const token_span& token) { spans.push_back(token); });
    return spans;
  }

  /// Calls body(word) for every word of `utf8` as step 6 gets it, cleaned, folded and split: what a vocabulary should
  /// be made from. Special tokens and words that are too long for any vocabulary are left out. Throws utf8_error when
  /// strict.
  template <class Body>
  void for_each_word(std::string_view utf8, Body body) const {
    struct sink : detail::word_sink {
      explicit sink(Body& b) : take_word(b) {}
      Body& take_word;
    };
    for_each_token(utf8, sink(body));
  }

  /// [CLS] ids [SEP], cut to `max_length` in total. Throws std::invalid_argument when max_length < 2; utf8_error.
  std::vector<std::int32_t> encode(std::string_view utf8, index_t max_length) const {
    check(max_length >= 2, "encode: max_length must leave room for [CLS] and [SEP]");
    std::vector<std::int32_t> ids{cls_id()};
    for_each_token(utf8, [&](const token_span& token) { ids.push_back(token.id); });
    if (static_cast<index_t>(ids.size()) > max_length - 1) ids.resize(static_cast<std::size_t>(max_length - 1));
    ids.push_back(sep_id());
    return ids;
  }

  /// [CLS] first [SEP] second [SEP] with token types, cut to `max_length` in total (see truncate_pair). Throws
  /// std::invalid_argument when max_length < 3 or the strategy cannot be kept; utf8_error.
  encoded_text encode_pair(std::string_view first, std::string_view second, index_t max_length,
                           pair_truncation strategy = pair_truncation::longest_first) const {
    check(max_length >= 3, "encode_pair: max_length must leave room for [CLS] and two [SEP]");
    const std::vector<std::int32_t> a = tokenize(first);
    const std::vector<std::int32_t> b = tokenize(second);
    const pair_lengths kept = truncate_pair(static_cast<index_t>(a.size()), static_cast<index_t>(b.size()),
                                            max_length - 3, strategy, options_.rules);
    encoded_text out;
    out.ids.push_back(cls_id());
    out.ids.insert(out.ids.end(), a.begin(), a.begin() + kept.first);
    out.ids.push_back(sep_id());
    out.token_types.assign(out.ids.size(), 0);
    out.ids.insert(out.ids.end(), b.begin(), b.begin() + kept.second);
    out.ids.push_back(sep_id());
    out.token_types.resize(out.ids.size(), 1);
    return out;
  }

  /// Text for messages: tokens joined by spaces, inner pieces glued to what precedes them, then the spaces that English
  /// punctuation and contractions do not have removed. Throws std::invalid_argument for an id outside [0, size()).
  std::string decode(const std::vector<std::int32_t>& ids, bool skip_special_tokens = false) const {
    std::string text;
    for (const std::int32_t id : ids) {
      const std::string& piece = token(id);
      if (skip_special_tokens && is_special(id)) continue;
      if (!text.empty() && piece.compare(0, 2, "##") == 0) {
        text.append(piece, 2, std::string::npos);
      } else {
        if (!text.empty()) text.push_back(' ');
        text.append(piece);
      }
    }
    tokenizing::close_up_english(text);
    return text;
  }

  std::int32_t pad_id() const { return special_[0]; }
  std::int32_t unk_id() const { return special_[1]; }
  std::int32_t cls_id() const { return special_[2]; }
  std::int32_t sep_id() const { return special_[3]; }
  std::int32_t mask_id() const { return special_[4]; }
  bool is_special(std::int32_t id) const { return std::find(special_.begin(), special_.end(), id) != special_.end(); }

  /// Number of ids: lines of the vocabulary, repeated ones included.
  index_t size() const { return static_cast<index_t>(tokens_.size()); }
  const wordpiece_options& options() const { return options_; }

  /// Throws std::invalid_argument for an id outside [0, size()).
  const std::string& token(std::int32_t id) const {
    check(id >= 0 && id < size(), [&] {
      return "token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(size()) + " tokens";
    });
    return tokens_[static_cast<std::size_t>(id)];
  }

  /// Id of a token spelled exactly so ("##ing"), or -1.
  std::int32_t find(std::string_view token) const { return map_.find(token); }

 private:
  static constexpr std::array<std::string_view, 5> special_names{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

  struct scratch {
    std::vector<tokenizing::source_point> text;
    std::vector<tokenizing::source_point> word;
    std::vector<tokenizing::source_point> folding;
    std::string bytes;
    std::vector<std::uint32_t> origin;  // per byte of `bytes`: index of its code point in `word`
    std::array<tokenizing::word_piece, tokenizing::longest_word> pieces;
  };

  /// Step 0: calls emit(token_span) for every token of `text` in order.
  template <class Emit>
  void for_each_token(std::string_view text, Emit emit) const {
    if (options_.strict_utf8) check_utf8(text);
    scratch space;
    std::size_t begin = 0;
    if (options_.special_tokens_in_text) {
      for (auto found = whole_.find(text, 0); found; found = whole_.find(text, begin)) {
        plain_text(text, begin, found->begin, space, emit);
        begin = found->end;
        emit(token_span{found->id, static_cast<index_t>(found->begin), static_cast<index_t>(found->end)});
      }
    }
    plain_text(text, begin, text.size(), space, emit);
  }

  /// Bytes [begin, end) of `text`, which hold no special token. ASCII blanks are hard borders in every step, so each
  /// stretch between two of them is handled alone, the common all-ASCII one without any Unicode machinery.
  template <class Emit>
  void plain_text(std::string_view text, std::size_t begin, std::size_t end, scratch& space, Emit& emit) const {
    while (begin < end) {
      unsigned char seen = tokenizing::ascii_class_of(text[begin]);
      if (seen == tokenizing::blank) {
        ++begin;
        continue;
      }
      std::size_t stop = begin + 1;
      for (; stop < end; ++stop) {
        const unsigned char c = tokenizing::ascii_class_of(text[stop]);
        if (c == tokenizing::blank) break;
        seen |= c;
      }
      if ((seen & tokenizing::other) == 0) {
        ascii_stretch(text, begin, stop, space, emit);
      } else {
        general_stretch(text.substr(begin, stop - begin), static_cast<index_t>(begin), space, emit);
      }
      begin = stop;
    }
  }

  /// Step 6 for one word: how many pieces it has, 0 for none. A sink of words gets the word instead.
  template <class Emit>
  index_t cut(std::string_view word, scratch& space, Emit& emit) const {
    if constexpr (std::is_base_of_v<detail::word_sink, Emit>) {
      emit.take_word(word);
      return 0;
    } else {
      return map_.cut(word, space.pieces);
    }
  }

  /// Steps 3, 5 and 6 for printable ASCII without blanks.
  template <class Emit>
  void ascii_stretch(std::string_view text, std::size_t begin, std::size_t end, scratch& space, Emit& emit) const {
    std::array<char, tokenizing::longest_word> word;
    while (begin < end) {
      std::size_t stop = begin;
      if (tokenizing::ascii_class_of(text[begin]) == tokenizing::punctuation) {
        stop = begin + 1;
      } else {
        while (stop < end && tokenizing::ascii_class_of(text[stop]) == tokenizing::letter) ++stop;
      }
      const std::size_t length = stop - begin;
      if (length > word.size()) {
        emit(token_span{unk_id(), static_cast<index_t>(begin), static_cast<index_t>(stop)});
      } else {
        for (std::size_t i = 0; i < length; ++i) {
          const char c = text[begin + i];
          word[i] = options_.lower_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        }
        const index_t count = cut({word.data(), length}, space, emit);
        const auto base = static_cast<index_t>(begin);
        if (count == 0) emit(token_span{unk_id(), base, static_cast<index_t>(stop)});
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
          emit(token_span{space.pieces[i].id, base + space.pieces[i].begin, base + space.pieces[i].end});
        }
      }
      begin = stop;
    }
  }

  /// All steps for any bytes; `text` starts at byte `base` of the source.
  template <class Emit>
  void general_stretch(std::string_view text, index_t base, scratch& space, Emit& emit) const {
    const tokenizing::normalize_options normalize{options_.rules, options_.lower_case,
                                              options_.strip_accents.value_or(options_.lower_case), options_.split_cjk};
    tokenizing::clean(text, base, normalize, space.text);
    const auto is_space = [](const tokenizing::source_point& p) { return p.code_point == ' '; };
    for (auto first = space.text.begin(); first != space.text.end();) {
      first = std::find_if_not(first, space.text.end(), is_space);
      const auto last = std::find_if(first, space.text.end(), is_space);
      space.word.assign(first, last);
      first = last;
      if (space.word.empty()) continue;
      if (emit_cleaned_special(space, emit)) continue;
      tokenizing::fold(space.word, normalize, space.folding);
      for (std::size_t begin = 0; begin < space.word.size();) {
        std::size_t end = begin;
        const auto splits = [&](std::size_t i) {
          return unicode::is_punctuation(space.word[i].code_point, options_.rules);
        };
        while (end < space.word.size() && !splits(end)) ++end;
        if (end == begin) ++end;
        general_word(begin, end, space, emit);
        begin = end;
      }
    }
  }

  /// The slow rules, in cased text, keep a word whole that is a special token once it has been cleaned.
  template <class Emit>
  bool emit_cleaned_special(scratch& space, Emit& emit) const {
    if (options_.rules != tokenizer_rules::slow || options_.lower_case || !options_.special_tokens_in_text)
      return false;
    space.bytes.clear();
    for (const tokenizing::source_point& p : space.word) unicode::append_utf8(space.bytes, p.code_point);
    const auto found = whole_.find(space.bytes, 0);
    if (!found || found->begin != 0 || found->end != space.bytes.size()) return false;
    emit(token_span{found->id, space.word.front().begin, space.word.back().end});
    return true;
  }

  using point_iterator = std::vector<tokenizing::source_point>::const_iterator;

  static token_span covering(std::int32_t id, point_iterator first, point_iterator last) {
    token_span span{id, first->begin, first->end};
    for (; first != last; ++first) {
      span.begin = std::min(span.begin, first->begin);
      span.end = std::max(span.end, first->end);
    }
    return span;
  }

  /// Step 6 for code points [begin, end) of the current word.
  template <class Emit>
  void general_word(std::size_t begin, std::size_t end, scratch& space, Emit& emit) const {
    index_t count = 0;
    if (end - begin <= static_cast<std::size_t>(tokenizing::longest_word)) {
      space.bytes.clear();
      space.origin.clear();
      for (std::size_t i = begin; i < end; ++i) {
        unicode::append_utf8(space.bytes, space.word[i].code_point);
        space.origin.resize(space.bytes.size(), static_cast<std::uint32_t>(i));
      }
      count = cut(space.bytes, space, emit);
    }
    if (count == 0) {
      const auto word = space.word.begin();
      emit(covering(unk_id(), word + static_cast<index_t>(begin), word + static_cast<index_t>(end)));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const tokenizing::word_piece& piece = space.pieces[i];
      // Reordered marks need not come from the piece's edges, so look at all of it.
      const auto first = space.word.begin() + space.origin[static_cast<std::size_t>(piece.begin)];
      const auto last = space.word.begin() + space.origin[static_cast<std::size_t>(piece.end) - 1] + 1;
      emit(covering(piece.id, first, last));
    }
  }

  wordpiece_options options_;
  std::vector<std::string> tokens_;
  tokenizing::token_map map_;
  std::array<std::int32_t, 5> special_{};
  tokenizing::whole_tokens whole_;  // special and added
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
