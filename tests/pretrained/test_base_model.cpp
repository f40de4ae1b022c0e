// SPDX-License-Identifier: Apache-2.0

// A folder of the size people have: DistilBERT-base, 67 million numbers, with random weights.

#include <cstring>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::temp_folder;

namespace {

/// Logits (B, 2) of two sentences of different length.
std::vector<float> classify(const encoder_tensors<float>& model) {
  const std::vector<std::int32_t> ids{101, 2023, 2003, 2307, 102, 101, 2919, 102, 0, 0};
  const std::vector<std::uint8_t> mask{1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
  const token_view tokens{ids.data(), mask.data(), 2, 5};
  encoder_activations<float> activations;
  classification_activations<float> head;
  encoder_forward(activations, tokens, model, {}, {});
  classification_forward(head, activations, tokens, model, {}, {});
  return {head.logits.begin(), head.logits.end()};
}

bool same_bits(const float* a, const float* b, index_t size) {
  return std::memcmp(a, b, static_cast<std::size_t>(size) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("model folders: a DistilBERT-base loads, classifies, saves and reloads bit-identically", "[io]") {
  const temp_folder folder;
  std::vector<float> logits;
  {
    encoder_tensors<float> model{encoder_config()};
    initialize(model, 1);
    CHECK(model.size() == 66955010);
    logits = classify(model);
    CHECK(std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); }));
    save_model_folder(folder.file("made"), model);
  }
  const auto loaded = load_model_folder<float>(folder.file("made"));
  const std::vector<float> again = classify(loaded);
  CHECK(same_bits(again.data(), logits.data(), 4));
  save_model_folder(folder.file("saved"), loaded);
  const auto reloaded = load_model_folder<float>(folder.file("saved"));
  CHECK(reloaded.size() == loaded.size());
  CHECK(same_bits(reloaded.data(), loaded.data(), loaded.size()));
}
