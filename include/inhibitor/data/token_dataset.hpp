// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "inhibitor/base/executor.hpp"
#include "inhibitor/data/labeled_examples.hpp"
#include "inhibitor/data/shuffle.hpp"
#include "inhibitor/models/bert/encoder.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Tokenized examples, with [CLS] and [SEP]. Arrays have one entry per example.
struct token_dataset {
  std::vector<std::vector<std::int32_t>> ids;  ///< tokens of each example
  std::vector<std::int32_t> first_lengths;  ///< how many of them, from the left, are of token type 0; the others are 1
  std::vector<std::int32_t> labels;         ///< class, -1 where there is none; empty for a regression
  std::vector<float> scores;                ///< score, NaN where there is none; empty for classes

  index_t size() const { return static_cast<index_t>(ids.size()); }
};

/// Encodes every example, cut to `max_length` tokens in total, pairs longest first. Throws std::invalid_argument when
/// max_length leaves no room for [CLS] and [SEP]; utf8_error when the tokenizer is strict.
inline token_dataset tokenize(const wordpiece& tokenizer, const labeled_examples& examples, index_t max_length,
                              const executor& workers = {}) {
  const bool is_pair = !examples.second.empty();
  check(max_length >= (is_pair ? 3 : 2), "tokenize: max_length must leave room for [CLS] and [SEP]");
  const std::size_t count = examples.first.size();
  token_dataset dataset;
  dataset.ids.resize(count);
  dataset.first_lengths.resize(count);
  dataset.labels = examples.labels;
  dataset.scores = examples.scores;
  constexpr std::size_t block = 256;
  workers.for_each(static_cast<index_t>((count + block - 1) / block), [&](index_t item, index_t) {
    const std::size_t first = static_cast<std::size_t>(item) * block;
    for (std::size_t i = first; i < std::min(first + block, count); ++i) {
      if (is_pair) {
        encoded_text pair = tokenizer.encode_pair(examples.first[i], examples.second[i], max_length);
        const auto types = pair.token_types.begin();
        const auto second = std::find(types, pair.token_types.end(), 1);
        dataset.first_lengths[i] = static_cast<std::int32_t>(second - types);
        dataset.ids[i] = std::move(pair.ids);
      } else {
        dataset.ids[i] = tokenizer.encode(examples.first[i], max_length);
        dataset.first_lengths[i] = static_cast<std::int32_t>(dataset.ids[i].size());
      }
    }
  });
  return dataset;
}

/// Examples padded to the longest of them.
struct token_batch {
  index_t batch = 0;                   ///< B
  index_t length = 0;                  ///< L
  std::vector<std::int32_t> ids;       ///< (B, L), filled up with the padding token
  std::vector<std::int32_t> type_ids;  ///< (B, L) token types, 0 for padding
  std::vector<std::uint8_t> key_mask;  ///< (B, L), 1 = real token, 0 = padding
  std::vector<std::int32_t> labels;    ///< (B), or empty
  std::vector<float> scores;           ///< (B), or empty
  std::vector<index_t> rows;           ///< (B) index of each example in the data set
};

/// The batch as the model takes it; `batch` must outlive the view.
inline token_view view_of(const token_batch& batch) {
  return {batch.ids.data(), batch.key_mask.data(), batch.batch, batch.length, batch.type_ids.data()};
}

/// The examples `rows` of `dataset` as one batch. Throws std::invalid_argument for a row outside the data set.
inline token_batch make_batch(const token_dataset& dataset, const std::vector<index_t>& rows, std::int32_t pad_id) {
  token_batch out;
  out.batch = static_cast<index_t>(rows.size());
  for (const index_t row : rows) {
    check(row >= 0 && row < dataset.size(), "make_batch: row outside the data set");
    out.length = std::max(out.length, static_cast<index_t>(dataset.ids[static_cast<std::size_t>(row)].size()));
  }
  const auto cells = static_cast<std::size_t>(out.batch * out.length);
  out.ids.assign(cells, pad_id);
  out.type_ids.assign(cells, 0);
  out.key_mask.assign(cells, 0);
  for (index_t b = 0; b < out.batch; ++b) {
    const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(b)]);
    const std::vector<std::int32_t>& ids = dataset.ids[row];
    const auto size = static_cast<index_t>(ids.size());
    std::copy(ids.begin(), ids.end(), out.ids.begin() + b * out.length);
    std::fill_n(out.key_mask.begin() + b * out.length, size, std::uint8_t{1});
    const index_t first = dataset.first_lengths[row];
    std::fill_n(out.type_ids.begin() + b * out.length + first, size - first, 1);
    if (!dataset.labels.empty()) out.labels.push_back(dataset.labels[row]);
    if (!dataset.scores.empty()) out.scores.push_back(dataset.scores[row]);
  }
  out.rows = rows;
  return out;
}

namespace detail {

/// Cuts rows [first, last) into batches of `batch_size` (the last may be smaller) and appends them to `batches`.
inline void append_batches(const std::vector<index_t>& rows, std::size_t first, std::size_t last,
                           std::size_t batch_size, std::vector<std::vector<index_t>>& batches) {
  for (; first < last; first += batch_size) {
    const std::size_t end = std::min(first + batch_size, last);
    batches.emplace_back(rows.begin() + static_cast<index_t>(first), rows.begin() + static_cast<index_t>(end));
  }
}

}  // namespace detail

/// Training order in which the examples of a batch have similar lengths, so that little is padded: all examples are
/// shuffled, windows of 64 batches are sorted by length and cut, then the batches are shuffled.
class length_bucketed_batches {
 public:
  /// Throws std::invalid_argument when batch_size < 1. Keeps the lengths alone, not the data set.
  length_bucketed_batches(const token_dataset& dataset, index_t batch_size, std::uint64_t seed)
      : batch_size_(batch_size), seed_(seed) {
    check(batch_size >= 1, "length_bucketed_batches: batch_size must be positive");
    for (const auto& ids : dataset.ids) lengths_.push_back(static_cast<index_t>(ids.size()));
  }

  index_t batches_per_epoch() const { return (static_cast<index_t>(lengths_.size()) + batch_size_ - 1) / batch_size_; }

  /// The rows of every batch of epoch `e`: each example once. The same for the same data, batch size, seed and epoch.
  std::vector<std::vector<index_t>> epoch(index_t e) const {
    std::mt19937_64 random = epoch_generator(seed_, e);
    std::vector<index_t> rows(lengths_.size());
    std::iota(rows.begin(), rows.end(), index_t{0});
    shuffle_items(rows, random);
    const auto batch_size = static_cast<std::size_t>(batch_size_);
    const std::size_t window = 64 * batch_size;
    std::vector<std::vector<index_t>> batches;
    for (std::size_t first = 0; first < rows.size(); first += window) {
      const std::size_t last = std::min(first + window, rows.size());
      std::stable_sort(rows.begin() + static_cast<index_t>(first), rows.begin() + static_cast<index_t>(last),
                       [this](index_t a, index_t b) {
                         return lengths_[static_cast<std::size_t>(a)] < lengths_[static_cast<std::size_t>(b)];
                       });
      detail::append_batches(rows, first, last, batch_size, batches);
    }
    shuffle_items(batches, random);
    return batches;
  }

 private:
  index_t batch_size_;
  std::uint64_t seed_;
  std::vector<index_t> lengths_;
};

/// Evaluation order: by length, no chance involved. Throws std::invalid_argument when batch_size < 1.
inline std::vector<std::vector<index_t>> length_sorted_batches(const token_dataset& dataset, index_t batch_size) {
  check(batch_size >= 1, "length_sorted_batches: batch_size must be positive");
  std::vector<index_t> rows(dataset.ids.size());
  std::iota(rows.begin(), rows.end(), index_t{0});
  std::stable_sort(rows.begin(), rows.end(), [&](index_t a, index_t b) {
    return dataset.ids[static_cast<std::size_t>(a)].size() < dataset.ids[static_cast<std::size_t>(b)].size();
  });
  std::vector<std::vector<index_t>> batches;
  detail::append_batches(rows, 0, rows.size(), static_cast<std::size_t>(batch_size), batches);
  return batches;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
