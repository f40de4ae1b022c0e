// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/seq2seq/model.hpp"
#include "support/random.hpp"

namespace inhibitor::test {

/// One layer of width 8 with two heads on either side, 7 words, 8 positions: small enough to differentiate numerically.
/// Mixers of the encoder, the decoder's own past and the memory.
inline seq2seq_config small_translator(const std::string& encoder, const std::string& decoder,
                                       const std::string& cross) {
  seq2seq_config c;
  c.vocab_size = 7;
  c.max_position_embeddings = 8;
  c.positions = position_kind::learned;
  c.d_model = 8;
  c.encoder_layers = c.decoder_layers = 1;
  c.encoder_heads = c.decoder_heads = 2;
  c.encoder_ffn_dim = c.decoder_ffn_dim = 12;
  c.decoder_start_token_id = 2;
  c.set_attention(mixing_place::encoder_self, encoder);
  c.set_attention(mixing_place::decoder_self, decoder);
  c.set_attention(mixing_place::cross, cross);
  return c;
}

/// A model in which nothing stays at a special value: biases and scalars move too.
template <class T>
seq2seq_tensors<T> random_translator(const seq2seq_config& config, std::uint64_t seed) {
  seq2seq_tensors<T> p(config);
  initialize(p, seed);
  random_numbers random(seed + 1);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += static_cast<T>(random.uniform(-0.2, 0.2));
  // A smaller shift than that of new models lets more values pass.
  p.visit([](const std::string& name, tensor<T>& t) {
    for (index_t i = 0; i < t.size() && name.find("inhibitor_shift") != std::string::npos; ++i) t.data[i] -= T(0.4);
  });
  return p;
}

}  // namespace inhibitor::test
