// SPDX-License-Identifier: Apache-2.0

#include "classify/pooling.hpp"

#include <cmath>
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

TEST_CASE("pool_tokens: every mode as sentence-transformers defines it, in that order, by a text's own tokens",
          "[programs]") {
  const std::vector<float> hidden{1, -2, 3, 4, 5, -6, 0, 8};
  const std::vector<index_t> starts{0, 1, 4};
  packed_tokens tokens;
  tokens.starts = starts.data();
  tokens.batch = 2;
  const auto pool = [&](const std::vector<pooling_mode>& modes) {
    std::vector<float> out(2 * 2 * modes.size());
    pool_tokens(out.data(), hidden.data(), tokens, 2, modes);
    return out;
  };
  using floats = std::vector<float>;
  CHECK(pool({pooling_mode::cls}) == floats{1, -2, 3, 4});
  CHECK(pool({pooling_mode::max}) == floats{1, -2, 5, 8});
  CHECK(pool({pooling_mode::mean}) == floats{1, -2, 8.0F / 3, 2});
  CHECK(pool({pooling_mode::lasttoken}) == floats{1, -2, 0, 8});
  // (3 + 2 * 5 + 3 * 0) / 6 and (4 - 2 * 6 + 3 * 8) / 6.
  CHECK(pool({pooling_mode::weightedmean}) == floats{1, -2, 13.0F / 6, 16.0F / 6});
  const floats root = pool({pooling_mode::mean_sqrt_len_tokens});
  CHECK(root[1] == -2);
  CHECK_THAT(double{root[2]}, WithinAbs(8 / std::sqrt(3.0), 1e-6));
  CHECK(pool({pooling_mode::max, pooling_mode::mean}) == floats{1, -2, 1, -2, 5, 8, 8.0F / 3, 2});
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
