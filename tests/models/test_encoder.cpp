// SPDX-License-Identifier: Apache-2.0

// The model end to end: encoder_config, encoder_tensors, encoder, heads, transformer_block and the
// objectives of training/, differentiated numerically in double. Numbers from another implementation: test_golden.cpp.

#include <functional>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/models/bert/tensor_names.hpp"
#include "inhibitor/models/sizes.hpp"
#include "inhibitor/training/objectives.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/refusal.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using inhibitor::test::gradient_error;
using inhibitor::test::small_config;
using model = encoder_tensors<double>;

namespace {

model random_model(encoder_config config, bool masked_lm = false) {
  config.initializer_range = 0.4;  // large enough that distances, values and gradients are all of order 1
  model p(config,
          masked_lm ? head_names{"sequence_classification", "masked_lm"} : head_names{"sequence_classification"});
  initialize(p, 3);
  // Nothing stays at a special value: biases and scalars move too.
  std::mt19937 bits(4);
  std::uniform_real_distribution<double> shift(-0.1, 0.1);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += shift(bits);
  return p;
}

encoder_config small_bert() {
  encoder_config config = small_config("dot_product", "inhibitor");
  config.set_family(model_family::bert);
  config.type_vocab_size = 2;
  return config;
}

struct small_batch {
  std::vector<std::int32_t> ids{2, 5, 7, 3, 2, 9, 3, 0, 2, 3, 0, 0};
  std::vector<std::uint8_t> key_mask{1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0};
  std::vector<std::int32_t> labels{2, 0, 1};
  std::vector<std::int32_t> types{0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0};
  token_view tokens() const { return {ids.data(), key_mask.data(), 3, 4}; }
  token_view bert_tokens() const { return {ids.data(), key_mask.data(), 3, 4, types.data()}; }
};

/// Central differences of `loss` over every tensor of p against `gradients`. The padding row of the word embeddings is
/// left out: by convention the lookup gives it no gradient.
void check_gradients(model& p, const model& gradients, const std::function<double()>& loss) {
  std::vector<std::pair<std::string, index_t>> offsets;
  p.visit([&](const std::string& name, tensor<double>& t) {
    const index_t skip = name.find("word_embeddings") != std::string::npos ? p.config().dim : 0;
    const double* g = gradients.data() + (t.data - p.data());
    INFO(name);
    CHECK(gradient_error(loss, t.data + skip, g + skip, t.size() - skip, 1e-6) < 1e-6);
  });
}

}  // namespace

TEST_CASE("encoder_tensors: Hugging Face names, shapes and parameter counts") {
  encoder_config base;
  base.num_labels = 2;
  index_t count = 0;
  std::set<std::string> names;
  // Counting needs no memory for 67 million numbers: a model of one word and one position, corrected by the difference.
  base.vocab_size = 1;
  base.max_position_embeddings = 1;
  const encoder_tensors<float> p(base);
  p.visit([&](const std::string& name, const tensor<const float>& t) {
    names.insert(name);
    count += t.size();
  });
  CHECK(names.size() == 104);
  CHECK(count + (30522 - 1 + 512 - 1) * 768 == 66955010);
  CHECK(names.count("distilbert.transformer.layer.5.attention.out_lin.weight") == 1);
  CHECK(names.count("distilbert.embeddings.LayerNorm.bias") == 1);
  CHECK(p.size() == count);

  base.set_attention("inhibitor");
  index_t scalars = 0;
  encoder_tensors<float>(base).visit([&](const std::string& name, const tensor<const float>& t) {
    if (name.find("inhibitor_") != std::string::npos) scalars += t.size();
  });
  CHECK(scalars == 6 * 12 * 3);
}

TEST_CASE("encoder_tensors: BERT's names, shapes and parameter counts") {
  encoder_config base;
  base.set_family(model_family::bert);
  base.n_layers = 12;
  base.type_vocab_size = 2;
  base.vocab_size = 1;
  base.max_position_embeddings = 1;
  const auto names_and_size = [&](const head_names& heads) {
    const encoder_tensors<float> p(base, heads);
    std::set<std::string> names;
    p.visit([&](const std::string& name, const tensor<const float>&) {
      names.insert(checkpoint_tensor_name(name, model_family::bert));
    });
    return std::pair(names, p.size());
  };
  const auto [names, size] = names_and_size({"sequence_classification"});
  CHECK(names.size() == 201);
  CHECK(size + (30522 - 1 + 512 - 1) * 768 == 109483778);
  for (const char* name :
       {"bert.embeddings.token_type_embeddings.weight", "bert.encoder.layer.11.attention.self.query.weight",
        "bert.encoder.layer.0.attention.output.dense.bias", "bert.encoder.layer.0.attention.output.LayerNorm.weight",
        "bert.encoder.layer.3.intermediate.dense.weight", "bert.encoder.layer.3.output.dense.weight",
        "bert.encoder.layer.3.output.LayerNorm.bias", "bert.pooler.dense.weight", "classifier.bias"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
  const auto mlm = names_and_size({"masked_lm"}).first;
  CHECK(mlm.size() == 197 + 5);
  for (const char* name :
       {"cls.predictions.bias", "cls.predictions.transform.dense.weight", "cls.predictions.transform.LayerNorm.bias"}) {
    CHECK(mlm.count(name) == 1);
  }
}

TEST_CASE("encoder_tensors: a copy has its own numbers") {
  const model p = random_model(small_config("inhibitor", "dot_product"));
  model copy = p;
  copy.layer[1].ffn.lin2.bias.data[0] += 1;
  CHECK(copy.layer[1].ffn.lin2.bias.data[0] == p.layer[1].ffn.lin2.bias.data[0] + 1);
  const model moved = std::move(copy);
  CHECK(moved.layer[1].ffn.lin2.bias.data[0] == p.layer[1].ffn.lin2.bias.data[0] + 1);
}

TEST_CASE("encoder_config: validate names the field") {
  const auto message = [](auto&& change) { return refusal_of<encoder_config>(change); };
  CHECK(message([](encoder_config& c) { c.dim = 100; }) == "dim is 100; expected a multiple of n_heads = 12");
  CHECK(message([](encoder_config& c) { c.n_layers = 0; }) == "n_layers is 0; expected at least 1");
  CHECK(message([](encoder_config& c) { c.pad_token_id = -1; }).find("pad_token_id") == 0);
  CHECK(message([](encoder_config& c) { c.dropout = 1; }).find("dropout") == 0);
  CHECK(message([](encoder_config& c) { c.attention = {"inhibitor"}; }).find("attention has 1") == 0);
  CHECK(message([](encoder_config& c) { c.type_vocab_size = -1; }).find("type_vocab_size is -1") == 0);
  CHECK(message([](encoder_config& c) { c.layer_norm_epsilon = 0; }).find("layer_norm_epsilon") == 0);
  CHECK(message([](encoder_config&) {}) == "accepted");
}

TEST_CASE("check_tokens: refuses ids and lengths out of range with their position") {
  const model p = random_model(small_config("inhibitor", "inhibitor"));
  encoder_activations<double> a;
  small_batch b;
  b.ids[5] = 11;
  try {
    encoder_forward(a, b.tokens(), p, {}, {});
    FAIL("id 11 of 11 words was accepted");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()) == "token id at row 1, position 1 is 11; expected 0 <= id < vocab_size = 11");
  }
  b.ids[5] = -1;
  CHECK_THROWS_AS(encoder_forward(a, b.tokens(), p, {}, {}), std::invalid_argument);
  b.ids[5] = 1;
  CHECK_THROWS_AS(encoder_forward(a, {b.ids.data(), b.key_mask.data(), 1, 7}, p, {}, {}), std::invalid_argument);
}

TEST_CASE("check_tokens: refuses token types a BERT does not have") {
  const model p = random_model(small_bert());
  encoder_activations<double> a;
  small_batch b;
  b.types[6] = 2;
  try {
    encoder_forward(a, b.bert_tokens(), p, {}, {});
    FAIL("type 2 of 2 was accepted");
  } catch (const std::invalid_argument& e) {
    CHECK(std::string(e.what()) == "token type at row 1, position 2 is 2; expected 0 <= id < type_vocab_size = 2");
  }
}

TEST_CASE("classification_objective: a BERT's gradients agree with finite differences, with and without dropout") {
  const bool with_dropout = GENERATE(false, true);
  model p = random_model(small_bert());
  const small_batch b;
  const dropout_mode mode{with_dropout, {5, 6, 0}};
  training_state<double> state(p);
  const auto loss = [&] { return classification_objective(state, p, b.bert_tokens(), b.labels.data(), mode, {}); };
  loss();
  const model gradients = state.gradients;
  check_gradients(p, gradients, loss);
}

TEST_CASE("encoder_forward: padding does not change what real tokens get") {
  for (const std::string kind : {"inhibitor", "dot_product"}) {
    const model p = random_model(small_config(kind, kind));
    const std::vector<std::int32_t> ids{2, 5, 3, 0, 0};
    const std::vector<std::uint8_t> mask{1, 1, 1, 0, 0};
    encoder_activations<double> padded, alone;
    encoder_forward(padded, {ids.data(), mask.data(), 1, 5}, p, {}, {});
    encoder_forward(alone, {ids.data(), mask.data(), 1, 3}, p, {}, {});
    for (index_t i = 0; i < 3 * 8; ++i) CHECK(std::abs(padded.hidden[2][i] - alone.hidden[2][i]) < 1e-12);
  }
}

TEST_CASE("classification_objective: every gradient agrees with finite differences, with and without dropout") {
  const auto kinds = GENERATE(std::pair("inhibitor", "inhibitor"), std::pair("dot_product", "inhibitor"));
  const bool with_dropout = GENERATE(false, true);
  model p = random_model(small_config(kinds.first, kinds.second));
  const small_batch b;
  const dropout_mode mode{with_dropout, {5, 6, 0}};
  training_state<double> state(p);
  classification_objective(state, p, b.tokens(), b.labels.data(), mode, {});
  const model gradients = state.gradients;
  check_gradients(p, gradients,
                  [&] { return classification_objective(state, p, b.tokens(), b.labels.data(), mode, {}); });
}

TEST_CASE("masked_lm_backward: every gradient agrees with finite differences, the tied decoder's included") {
  model p = random_model(small_config("inhibitor", "dot_product"), true);
  const small_batch b;
  const std::vector<index_t> positions{1, 5, 8};
  const std::vector<std::int32_t> targets{7, 4, 10};
  training_state<double> state(p);
  masked_lm_activations<double> head;
  const auto run = [&] {
    encoder_forward(state.activations, b.tokens(), p, {}, {});
    masked_lm_forward(head, positions, state.activations, p, {});
    state.dactivations.reset(p.config(), b.tokens());
    aligned_buffer<double> dlogits(head.logits.size());
    const double loss = cross_entropy(dlogits.data(), head.logits.data(), targets.data(), 3, p.config().vocab_size);
    masked_lm_backward(state.gradients, state.dactivations, dlogits.data(), head, p, {});
    encoder_backward(state.gradients, state.dactivations, state.activations, b.tokens(), p, {}, {});
    return loss;
  };
  run();
  const model gradients = state.gradients;
  check_gradients(p, gradients, run);
}

TEST_CASE("distillation objectives: gradients agree with finite differences") {
  model student = random_model(small_config("inhibitor", "inhibitor"));
  model teacher = random_model(small_config("dot_product", "dot_product"));
  for (index_t i = 0; i < teacher.size(); ++i) teacher.data()[i] *= 1.2;
  const small_batch b;
  const dropout_mode mode{true, {1, 2, 0}};
  training_state<double> state(student);
  inference_state<double> teacher_state;
  const distillation_weights weights{0.7, 0.4, 0.3, 2.0};
  const auto hidden = [&] {
    return hidden_state_objective(state, student, teacher_state, teacher, b.tokens(), mode, {});
  };
  const auto task = [&] {
    return task_distillation_objective(state, student, teacher_state, teacher, weights, b.tokens(), b.labels.data(),
                                       mode, {});
  };
  for (const std::function<double()>& objective : {std::function<double()>(hidden), std::function<double()>(task)}) {
    state.gradients.fill_zero();
    objective();
    const model gradients = state.gradients;
    check_gradients(student, gradients, objective);
  }
}

TEST_CASE("distillation objectives: a deeper BERT as teacher, its layers chosen") {
  encoder_config deep = small_bert();
  deep.n_layers = 4;
  deep.set_attention("dot_product");
  const model teacher = random_model(deep);
  model student = random_model(small_config("inhibitor", "inhibitor"));
  const small_batch b;
  const token_view tokens = b.bert_tokens();  // the student has no token types and does not look at them
  const layer_map map{1, 3};
  training_state<double> state(student);
  inference_state<double> teacher_state;
  const auto hidden = [&] {
    return hidden_state_objective(state, student, teacher_state, teacher, tokens, {}, {}, map);
  };
  const double loss = hidden();
  const model gradients = state.gradients;
  double expected = 0;
  for (const std::size_t l : {std::size_t{0}, std::size_t{1}}) {
    const auto& mine = state.activations.hidden[l + 1];
    const auto& theirs = teacher_state.activations.hidden[static_cast<std::size_t>(map[l]) + 1];
    aligned_buffer<double> unused(mine.size());
    expected += masked_mse(unused.data(), mine.data(), theirs.data(), tokens.key_mask, tokens.rows(), deep.dim);
  }
  CHECK(std::abs(loss - expected) <= 1e-14 * expected);  // sums of the same numbers, compiled in two places
  check_gradients(student, gradients, hidden);
  const auto context = [&] {
    return layer_context_objective(state, student, teacher_state, teacher, 1, tokens, {}, {}, map);
  };
  CHECK(context() > 0);
  CHECK_THROWS_AS(hidden_state_objective(state, student, teacher_state, teacher, tokens, {}, {}),
                  std::invalid_argument);
  CHECK_THROWS_AS(hidden_state_objective(state, student, teacher_state, teacher, tokens, {}, {}, {0, 4}),
                  std::invalid_argument);
}

TEST_CASE("objectives on scores: gradients agree with finite differences") {
  encoder_config config = small_config("inhibitor", "dot_product");
  config.num_labels = 1;
  model student = random_model(config);
  model teacher = random_model(config);
  for (index_t i = 0; i < teacher.size(); ++i) teacher.data()[i] *= 1.2;
  const small_batch b;
  const std::vector<float> scores{3.5F, 0.0F, 1.25F};
  training_state<double> state(student);
  inference_state<double> teacher_state;
  const auto alone = [&] { return classification_objective(state, student, b.tokens(), scores.data(), {}, {}); };
  const auto distilled = [&] {
    return task_distillation_objective(state, student, teacher_state, teacher, {0.7, 0.4, 0.3, 2.0}, b.tokens(),
                                       scores.data(), {}, {});
  };
  for (const std::function<double()>& objective :
       {std::function<double()>(alone), std::function<double()>(distilled)}) {
    state.gradients.fill_zero();
    objective();
    const model gradients = state.gradients;
    check_gradients(student, gradients, objective);
  }
}

TEST_CASE("layer_context_objective: gradients of that layer's attention alone, none elsewhere") {
  model student = random_model(small_config("inhibitor", "inhibitor"));
  const model teacher = random_model(small_config("dot_product", "dot_product"));
  const small_batch b;
  training_state<double> state(student);
  inference_state<double> teacher_state;
  const auto objective = [&] {
    return layer_context_objective(state, student, teacher_state, teacher, 1, b.tokens(), {}, {});
  };
  objective();
  const model gradients = state.gradients;
  student.visit([&](const std::string& name, tensor<double>& t) {
    const double* g = gradients.data() + (t.data - student.data());
    const bool trained =
        name.find("layer.1.attention.") != std::string::npos && name.find("out_lin") == std::string::npos;
    INFO(name);
    if (trained) {
      CHECK(gradient_error(objective, t.data, g, t.size(), 1e-6) < 1e-6);
      CHECK(std::any_of(g, g + t.size(), [](double x) { return x != 0; }));
    } else {
      CHECK(std::all_of(g, g + t.size(), [](double x) { return x == 0; }));
    }
  });
}

TEST_CASE("objectives: gradients are added and bit-identical for any number of workers") {
  const model p = random_model(small_config("inhibitor", "dot_product"));
  const small_batch b;
  const dropout_mode mode{true, {5, 6, 0}};
  training_state<double> once(p), twice(p);
  classification_objective(once, p, b.tokens(), b.labels.data(), mode, {});
  classification_objective(twice, p, b.tokens(), b.labels.data(), mode, {});
  classification_objective(twice, p, b.tokens(), b.labels.data(), mode, {});
  for (index_t i = 0; i < p.size(); ++i) {
    REQUIRE(std::abs(twice.gradients.data()[i] - 2 * once.gradients.data()[i]) < 1e-12);
  }
#if defined(_OPENMP)
  for (int threads : {2, 3, 8}) {
    training_state<double> threaded(p);
    classification_objective(threaded, p, b.tokens(), b.labels.data(), mode, openmp_executor(threads));
    CHECK(std::equal(once.gradients.data(), once.gradients.data() + p.size(), threaded.gradients.data()));
  }
#endif
}

TEST_CASE("first_non_finite_hidden and fully_inhibited: point at the layer") {
  model p = random_model(small_config("inhibitor", "inhibitor"));
  const small_batch b;
  encoder_activations<double> a;
  encoder_forward(a, b.tokens(), p, {}, {});
  CHECK(first_non_finite_hidden(a) == -1);
  CHECK_FALSE(fully_inhibited(a, p.config(), 1));
  const tensor<double>& shift = p.layer[1].attention.as<inhibitor_mixer>()->inhibitor_shift;
  shift.data[0] = shift.data[1] = 1e6;
  encoder_forward(a, b.tokens(), p, {}, {});
  CHECK(fully_inhibited(a, p.config(), 1));
  CHECK_FALSE(fully_inhibited(a, p.config(), 0));
  p.layer[1].ffn.lin1.bias.data[0] = std::numeric_limits<double>::quiet_NaN();
  encoder_forward(a, b.tokens(), p, {}, {});
  CHECK(first_non_finite_hidden(a) == 2);
}

TEST_CASE("config_of_size: names, or layers and a width") {
  CHECK(config_of_size("mini").n_layers == 4);
  CHECK(config_of_size("mini").dim == 256);
  CHECK(config_of_size("base").dim == 768);
  const encoder_config c = config_of_size("6x384");
  CHECK(c.n_layers == 6);
  CHECK(c.dim == 384);
  CHECK(c.n_heads == 6);
  CHECK(c.intermediate_dim == 1536);
  for (const char* bad : {"", "huge", "6", "6x", "x384", "0x64", "6x100", "6x384x2", "-6x384", "999999x64"}) {
    INFO(bad);
    CHECK_THROWS_WITH(config_of_size(bad), Catch::Matchers::Contains("as 6x384"));
  }
}
