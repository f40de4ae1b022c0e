// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>

#include "inhibitor/models/encoder_heads.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

// Real weights: BERT-tiny fine-tuned on SST-2 (2 layers, C = 128), with activations of an independent implementation.
// Its files lie outside the repository, below INHIBITOR_SHARED_DATA; the embedding tables are in neither, so the
// encoder starts from stored embedding outputs.

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

/// BERT's name of a DistilBERT block tensor: a BERT block and a DistilBERT block are the same function.
std::string bert_name(std::string name) {
  const std::map<std::string, std::string> parts{{"distilbert.transformer.layer.", "bert.encoder.layer."},
                                                 {"attention.q_lin", "attention.self.query"},
                                                 {"attention.k_lin", "attention.self.key"},
                                                 {"attention.v_lin", "attention.self.value"},
                                                 {"attention.out_lin", "attention.output.dense"},
                                                 {"sa_layer_norm", "attention.output.LayerNorm"},
                                                 {"ffn.lin1", "intermediate.dense"},
                                                 {"ffn.lin2", "output.dense"},
                                                 {"output_layer_norm", "output.LayerNorm"}};
  for (const auto& [ours, theirs] : parts) {
    const auto at = name.find(ours);
    if (at != std::string::npos) name.replace(at, ours.size(), theirs);
  }
  return name;
}

/// Largest difference between a stored tensor and what is computed.
double difference(const golden_file& want, const std::string& name, const float* got) {
  const auto values = want.values<float>(name);
  return largest_difference(values, std::vector<float>(got, got + values.size()));
}

}  // namespace

TEST_CASE("layers_forward: real BERT-tiny weights give the stored hidden states and logits", "[golden][data]") {
  const char* data = std::getenv("INHIBITOR_SHARED_DATA");
  if (data == nullptr || *data == '\0') {
    std::cout << "skipped: set INHIBITOR_SHARED_DATA to the folder that holds bert-tiny-sst2-encoder/\n";
    return;
  }
  const std::string folder = std::string(data) + "/bert-tiny-sst2-encoder/";
  const golden_file weights(folder + "model.safetensors"), want(folder + "reference.safetensors");

  encoder_config config;
  config.vocab_size = 1;
  config.n_layers = 2;
  config.n_heads = 2;
  config.dim = 128;
  config.hidden_dim = 512;
  encoder_tensors<float> p(config, {false, false});
  index_t loaded = 0;
  p.visit([&](const std::string& name, tensor<float>& t) {
    if (name.find("embeddings") != std::string::npos) return;
    const auto values = weights.values<float>(bert_name(name));
    REQUIRE(static_cast<index_t>(values.size()) == t.size());
    std::copy(values.begin(), values.end(), t.data);
    ++loaded;
  });
  CHECK(loaded == 2 * 16);

  // Both sentences in one padded batch, so that the key mask matters too.
  const std::vector<std::string> sentences{"a", "b"};
  index_t length = 0;
  for (const auto& name : sentences) length = std::max(length, want.extent(name + ".embedding_output", 0));
  const auto batch = static_cast<index_t>(sentences.size());
  std::vector<std::uint8_t> key_mask(static_cast<std::size_t>(batch * length), 0);
  const token_view tokens{nullptr, key_mask.data(), batch, length};
  block_shape shape;
  shape.batch = batch;
  shape.length = length;
  shape.dim = config.dim;
  shape.hidden = config.hidden_dim;
  encoder_activations<float> a;
  a.resize(config, shape);
  for (index_t b = 0; b < batch; ++b) {
    const auto embedding = want.values<float>(sentences[static_cast<std::size_t>(b)] + ".embedding_output");
    std::copy(embedding.begin(), embedding.end(), a.hidden[0].data() + b * length * config.dim);
    std::fill_n(key_mask.begin() + b * length, static_cast<index_t>(embedding.size()) / config.dim, std::uint8_t{1});
  }
  const executor workers;
  layers_forward(a, tokens, p, {}, workers, config.n_layers);

  constexpr double tolerance = 1e-4;
  for (index_t b = 0; b < batch; ++b) {
    const std::string& name = sentences[static_cast<std::size_t>(b)];
    INFO("sentence " << name);
    for (std::size_t l = 1; l <= 2; ++l) {
      INFO("hidden state " << l);
      const float* hidden = a.hidden[l].data() + b * length * config.dim;
      CHECK(difference(want, name + ".hidden_states." + std::to_string(l), hidden) < tolerance);
    }
    std::vector<float> pooled(static_cast<std::size_t>(config.dim)), logits(2);
    linear_forward(pooled.data(), a.hidden[2].data() + b * length * config.dim,
                   weights.values<float>("bert.pooler.dense.weight").data(),
                   weights.values<float>("bert.pooler.dense.bias").data(), 1, config.dim, config.dim, workers);
    for (float& x : pooled) x = std::tanh(x);
    CHECK(difference(want, name + ".pooler_output", pooled.data()) < tolerance);
    linear_forward(logits.data(), pooled.data(), weights.values<float>("classifier.weight").data(),
                   weights.values<float>("classifier.bias").data(), 1, config.dim, 2, workers);
    CHECK(difference(want, name + ".logits", logits.data()) < tolerance);
  }
}
