// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/pretrained/finite.hpp"

#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

TEST_CASE("find_non_finite: the first NaN or infinity", "[pretrained]") {
  const float inf = std::numeric_limits<float>::infinity();
  const float largest = std::numeric_limits<float>::max();
  const std::vector<float> x{0,    -0.0F,        largest, -largest, std::numeric_limits<float>::denorm_min(),
                             -inf, std::nanf("")};
  CHECK(find_non_finite(x.data(), 0) == -1);
  CHECK(find_non_finite(x.data(), 5) == -1);
  CHECK(find_non_finite(x.data(), 7) == 5);
  CHECK(find_non_finite(x.data() + 6, 1) == 0);
}

TEST_CASE("require_finite: names the tensor and the place", "[pretrained]") {
  encoder_tensors<float> model(small_config("inhibitor", "dot_product"));
  initialize(model, 1);
  CHECK_NOTHROW(require_finite(model, "m"));
  std::vector<std::string> names;
  model.visit([&](const std::string& name, auto& t) {
    const float kept = t.data[t.size() - 1];
    t.data[t.size() - 1] = std::nanf("");
    CHECK_THROWS_WITH(require_finite(model, "m"), contains_text("m: tensor \"" + name + "\" holds nan at [") &&
                                                      contains_text(std::to_string(t.cols - 1) + "]"));
    t.data[t.size() - 1] = kept;
    names.push_back(name);
  });
  CHECK(names.size() > 30);
  encoder_config config = small_config("dot_product", "dot_product");
  config.set_family(model_family::bert);
  encoder_tensors<float> bert(config);
  initialize(bert, 1);
  bert.layer[0].ffn.lin1.weight.data[0] = std::nanf("");
  CHECK_THROWS_WITH(require_finite(bert, "m"), contains_text("\"bert.encoder.layer.0.intermediate.dense.weight\""));
  model.embeddings.word_embeddings.data[model.config().dim * 2 + 3] = -std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(require_finite(model, "m"), contains_text("holds -inf at [2, 3]"));
}
