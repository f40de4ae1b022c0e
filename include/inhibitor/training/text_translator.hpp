// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/log_sink.hpp"
#include "inhibitor/data/parallel_dataset.hpp"
#include "inhibitor/data/parallel_text.hpp"
#include "inhibitor/models/seq2seq/translate.hpp"
#include "inhibitor/pretrained/bpe_tokenizer.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The ids of a line as the encoder reads them: its units, then the end. Cut to `most` ids; `is_cut` is then set.
inline std::vector<std::int32_t> source_ids(const bpe_tokenizer& tokenizer, const std::string& line, index_t most,
                                            bpe_cache& cache, bool& is_cut) {
  std::vector<std::int32_t> ids = tokenizer.encode(line, cache);
  is_cut = static_cast<index_t>(ids.size()) + 1 > most;
  if (is_cut) ids.resize(static_cast<std::size_t>(most - 1));
  ids.push_back(tokenizer.end_id());
  return ids;
}

/// Sentence pairs as a model of `positions` reads them. `log` is told how many pairs were cut to its positions, and how
/// many were left out because one side is blank: they have nothing to learn.
inline parallel_dataset tokenize_pairs(const bpe_tokenizer& tokenizer, const parallel_text& text, index_t positions,
                                       const log_sink& log) {
  parallel_dataset out;
  bpe_cache cache;
  index_t cut = 0, blank = 0;
  for (std::size_t i = 0; i < text.source.size(); ++i) {
    bool is_cut = false;
    std::vector<std::int32_t> source = source_ids(tokenizer, text.source[i], positions, cache, is_cut);
    std::vector<std::int32_t> target = tokenizer.encode(text.target[i], cache);
    if (source.size() == 1 || target.empty()) {
      ++blank;
      continue;
    }
    if (static_cast<index_t>(target.size()) + 1 > positions) {
      target.resize(static_cast<std::size_t>(positions - 1));
      is_cut = true;
    }
    cut += is_cut ? 1 : 0;
    out.source.push_back(std::move(source));
    out.target.push_back(std::move(target));
  }
  if (cut > 0) tell(log, std::to_string(cut) + " pairs are cut to " + std::to_string(positions) + " positions");
  if (blank > 0) tell(log, std::to_string(blank) + " pairs with a blank side are left out");
  return out;
}

/// Lines of text, translated: one line in, one line out.
class text_translator {
 public:
  /// Copies and packs the model; the tokenizer must outlive the translator. Throws std::invalid_argument when the
  /// vocabulary does not fit the model, with both sizes.
  text_translator(const seq2seq_tensors<float>& model, const bpe_tokenizer& tokenizer)
      : inference_(model), tokenizer_(tokenizer) {
    const seq2seq_config& c = model.config();
    check(c.vocab_size == tokenizer.size() && c.target_vocab_size() == tokenizer.size(), [&] {
      return "the vocabulary has " + std::to_string(tokenizer.size()) + " units; the model has " +
             std::to_string(c.vocab_size) + " source and " + std::to_string(c.target_vocab_size()) + " target words";
    });
  }

  /// A translation for every line, blank for blank ones. A line that is longer than the positions of the model is cut,
  /// which `log` is told; `first_line` is the number of the first, for messages. Lines of similar length are decoded
  /// `batch` at a time, which changes no bit of the result. Throws utf8_error.
  std::vector<std::string> translate_lines(const std::vector<std::string>& lines, const beam_options& options,
                                           index_t batch, index_t first_line, const executor& workers,
                                           const log_sink& log) {
    const index_t positions = inference_.config().max_position_embeddings;
    std::vector<std::vector<std::int32_t>> sources;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      bool is_cut = false;
      sources.push_back(source_ids(tokenizer_, lines[i], positions, cache_, is_cut));
      if (is_cut) {
        tell(log, "line " + std::to_string(first_line + static_cast<index_t>(i)) + " is cut to the model's " +
                      std::to_string(positions) + " positions");
      }
    }
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].size() > 1) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sources[a].size() < sources[b].size(); });
    std::vector<std::string> out(lines.size());
    for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(batch)) {
      const std::size_t last = std::min(order.size(), first + static_cast<std::size_t>(batch));
      std::vector<std::int32_t> ids;
      std::vector<index_t> starts{0};
      for (std::size_t i = first; i < last; ++i) {
        ids.insert(ids.end(), sources[order[i]].begin(), sources[order[i]].end());
        starts.push_back(static_cast<index_t>(ids.size()));
      }
      const auto found =
          translate(inference_, {ids.data(), starts.data(), static_cast<index_t>(last - first)}, options, workers);
      for (std::size_t i = first; i < last; ++i) {
        const std::vector<hypothesis>& best = found[i - first];
        if (!best.empty()) out[order[i]] = tokenizer_.decode(best.front().tokens);
      }
    }
    return out;
  }

 private:
  seq2seq_inference<float> inference_;
  const bpe_tokenizer& tokenizer_;
  bpe_cache cache_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
