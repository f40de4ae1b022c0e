// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/models/dropout_mode.hpp"
#include "inhibitor/nn/decoder_block.hpp"
#include "inhibitor/nn/transformer_block.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Where an encoder-decoder draws: one number per place. Trained models repeat from a seed only while these stay.
struct seq2seq_dropout_sites {
  static constexpr std::uint32_t source_embeddings = 0;
  static constexpr std::uint32_t target_embeddings = 1;

  static block_dropout_streams encoder(const dropout_mode& mode, index_t layer) {
    return {at(mode, layer, 0), at(mode, layer, 1)};
  }
  static decoder_dropout_streams decoder(const dropout_mode& mode, index_t layer) {
    return {at(mode, layer, 2), at(mode, layer, 3), at(mode, layer, 4)};
  }

 private:
  static random_stream at(const dropout_mode& mode, index_t layer, index_t sublayer) {
    return mode.stream.at(static_cast<std::uint32_t>(2 + 5 * layer + sublayer));
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
