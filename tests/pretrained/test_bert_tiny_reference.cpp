// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>
#include <iostream>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

// Real weights: BERT-tiny fine-tuned on SST-2 (2 layers, C = 128), with activations of an independent implementation.
// Its files lie outside the repository, below INHIBITOR_SHARED_DATA; the embedding tables are in neither, so the
// encoder starts from stored embedding outputs.

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

/// Largest difference between a stored tensor and what is computed.
double difference(const golden_file& want, const std::string& name, const float* got) {
  const auto values = want.values<float>(name);
  return largest_difference(values, std::vector<float>(got, got + values.size()));
}

}  // namespace

TEST_CASE("read_model_folder: real BERT-tiny weights give the stored hidden states and logits", "[golden][data]") {
  const char* data = std::getenv("INHIBITOR_SHARED_DATA");
  if (data == nullptr || *data == '\0') {
    std::cout << "skipped: set INHIBITOR_SHARED_DATA to the folder that holds bert-tiny-sst2-encoder/\n";
    return;
  }
  const std::string folder = std::string(data) + "/bert-tiny-sst2-encoder/";
  const golden_file want(folder + "reference.safetensors");
  const auto model = read_model_folder<float>(folder);
  const encoder_tensors<float>& p = model.tensors;
  const encoder_config& config = p.config();
  CHECK(model.report.unexpected.empty());
  CHECK(model.report.mismatched.empty());
  CHECK(model.report.missing.size() == 5);
  for (const std::string& name : model.report.missing) CHECK(name.find("bert.embeddings.") == 0);

  // Both sentences in one padded batch, so that the key mask matters too.
  const std::vector<std::string> sentences{"a", "b"};
  index_t length = 0;
  for (const auto& name : sentences) length = std::max(length, want.extent(name + ".embedding_output", 0));
  const auto batch = static_cast<index_t>(sentences.size());
  std::vector<std::uint8_t> key_mask(static_cast<std::size_t>(batch * length), 0);
  const token_view tokens{nullptr, key_mask.data(), batch, length};
  encoder_activations<float> a;
  a.resize(config, tokens);
  for (index_t b = 0; b < batch; ++b) {
    const auto embedding = want.values<float>(sentences[static_cast<std::size_t>(b)] + ".embedding_output");
    std::copy(embedding.begin(), embedding.end(), a.hidden[0].data() + b * length * config.dim);
    std::fill_n(key_mask.begin() + b * length, static_cast<index_t>(embedding.size()) / config.dim, std::uint8_t{1});
  }
  const executor workers;
  layers_forward(a, tokens, p, {}, workers, config.n_layers);
  classification_activations<float> head;
  classification_forward(head, a, tokens, p, {}, workers);

  constexpr double tolerance = 1e-4;
  for (index_t b = 0; b < batch; ++b) {
    const std::string& name = sentences[static_cast<std::size_t>(b)];
    INFO("sentence " << name);
    for (std::size_t l = 1; l <= 2; ++l) {
      INFO("hidden state " << l);
      const float* hidden = a.hidden[l].data() + b * length * config.dim;
      CHECK(difference(want, name + ".hidden_states." + std::to_string(l), hidden) < tolerance);
    }
    CHECK(difference(want, name + ".pooler_output", head.pooled.data() + b * config.dim) < tolerance);
    CHECK(difference(want, name + ".logits", head.logits.data() + b * 2) < tolerance);
  }
}
