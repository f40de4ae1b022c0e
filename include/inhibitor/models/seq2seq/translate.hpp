// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "inhibitor/models/beam_search.hpp"
#include "inhibitor/models/seq2seq/inference.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The finished translations of every source, best first (models/beam_search.hpp), from the logits of `model`. How long
/// they may become depends on each source's own length, and on the position table. Sources do not influence each other,
/// to the bit. Throws as seq2seq_inference::start and for options that do not make sense.
template <class T, class Gemm, class Isa>
std::vector<std::vector<hypothesis>> translate(seq2seq_inference<T, Gemm, Isa>& model, const packed_sequences& sources,
                                               const beam_options& options, const executor& workers) {
  const seq2seq_config& c = model.config();
  std::vector<index_t> max_lengths;
  for (index_t b = 0; b < sources.batch; ++b) {
    const auto most = options.longest_share * static_cast<double>(sources.length(b)) + options.longest_more;
    max_lengths.push_back(std::min(static_cast<index_t>(most), c.max_position_embeddings - 1));
  }
  beam_search search(max_lengths,
                     {static_cast<std::int32_t>(c.decoder_start_token_id), static_cast<std::int32_t>(c.eos_token_id),
                      static_cast<std::int32_t>(c.pad_token_id)},
                     options);
  if (search.is_done()) return search.take_results();
  model.start(sources, workers);
  while (!search.is_done()) {
    search.advance(model.step(search.ids().data(), workers), c.target_vocab_size(), workers);
    model.reorder(search.parents());
  }
  return search.take_results();
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
