// SPDX-License-Identifier: Apache-2.0

// The encoder-decoder end to end: seq2seq_config, seq2seq_tensors, decoder_block, encoder_decoder and
// translation_objective, differentiated numerically in double. Inference: test_seq2seq_inference.cpp.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "compiled_models/translation_models.hpp"
#include "inhibitor/models/seq2seq/tensor_names.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/refusal.hpp"
#include "support/small_translator.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using inhibitor::test::gradient_error;
using inhibitor::test::random_translator;
using inhibitor::test::small_translator;
using model = seq2seq_tensors<double>;

namespace {

/// Two pairs with padding on both sides.
struct small_pairs {
  std::vector<std::int32_t> source{3, 4, 5, 1, 6, 1, 0, 0};
  std::vector<std::uint8_t> source_mask{1, 1, 1, 1, 1, 1, 0, 0};
  std::vector<std::int32_t> target{2, 5, 0, 2, 4, 6};
  std::vector<std::uint8_t> target_mask{1, 1, 0, 1, 1, 1};
  std::vector<std::int32_t> labels{5, 1, 0, 4, 6, 1};

  pair_view view() const {
    return {{source.data(), source_mask.data(), 2, 4}, {target.data(), target_mask.data(), 2, 3}};
  }
};

template <class T>
std::vector<T> logits_of(const seq2seq_tensors<T>& p, const pair_view& tokens, const executor& workers = {}) {
  seq2seq_activations<T> a;
  output_activations<T> output;
  seq2seq_forward(a, tokens, p, {}, workers);
  for (index_t i = 0; i < tokens.target.rows(); ++i) output.positions.push_back(i);
  seq2seq_output_forward(output, a, p, workers);
  return {output.logits.begin(), output.logits.end()};
}

/// Central differences over every tensor of p against the gradients of translation_objective.
void check_gradients(model p, const dropout_mode& mode) {
  const small_pairs b;
  translation_state<double> state(p);
  const label_smoothing smoothing{smoothing_form::but_padding, 0.1};
  const double weight = 0.2;  // one by the labels that count
  translation_objective(state, p, b.view(), b.labels.data(), smoothing, weight, mode, {});
  const model gradients = state.gradients;
  const auto loss = [&] {
    return weight * translation_loss(state, p, b.view(), b.labels.data(), smoothing, weight, mode, {}).loss;
  };
  p.visit([&](const std::string& name, tensor<double>& t) {
    const double* g = gradients.data() + (t.data - p.data());
    INFO(name);
    CHECK(gradient_error(loss, t.data, g, t.size(), 1e-6) < 1e-7);
    // The keys' biases cancel in a softmax; everything else must have a gradient, or the check says nothing.
    const bool cancels = name.find("k_lin.bias") != std::string::npos;
    CHECK((cancels || std::any_of(g, g + t.size(), [](double x) { return x != 0; })));
  });
}

}  // namespace

TEST_CASE("translation_objective: gradients agree with finite differences for every mixer in every place") {
  const int place_bits = GENERATE(range(0, 8));
  const auto mixer_at = [&](int bit) { return (place_bits >> bit & 1) != 0 ? "inhibitor" : "dot_product"; };
  INFO(mixer_at(0) << ", " << mixer_at(1) << ", " << mixer_at(2));
  seq2seq_config c = small_translator(mixer_at(0), mixer_at(1), mixer_at(2));
  // Every mixer meets both kinds of norms in every place; the other options go along.
  const bool is_even = ((place_bits ^ place_bits >> 1 ^ place_bits >> 2) & 1) == 0;
  c.norm = is_even ? norm_placement::pre : norm_placement::post;
  c.between = is_even ? activation::relu : activation::silu;
  c.tie_output = is_even;
  c.share_embeddings = !is_even;
  c.decoder_vocab_size = is_even ? 8 : 0;
  check_gradients(random_translator<double>(c, 3), {});
}

TEST_CASE("translation_objective: gradients agree with finite differences in deeper models, with dropout") {
  seq2seq_config c = small_translator("dot_product", "inhibitor", "dot_product");
  c.encoder_layers = c.decoder_layers = 2;
  c.encoder_attention = {"inhibitor", "dot_product"};
  c.decoder_attention = {"dot_product", "inhibitor"};
  c.cross_attention = {"inhibitor", "dot_product"};
  c.norm = GENERATE(norm_placement::post, norm_placement::pre);
  c.dropout = 0.2;
  check_gradients(random_translator<double>(c, 4), {true, {5, 6, 0}});
}

TEST_CASE("translation_objective: a batch of two pairs is two batches of one, with the same divisor") {
  const seq2seq_config c = small_translator("inhibitor", "dot_product", "inhibitor");
  const model p = random_translator<double>(c, 5);
  const small_pairs b;
  translation_state<double> whole(p), parts(p);
  const label_smoothing smoothing;
  const smoothed_loss together = translation_objective(whole, p, b.view(), b.labels.data(), smoothing, 0.2, {}, {});
  smoothed_loss sum;
  for (index_t i = 0; i < 2; ++i) {
    const pair_view one{{b.source.data() + 4 * i, b.source_mask.data() + 4 * i, 1, 4},
                        {b.target.data() + 3 * i, b.target_mask.data() + 3 * i, 1, 3}};
    const smoothed_loss part = translation_objective(parts, p, one, b.labels.data() + 3 * i, smoothing, 0.2, {}, {});
    sum.loss += part.loss;
    sum.rows += part.rows;
  }
  CHECK(together.rows == 5);
  CHECK(sum.rows == together.rows);
  CHECK(std::abs(sum.loss - together.loss) < 1e-12);
  double off = 0;
  for (index_t i = 0; i < p.size(); ++i) {
    off = std::max(off, std::abs(whole.gradients.data()[i] - parts.gradients.data()[i]));
  }
  CHECK(off < 1e-12);
}

TEMPLATE_TEST_CASE("seq2seq_forward: what comes later in a target changes nothing before it, to the bit", "", float,
                   double) {
  const std::string decoder = GENERATE("dot_product", "inhibitor");
  seq2seq_config c = small_translator("inhibitor", decoder, "inhibitor");
  c.decoder_layers = 2;
  c.set_attention(mixing_place::decoder_self, decoder);
  c.set_attention(mixing_place::cross, "inhibitor");
  c.norm = GENERATE(norm_placement::post, norm_placement::pre);
  const auto p = random_translator<TestType>(c, 6);
  const std::vector<std::int32_t> source{3, 4, 5};
  const std::vector<std::uint8_t> ones(8, 1);
  std::vector<std::int32_t> target{2, 5, 6, 3, 4, 6, 3};
  const pair_view tokens{{source.data(), ones.data(), 1, 3}, {target.data(), ones.data(), 1, 7}};
  const std::vector<TestType> before = logits_of(p, tokens);
  for (index_t changed = 1; changed < 7; ++changed) {
    std::vector<std::int32_t> other = target;
    other[static_cast<std::size_t>(changed)] = 5 - target[static_cast<std::size_t>(changed)] / 2;
    const std::vector<TestType> after = logits_of(p, {tokens.source, {other.data(), ones.data(), 1, 7}});
    const auto end = static_cast<std::ptrdiff_t>(changed * c.vocab_size);
    CHECK(std::equal(before.begin(), before.begin() + end, after.begin()));
    CHECK_FALSE(std::equal(before.begin() + end, before.end(), after.begin() + end));
  }
}

TEST_CASE("seq2seq_forward: padding and threads change nothing, and the source counts") {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const model p = random_translator<double>(small_translator(mixer, mixer, mixer), 7);
  const small_pairs b;
  const std::vector<double> padded = logits_of(p, b.view());
  CHECK(logits_of(p, b.view(), test::thread_executor(3)) == padded);
  const pair_view second{{b.source.data() + 4, b.source_mask.data() + 4, 1, 2},
                         {b.target.data() + 3, b.target_mask.data() + 3, 1, 3}};
  const std::vector<double> alone = logits_of(p, second);
  double off = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) off = std::max(off, std::abs(alone[i] - padded[3 * 7 + i]));
  CHECK(off < 1e-12);
  small_pairs other;
  other.source[4] = 3;
  const std::vector<double> of_other = logits_of(p, other.view());
  CHECK(std::equal(padded.begin(), padded.begin() + 14, of_other.begin()));
  CHECK_FALSE(std::equal(alone.begin(), alone.end(), of_other.begin() + 21));
}

TEST_CASE("seq2seq_tensors: names of Hugging Face and parameter counts of published models") {
  std::set<std::string> names;
  index_t layers = 0, words = 0;
  const auto count = [&](const seq2seq_config& c) {
    names.clear();
    layers = words = 0;
    const seq2seq_tensors<float> p(c);
    p.visit([&](const std::string& name, const tensor<const float>& t) {
      names.insert(seq2seq_tensor_name(name));
      const bool is_word = name.find("embed") != std::string::npos || name.find("shared") != std::string::npos ||
                           name == "lm_head.weight" || name == "final_logits_bias";
      (is_word ? words : layers) += t.size();
    });
    CHECK(layers + words == p.size());
  };
  seq2seq_config c;  // Revisit-MMT's small model for Multi30k: 2.57 M
  c.vocab_size = 9709;
  count(c);
  CHECK(layers == 4 * (132480 + 198784));
  CHECK(words == 9709 * (128 + 1));
  CHECK(names.size() == 4 * 16 + 4 * 26 + 2);
  for (const char* name :
       {"model.shared.weight", "model.encoder.layers.3.self_attn.q_proj.weight",
        "model.encoder.layers.0.self_attn_layer_norm.bias", "model.encoder.layers.0.fc1.weight",
        "model.encoder.layers.0.fc2.bias", "model.encoder.layers.0.final_layer_norm.weight",
        "model.decoder.layers.2.self_attn.out_proj.bias", "model.decoder.layers.0.encoder_attn.k_proj.weight",
        "model.decoder.layers.0.encoder_attn_layer_norm.weight", "final_logits_bias"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
  // The model of "Rethinking Attention" (arXiv 2311.10642): 2,777,600 and 128 (Vs + 2 Vt) + Vt.
  c.norm = norm_placement::pre;
  c.positions = position_kind::interleaved;
  c.share_embeddings = c.tie_output = false;
  c.vocab_size = 100;
  c.decoder_vocab_size = 90;
  c.encoder_layers = c.decoder_layers = 6;
  c.encoder_heads = c.decoder_heads = 8;
  c.encoder_ffn_dim = c.decoder_ffn_dim = 512;
  count(c);
  CHECK(layers == 2777600);
  CHECK(words == 128 * (100 + 2 * 90) + 90);
  for (const char* name : {"model.encoder.layer_norm.weight", "model.decoder.layer_norm.bias", "lm_head.weight",
                           "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("initialize: the rows of padding are 0, weights lie in their bounds, norms do nothing") {
  seq2seq_config c = small_translator("inhibitor", "dot_product", "dot_product");
  c.share_embeddings = false;
  c.pad_token_id = 3;
  model p(c);
  initialize(p, 1);
  for (const auto* words : {&p.encoder_words, &p.decoder_words}) {
    CHECK(std::all_of(words->data + 3 * 8, words->data + 4 * 8, [](double x) { return x == 0; }));
    CHECK(words->data[0] != 0);
  }
  const auto& lin1 = p.encoder[0].ffn.lin1;
  CHECK(std::all_of(lin1.weight.data, lin1.weight.data + 96, [](double x) { return x * x < 6.0 / 20; }));
  CHECK(lin1.bias.data[0] == 0);
  CHECK(p.decoder[0].cross.sa_layer_norm.weight.data[0] == 1);
}

TEST_CASE("seq2seq_config: validate names the field, and refuses a mean over keys that are not allowed") {
  const auto message = [](auto&& change) { return refusal_of<seq2seq_config>(change); };
  CHECK(message([](seq2seq_config&) {}) == "accepted");
  CHECK(message([](seq2seq_config& c) { c.decoder_heads = 3; }) ==
        "d_model is 128; expected a multiple of decoder_heads = 3");
  CHECK(message([](seq2seq_config& c) { c.decoder_vocab_size = 5; }).find("decoder_vocab_size is 5; expected") == 0);
  CHECK(message([](seq2seq_config& c) { c.eos_token_id = 8000; }).find("eos_token_id is 8000") == 0);
  CHECK(message([](seq2seq_config& c) { c.cross_attention = {"inhibitor"}; }) ==
        "cross_attention has 1 entries; expected one per layer, 4");
  CHECK(message([](seq2seq_config& c) { c.inhibitor.center = centering::all_keys; }).find("inhibitor_center is") == 0);
  CHECK(message([](seq2seq_config& c) {
          c.d_model = 9;
          c.encoder_heads = c.decoder_heads = 1;
        }) == "d_model is 9; expected an even number with sinusoidal positions");
}

TEST_CASE("seq2seq_forward: refuses tokens that do not fit, with their position") {
  const model p = random_translator<double>(small_translator("dot_product", "dot_product", "dot_product"), 8);
  small_pairs b;
  b.target[4] = 7;
  CHECK_THROWS_WITH(logits_of(p, b.view()),
                    contains_text("target token at row 1, position 1 is 7; expected 0 <= id < 7"));
  const std::vector<std::int32_t> long_source(9, 3);
  const std::vector<std::uint8_t> ones(9, 1);
  CHECK_THROWS_WITH(logits_of(p, {{long_source.data(), ones.data(), 1, 9}, {b.target.data(), ones.data(), 1, 2}}),
                    contains_text("the longest source has 9 tokens; expected at most max_position_embeddings = 8"));
}
