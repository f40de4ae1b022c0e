// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/data/shuffle.hpp"
#include "inhibitor/models/seq2seq/token_views.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Tokenized sentence pairs.
struct parallel_dataset {
  std::vector<std::vector<std::int32_t>> source;  ///< as the encoder reads them, with special tokens if it has any
  std::vector<std::vector<std::int32_t>> target;  ///< without special tokens

  index_t size() const { return static_cast<index_t>(source.size()); }
  /// Tokens of pair `row` as a model reads it: of the longer side, the target with one special token.
  index_t longer(index_t row) const {
    const auto i = static_cast<std::size_t>(row);
    return static_cast<index_t>(std::max(source[i].size(), target[i].size() + 1));
  }
};

/// Pairs padded to the longest source and the longest target.
struct parallel_batch {
  index_t batch = 0;                          ///< B
  index_t source_length = 0;                  ///< S
  index_t target_length = 0;                  ///< T
  std::vector<std::int32_t> source_ids;       ///< (B, S), filled up with padding
  std::vector<std::uint8_t> source_key_mask;  ///< (B, S), 1 = real token, 0 = padding
  std::vector<std::int32_t> target_ids;       ///< (B, T) the start token, then the target
  std::vector<std::uint8_t> target_key_mask;  ///< (B, T)
  std::vector<std::int32_t> labels;           ///< (B, T) the target, then its end; padding elsewhere
  index_t target_tokens = 0;                  ///< labels that are not padding

  /// As the model takes it; the batch must outlive the view.
  pair_view view() const {
    return {{source_ids.data(), source_key_mask.data(), batch, source_length},
            {target_ids.data(), target_key_mask.data(), batch, target_length}};
  }
};

/// The pairs `rows` of `dataset` as one batch. The special tokens are those of `config`. Throws std::invalid_argument
/// for a row outside the data set and a source without tokens.
inline parallel_batch make_parallel_batch(const parallel_dataset& dataset, const std::vector<index_t>& rows,
                                          const seq2seq_config& config) {
  parallel_batch out;
  out.batch = static_cast<index_t>(rows.size());
  check(dataset.target.size() == dataset.source.size(), [&] {
    return "make_parallel_batch: there are " + std::to_string(dataset.source.size()) + " sources and " +
           std::to_string(dataset.target.size()) + " targets";
  });
  for (const index_t row : rows) {
    check(row >= 0 && row < dataset.size(), "make_parallel_batch: row outside the data set");
    const auto i = static_cast<std::size_t>(row);
    check(!dataset.source[i].empty(), [&] { return "source " + std::to_string(row) + " has no tokens"; });
    out.source_length = std::max(out.source_length, static_cast<index_t>(dataset.source[i].size()));
    out.target_length = std::max(out.target_length, static_cast<index_t>(dataset.target[i].size()) + 1);
  }
  const auto pad = static_cast<std::int32_t>(config.pad_token_id);
  const auto source_cells = static_cast<std::size_t>(out.batch * out.source_length);
  const auto target_cells = static_cast<std::size_t>(out.batch * out.target_length);
  out.source_ids.assign(source_cells, pad);
  out.source_key_mask.assign(source_cells, 0);
  out.target_ids.assign(target_cells, pad);
  out.target_key_mask.assign(target_cells, 0);
  out.labels.assign(target_cells, pad);
  for (index_t b = 0; b < out.batch; ++b) {
    const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(b)]);
    const std::vector<std::int32_t>&source = dataset.source[row], &target = dataset.target[row];
    const index_t source_at = b * out.source_length, target_at = b * out.target_length;
    const auto target_size = static_cast<index_t>(target.size());
    std::copy(source.begin(), source.end(), out.source_ids.begin() + source_at);
    std::fill_n(out.source_key_mask.begin() + source_at, source.size(), std::uint8_t{1});
    out.target_ids[static_cast<std::size_t>(target_at)] = static_cast<std::int32_t>(config.decoder_start_token_id);
    std::copy(target.begin(), target.end(), out.target_ids.begin() + target_at + 1);
    std::copy(target.begin(), target.end(), out.labels.begin() + target_at);
    out.labels[static_cast<std::size_t>(target_at + target_size)] = static_cast<std::int32_t>(config.eos_token_id);
    std::fill_n(out.target_key_mask.begin() + target_at, target_size + 1, std::uint8_t{1});
    out.target_tokens += target_size + 1;
  }
  return out;
}

/// Training order in batches of about the same number of tokens: pairs are shuffled, sorted by length and cut where one
/// more would make pairs * (longest side of the batch) exceed the budget; then the batches are shuffled. A pair beyond
/// the budget is a batch of its own. Lengths decide where is cut, so that every epoch has as many batches.
class token_budget_batches {
 public:
  /// Throws std::invalid_argument when budget < 1. Keeps the lengths alone, not the data set.
  token_budget_batches(const parallel_dataset& dataset, index_t budget, std::uint64_t seed)
      : budget_(budget), seed_(seed) {
    check(budget >= 1, "token_budget_batches: the budget must be positive");
    for (index_t i = 0; i < dataset.size(); ++i) {
      const auto row = static_cast<std::size_t>(i);
      lengths_.emplace_back(dataset.longer(i), static_cast<index_t>(dataset.source[row].size()),
                            static_cast<index_t>(dataset.target[row].size()));
    }
    batches_ = static_cast<index_t>(epoch(0).size());
  }

  index_t batches_per_epoch() const { return batches_; }

  /// The rows of every batch of epoch `e`: each pair once. The same for the same data, budget, seed and epoch.
  std::vector<std::vector<index_t>> epoch(index_t e) const {
    std::mt19937_64 random = epoch_generator(seed_, e);
    std::vector<index_t> rows(lengths_.size());
    std::iota(rows.begin(), rows.end(), index_t{0});
    shuffle_items(rows, random);
    std::stable_sort(rows.begin(), rows.end(), [this](index_t a, index_t b) { return of(a) < of(b); });
    std::vector<std::vector<index_t>> batches;
    for (const index_t row : rows) {
      // Sorted, so that the row to come is the longest of its batch.
      const bool fits =
          !batches.empty() && (static_cast<index_t>(batches.back().size()) + 1) * std::get<0>(of(row)) <= budget_;
      if (!fits) batches.emplace_back();
      batches.back().push_back(row);
    }
    shuffle_items(batches, random);
    return batches;
  }

 private:
  using pair_lengths = std::tuple<index_t, index_t, index_t>;  // longer side, source, target

  const pair_lengths& of(index_t row) const { return lengths_[static_cast<std::size_t>(row)]; }

  index_t budget_, batches_ = 0;
  std::uint64_t seed_;
  std::vector<pair_lengths> lengths_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
