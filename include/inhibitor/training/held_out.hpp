// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "inhibitor/data/masked_batch.hpp"
#include "inhibitor/training/masked_lm_objective.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Text that a masked-LM is measured on: consecutive windows, 15 % of the tokens masked as whole words, the same for
/// every recipe, seed and step, so that losses can be compared.
class held_out_text {
 public:
  /// Windows of `length` tokens, special ones included, from the first `most_tokens` of the stream; none when it is
  /// shorter than one.
  held_out_text(token_stream stream, const wordpiece& tokenizer, index_t length, index_t most_tokens) {
    const masked_batch_maker maker(stream, tokenizer);
    const index_t width = length - 2, windows = std::min(stream.size, most_tokens) / width;
    for (index_t w = 0; w < windows; ++w) {
      if (w % samples_per_batch == 0) masked_batch_maker::begin(batches_.emplace_back(), length);
      maker.append(batches_.back(), w * width, width, masking{},
                   {0, static_cast<std::uint64_t>(w), masking_sites::held_out});
    }
    for (const masked_batch& batch : batches_) masked_ += static_cast<index_t>(batch.labels.size());
  }

  index_t masked_tokens() const { return masked_; }

  /// Mean of -log p over the masked tokens, in nats; 0 when there are none.
  template <class T>
  double loss(masked_lm_state<T>& state, const encoder_tensors<T>& p, const executor& workers) const {
    double sum = 0;
    for (const masked_batch& batch : batches_) {
      sum += masked_lm_loss(state, p, view_of(batch), batch.positions, batch.labels, workers);
    }
    return masked_ > 0 ? sum / static_cast<double>(masked_) : 0;
  }

 private:
  static constexpr index_t samples_per_batch = 32;

  std::vector<masked_batch> batches_;
  index_t masked_ = 0;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
