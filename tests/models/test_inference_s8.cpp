// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/nn/gemm_s8.hpp"
#include "support/catch.hpp"
#include "support/inference_problem.hpp"
#include "support/tolerance.hpp"

// Whole encoders with their linear layers in bytes.

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using model_in_bytes = encoder_inference<float, s8_gemm>;

encoder_tensors<float> model_of(const std::string& attention) {
  return random_model<float>(some_config({attention, attention, attention}, model_family::distilbert));
}

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
  const encoder_tensors<float> p = model_of(attention);
  const some_tokens tokens(p.config(), ragged);
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
  const encoder_tensors<float> p = model_of("inhibitor");
  const some_tokens tokens(p.config(), ragged);
  model_in_bytes model(p, {true});
  const auto once = hidden(model, tokens);
#if defined(_OPENMP)
  for (const int threads : {2, 3}) CHECK(hidden(model, tokens, openmp_executor(threads)) == once);
#endif
  for (std::size_t b = 0; b < ragged.size(); ++b) {
    some_tokens alone(p.config(), {});
    alone.ids.assign(tokens.ids.begin() + tokens.starts[b], tokens.ids.begin() + tokens.starts[b + 1]);
    alone.starts = {0, ragged[b]};
    const auto h = hidden(model, alone);
    CHECK(std::equal(h.begin(), h.end(), once.begin() + tokens.starts[b] * p.config().dim));
  }
}

TEST_CASE("s8_gemm: says which model it cannot quantize, and which activations") {
  encoder_tensors<float> p = model_of("dot_product");
  p.embeddings.word_embeddings.data[3 * 120 + 7] = std::numeric_limits<float>::infinity();
  model_in_bytes model(p);
  some_tokens tokens(p.config(), {2});
  tokens.ids = {1, 2};
  CHECK_NOTHROW(model.hidden(tokens.packed(), {}));
  tokens.ids = {1, 3};
  CHECK_THROWS_WITH(model.hidden(tokens.packed(), {}), contains_text("in row 1, column "));
  p.layer[1].ffn.lin1.weight.data[2 * 120 + 5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(model_in_bytes(p), contains_text("is nan at output 2, input 5; expected a finite number"));
}
