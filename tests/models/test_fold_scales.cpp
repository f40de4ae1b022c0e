// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/models/bert/fold_scales.hpp"

#include <random>
#include <string>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "support/catch.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

/// Two inhibitor layers around one of dot products; every scalar away from its start.
template <class T>
encoder_tensors<T> random_model(const inhibitor_options& options) {
  encoder_config c;
  c.vocab_size = 23;
  c.max_position_embeddings = 19;
  c.n_layers = 3;
  c.n_heads = 3;
  c.dim = 24;
  c.intermediate_dim = 40;
  c.num_labels = 5;
  c.initializer_range = 0.3;
  c.attention = {"inhibitor", "dot_product", "inhibitor"};
  c.inhibitor = options;
  encoder_tensors<T> p(c);
  initialize(p, 8);
  std::mt19937 bits(9);
  std::uniform_real_distribution<double> shift(-0.1, 0.1), scale(0.3, 1.7);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += static_cast<T>(shift(bits));
  for (const std::size_t layer : {std::size_t{0}, std::size_t{2}}) {
    inhibitor_mixer<T>& a = *p.layer[layer].attention.template as<inhibitor_mixer>();
    for (index_t h = 0; h < c.n_heads; ++h) {
      a.inhibitor_score_scale.data[h] = static_cast<T>(scale(bits));
      a.inhibitor_output_scale.data[h] = static_cast<T>(scale(bits));
    }
  }
  return p;
}

template <class T>
std::vector<T> logits_of(const encoder_tensors<T>& p) {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> key_mask;
  for (int b = 0; b < 4; ++b) {
    for (int l = 0; l < 19; ++l) {
      const bool real = l < 19 - 4 * b;
      ids.push_back(real ? (7 * b + 5 * l) % 22 + 1 : 0);
      key_mask.push_back(real ? 1 : 0);
    }
  }
  const token_view tokens{ids.data(), key_mask.data(), 4, 19};
  encoder_activations<T> a;
  classification_activations<T> head;
  encoder_forward(a, tokens, p, dropout_mode{}, executor{});
  CHECK_FALSE(fully_inhibited(a, p.config(), 0));
  CHECK_FALSE(fully_inhibited(a, p.config(), 2));
  classification_forward(head, a, tokens, p, dropout_mode{}, executor{});
  return {head.logits.begin(), head.logits.end()};
}

template <class T>
std::vector<T> numbers_of(const encoder_tensors<T>& p) {
  return {p.data(), p.data() + p.size()};
}

}  // namespace

TEMPLATE_TEST_CASE("fold_scales: the same logits with and without the add-only path", "[fold_scales]", float, double) {
  using T = TestType;
  inhibitor_options options;
  options.center = GENERATE(centering::attended_keys, centering::all_keys);
  options.is_signed = GENERATE(true, false);
  options.skip_inhibited = GENERATE(false, true);
  const encoder_tensors<T> plain = random_model<T>(options);
  encoder_tensors<T> folded = plain;
  fold_scales(folded);
  CHECK(folded.config().add_only);
  CHECK(numbers_of(folded) != numbers_of(plain));
  const auto expected = logits_of(plain);
  CHECK(largest_magnitude(expected) > 0.1);
  // Three layers of normalized activations of order 1 and reductions of at most 40 terms; measured differences are a
  // tenth of this.
  const double tolerance = reduction<T>(40, 10);
  CHECK(largest_difference(logits_of(folded), expected) <= tolerance);
  // The ordinary path computes the folded model as well: its scales are the neutral ones.
  encoder_config config = folded.config();
  config.add_only = false;
  encoder_tensors<T> ordinary = folded;
  ordinary.set_options(config);
  CHECK(largest_difference(logits_of(ordinary), expected) <= tolerance);
}

TEST_CASE("fold_scales: folding twice changes nothing more", "[fold_scales]") {
  encoder_tensors<float> once = random_model<float>({});
  fold_scales(once);
  encoder_tensors<float> twice = once;
  fold_scales(twice);
  CHECK(numbers_of(twice) == numbers_of(once));
}

TEST_CASE("fold_scales: a scale that cannot be folded is named and nothing is touched", "[fold_scales]") {
  const float bad =
      GENERATE(0.0F, -0.5F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN());
  const bool score = GENERATE(true, false);
  encoder_tensors<float> p = random_model<float>({});
  inhibitor_mixer<float>& a = *p.layer[2].attention.as<inhibitor_mixer>();
  (score ? a.inhibitor_score_scale : a.inhibitor_output_scale).data[1] = bad;
  const float untouched = p.layer[0].attention.projections()->q_lin.weight.data[0];
  std::string message;
  try {
    fold_scales(p);
  } catch (const std::invalid_argument& e) {
    message = e.what();
  }
  INFO(message);
  CHECK(message.find("layer 2, head 1") != std::string::npos);
  CHECK(message.find(score ? "inhibitor_score_scale" : "inhibitor_output_scale") != std::string::npos);
  CHECK(p.layer[0].attention.projections()->q_lin.weight.data[0] == untouched);
  CHECK_FALSE(p.config().add_only);
}

TEST_CASE("fold_scales: division by the number of keys is refused", "[fold_scales]") {
  inhibitor_options options;
  options.normalize_by_length = true;
  encoder_tensors<float> p = random_model<float>(options);
  CHECK_THROWS_AS(fold_scales(p), std::invalid_argument);
}

TEST_CASE("fold_scales: a model without inhibitor layers keeps its numbers", "[fold_scales]") {
  encoder_config c;
  c.vocab_size = 5;
  c.max_position_embeddings = 4;
  c.n_layers = 1;
  c.n_heads = 1;
  c.dim = 4;
  c.intermediate_dim = 4;
  encoder_tensors<float> p(c);
  initialize(p, 2);
  const auto before = numbers_of(p);
  fold_scales(p);
  CHECK(numbers_of(p) == before);
}
