// SPDX-License-Identifier: Apache-2.0

#include "classify/pooling.hpp"

#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "support/catch.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;
using Catch::Matchers::WithinAbs;

TEST_CASE("mean_of_rows: every sequence by its own tokens", "[programs]") {
  const std::vector<float> hidden{1, 2, 3, 4, 5, 6};
  const std::vector<index_t> starts{0, 1, 3};
  packed_tokens tokens;
  tokens.starts = starts.data();
  tokens.batch = 2;
  std::vector<float> out(4);
  mean_of_rows(out.data(), hidden.data(), tokens, 2);
  CHECK(out == std::vector<float>{1, 2, 4, 5});
}

TEST_CASE("scale_to_length_one: unit length, zeros stay", "[programs]") {
  std::vector<float> x{3, 4, 0, 0};
  scale_to_length_one(x.data(), 2, 2);
  CHECK(x == std::vector<float>{0.6F, 0.8F, 0, 0});
}

TEST_CASE("pool_first: what the classification head computes", "[programs]") {
  for (const model_family family : {model_family::distilbert, model_family::bert}) {
    encoder_config config = small_config("inhibitor", "dot_product");
    config.set_family(family);
    config.type_vocab_size = family == model_family::bert ? 2 : 0;
    config.initializer_range = 0.5;
    encoder_tensors<float> model(config);
    initialize(model, 2);
    const std::vector<std::int32_t> ids{1, 5, 3}, types(3, 0);
    const std::vector<std::uint8_t> mask(3, 1);
    token_view padded;
    padded.ids = ids.data();
    padded.key_mask = mask.data();
    padded.batch = 1;
    padded.length = 3;
    encoder_activations<float> a;
    classification_activations<float> head;
    encoder_forward(a, padded, model, {}, executor());
    classification_forward(head, a, padded, model, {}, executor());

    const std::vector<index_t> starts{0, 3};
    encoder_inference<float> inference(model);
    const float* first = inference.first_hidden({ids.data(), types.data(), starts.data(), 1}, executor());
    std::vector<float> pooled(8);
    pool_first(pooled.data(), first, 1, model, executor());
    for (std::size_t k = 0; k < 8; ++k) CHECK_THAT(double{pooled[k]}, WithinAbs(double{head.pooled.data()[k]}, 1e-5));
  }
}
