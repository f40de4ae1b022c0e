// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/random_permutation.hpp"
#include "inhibitor/data/masking.hpp"
#include "inhibitor/data/packed_corpus.hpp"
#include "inhibitor/models/bert/token_view.hpp"

// Batches of a packed corpus: windows of it, each [CLS] tokens [SEP], masked. Which windows and which masks are functions
// of seed, step and place in the step, so training can go on anywhere, with any number of workers.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Samples of one length with what is masked in them.
struct masked_batch {
  index_t batch = 0;                   ///< B
  index_t length = 0;                  ///< L
  std::vector<std::int32_t> ids;       ///< (B, L), padded
  std::vector<std::uint8_t> key_mask;  ///< (B, L), 1 = real token
  std::vector<index_t> positions;      ///< (N) rows of B * L that are guessed
  std::vector<std::int32_t> labels;    ///< (N) what stood there
};

/// The batch as the model takes it; `batch` must outlive the view.
inline token_view view_of(const masked_batch& batch) {
  return {batch.ids.data(), batch.key_mask.data(), batch.batch, batch.length, nullptr};
}

/// Where masked batches draw (base/random.hpp): far from the dropout of models.
struct masking_sites {
  static constexpr std::uint32_t order = 0x20000;
  static constexpr std::uint32_t offset = 0x20001;
  static constexpr std::uint32_t shortening = 0x20002;
  static constexpr std::uint32_t held_out = 0x20003;
  static constexpr std::uint32_t sample(index_t place) { return static_cast<std::uint32_t>(0x40000000 + place); }
};

/// The order in which windows of a stream are read: every epoch cuts it from another first token on and has another
/// order. Any place can be asked for.
class window_order {
 public:
  /// Windows of `width` tokens; `purpose` tells orders of one seed apart. Throws std::invalid_argument when the stream
  /// is shorter than two windows.
  window_order(index_t tokens, index_t width, std::uint64_t seed, std::uint64_t purpose)
      : tokens_(tokens), width_(width), seed_(seed), purpose_(purpose) {
    check(tokens >= 2 * width, [&] {
      return "the corpus has " + std::to_string(tokens) + " tokens; samples of " + std::to_string(width + 2) +
             " need at least " + std::to_string(2 * width);
    });
  }

  index_t windows_per_epoch() const { return tokens_ / width_ - 1; }
  /// The first token of sample `sample`, counted from 0 over all epochs.
  index_t begin_of(index_t sample) const {
    const index_t epoch = sample / windows_per_epoch();
    const random_stream stream{seed_, purpose_ << 32 | static_cast<std::uint64_t>(epoch), masking_sites::order};
    const random_permutation order(static_cast<std::uint64_t>(windows_per_epoch()), stream);
    const index_t first = random_bits(stream_key(stream.at(masking_sites::offset)), 0) % width_;
    return first + width_ * static_cast<index_t>(order[static_cast<std::uint64_t>(sample % windows_per_epoch())]);
  }

 private:
  index_t tokens_, width_;
  std::uint64_t seed_, purpose_;
};

/// Makes masked batches of one stream.
class masked_batch_maker {
 public:
  masked_batch_maker(token_stream stream, const wordpiece& tokenizer)
      : stream_(stream),
        vocabulary_(tokenizer),
        cls_(tokenizer.cls_id()),
        sep_(tokenizer.sep_id()),
        pad_(tokenizer.pad_id()) {}

  /// Makes `batch` empty, for samples of `length` tokens, special ones included.
  static void begin(masked_batch& batch, index_t length) {
    batch = {};
    batch.length = length;
  }

  /// Appends the sample whose tokens are the `count` from `first` on, at most length - 2, masked by `stream`.
  void append(masked_batch& batch, index_t first, index_t count, const masking& how,
              const random_stream& stream) const {
    const index_t row = batch.batch * batch.length;
    batch.ids.resize(static_cast<std::size_t>(row + batch.length), pad_);
    batch.key_mask.resize(static_cast<std::size_t>(row + batch.length), 0);
    std::int32_t* ids = batch.ids.data() + row;
    ids[0] = cls_;
    std::copy_n(stream_.tokens + first, count, ids + 1);
    ids[count + 1] = sep_;
    std::fill_n(batch.key_mask.begin() + row, count + 2, std::uint8_t{1});
    mask_tokens(ids, count + 2, vocabulary_, how, stream, row, batch.positions, batch.labels);
    ++batch.batch;
  }

  index_t tokens() const { return stream_.size; }

 private:
  token_stream stream_;
  masking_vocabulary vocabulary_;
  std::int32_t cls_, sep_, pad_;
};

/// How many tokens of a window of `width` a sample has: all, or, with probability `short_share`, a number from 8 on
/// that is drawn evenly, so that a model meets short texts before it is fine-tuned on them.
inline index_t sample_width(index_t width, double short_share, const random_stream& stream) {
  const std::uint32_t key = stream_key(stream.at(masking_sites::shortening ^ stream.site));
  if (short_share <= 0 || width <= 8 || random_bits(key, 0) >= random_threshold(short_share)) return width;
  return 8 + random_bits(key, 1) % (width - 8);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
