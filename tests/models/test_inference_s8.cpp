// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/nn/gemm_s8.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/small_config.hpp"
#include "support/tolerance.hpp"

// Whole encoders with their linear layers in bytes.

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using model_in_bytes = encoder_inference<float, s8_gemm>;

/// Three layers of sizes that are no multiples of what kernels take at a time.
encoder_tensors<float> random_model(const std::string& attention) {
  encoder_config c = small_config(attention, attention);
  c.dim = 120;
  c.n_heads = 3;
  c.intermediate_dim = 300;
  c.max_position_embeddings = 200;
  c.vocab_size = 50;
  c.n_layers = 3;
  c.set_attention(attention);
  c.initializer_range = 0.1;
  encoder_tensors<float> p(c);
  initialize(p, 3);
  random_numbers random(4);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += static_cast<float>(random.uniform(-0.05, 0.05));
  return p;
}

struct some_tokens {
  std::vector<std::int32_t> ids;
  std::vector<index_t> starts{0};

  explicit some_tokens(const std::vector<index_t>& lengths) {
    random_numbers random(5);
    for (const index_t length : lengths) {
      for (index_t i = 0; i < length; ++i) ids.push_back(static_cast<std::int32_t>(random.index(50)));
      starts.push_back(static_cast<index_t>(ids.size()));
    }
  }
  packed_tokens packed() const { return {ids.data(), nullptr, starts.data(), static_cast<index_t>(starts.size()) - 1}; }
};

template <class Model>
std::vector<float> hidden(Model& model, const some_tokens& tokens, const executor& workers = {}) {
  const float* h = model.hidden(tokens.packed(), workers);
  return {h, h + tokens.packed().rows() * model.config().dim};
}

const std::vector<index_t> ragged{7, 129, 1, 64, 30};

}  // namespace

TEST_CASE("s8_gemm: hidden states and logits near those of the model in float") {
  const std::string attention = GENERATE("dot_product", "inhibitor");
  const bool u8_attention = GENERATE(false, true);
  const encoder_tensors<float> p = random_model(attention);
  const some_tokens tokens(ragged);
  encoder_inference<float> exact(p);
  model_in_bytes model(p, {u8_attention});
  const auto truth = hidden(exact, tokens), bytes = hidden(model, tokens);
  const double error = largest_difference(bytes, truth) / largest_magnitude(truth);
  INFO(attention << ", u8 attention " << u8_attention << ": " << error);
  CHECK(error < 0.06);
  CHECK(error > 0);
  const float *logits = model.classify(tokens.packed(), {}), *exact_logits = exact.classify(tokens.packed(), {});
  const index_t count = static_cast<index_t>(ragged.size()) * p.config().num_labels;
  CHECK(largest_difference(std::vector<float>(logits, logits + count),
                           std::vector<float>(exact_logits, exact_logits + count)) < 0.1);
}

TEST_CASE("s8_gemm: the same bits for any number of workers and company in the batch") {
  const encoder_tensors<float> p = random_model("inhibitor");
  const some_tokens tokens(ragged);
  model_in_bytes model(p, {true});
  const auto once = hidden(model, tokens);
#if defined(_OPENMP)
  for (const int threads : {2, 3}) CHECK(hidden(model, tokens, openmp_executor(threads)) == once);
#endif
  for (std::size_t b = 0; b < ragged.size(); ++b) {
    some_tokens alone({});
    alone.ids.assign(tokens.ids.begin() + tokens.starts[b], tokens.ids.begin() + tokens.starts[b + 1]);
    alone.starts = {0, ragged[b]};
    const auto h = hidden(model, alone);
    CHECK(std::equal(h.begin(), h.end(), once.begin() + tokens.starts[b] * p.config().dim));
  }
}

TEST_CASE("s8_gemm: says which model it cannot quantize, and which activations") {
  encoder_tensors<float> p = random_model("dot_product");
  p.embeddings.word_embeddings.data[3 * 120 + 7] = std::numeric_limits<float>::infinity();
  model_in_bytes model(p);
  some_tokens tokens({2});
  tokens.ids = {1, 2};
  CHECK_NOTHROW(model.hidden(tokens.packed(), {}));
  tokens.ids = {1, 3};
  CHECK_THROWS_WITH(model.hidden(tokens.packed(), {}), contains_text("in row 1, column "));
  p.layer[1].ffn.lin1.weight.data[2 * 120 + 5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(model_in_bytes(p), contains_text("is nan at output 2, input 5; expected a finite number"));
}
