// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/pretrained/tensor_names.hpp"

#include "support/catch.hpp"

using namespace inhibitor;

namespace {
std::string bert(std::string_view stored) { return canonical_tensor_name(stored, model_family::bert).name; }
std::string distilbert(std::string_view stored) {
  return canonical_tensor_name(stored, model_family::distilbert).name;
}
}  // namespace

TEST_CASE("canonical_tensor_name: prefixes of wrappers and of bare encoders") {
  CHECK(distilbert("module.distilbert.embeddings.word_embeddings.weight") ==
        "distilbert.embeddings.word_embeddings.weight");
  CHECK(distilbert("transformer.layer.0.ffn.lin1.bias") == "distilbert.transformer.layer.0.ffn.lin1.bias");
  CHECK(distilbert("module.transformer.layer.0.ffn.lin1.bias") == "distilbert.transformer.layer.0.ffn.lin1.bias");
  for (const char* wrapper : {"_orig_mod.", "module._orig_mod.", "_orig_mod.module."}) {
    CHECK(bert(std::string(wrapper) + "bert.pooler.dense.bias") == "bert.pooler.dense.bias");
    CHECK(bert(std::string(wrapper) + "pooler.dense.bias") == "bert.pooler.dense.bias");
    CHECK(distilbert(std::string(wrapper) + "classifier.bias") == "classifier.bias");
  }
  CHECK(bert("model._orig_mod.x") == "model._orig_mod.x");
  CHECK(bert("encoder.layer.1.output.dense.weight") == "bert.encoder.layer.1.output.dense.weight");
  CHECK(bert("pooler.dense.bias") == "bert.pooler.dense.bias");
  CHECK(distilbert("pooler.dense.bias") == "pooler.dense.bias");  // DistilBERT has none
  CHECK(bert("classifier.weight") == "classifier.weight");
  CHECK(bert("") == "");
}

TEST_CASE("canonical_tensor_name: gamma and beta are repaired in LayerNorm alone") {
  CHECK(bert("bert.embeddings.LayerNorm.gamma") == "bert.embeddings.LayerNorm.weight");
  CHECK(bert("bert.embeddings.LayerNorm.beta") == "bert.embeddings.LayerNorm.bias");
  CHECK(bert("bert.embeddings.LayerNorm.gamma.old") == "bert.embeddings.LayerNorm.gamma.old");
  CHECK(bert("gamma") == "gamma");
}

TEST_CASE("canonical_tensor_name: position_ids are no parameter") {
  CHECK(bert("bert.embeddings.position_ids").empty());
  CHECK(distilbert("embeddings.position_ids").empty());
}

TEST_CASE("canonical_tensor_name: the authors' scalars are one number per layer") {
  const tensor_name scale =
      canonical_tensor_name("distilbert.transformer.layer.3.attention.gamma", model_family::distilbert);
  CHECK(scale.name == "distilbert.transformer.layer.3.attention.inhibitor_score_scale");
  CHECK(scale.is_published_scalar);
  CHECK(distilbert("transformer.layer.3.attention.alpha") ==
        "distilbert.transformer.layer.3.attention.inhibitor_shift");
  CHECK(distilbert("transformer.layer.3.attention.beta") ==
        "distilbert.transformer.layer.3.attention.inhibitor_output_scale");
  CHECK_FALSE(canonical_tensor_name("bert.embeddings.LayerNorm.beta", model_family::bert).is_published_scalar);
}
