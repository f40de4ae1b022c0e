// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/models/bert/initialize_from.hpp"

#include <algorithm>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/encoder.hpp"
#include "support/catch.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using inhibitor::test::small_config;

namespace {

encoder_config teacher_config(index_t layers) {
  encoder_config config = small_config("dot_product", "dot_product");
  config.set_family(model_family::bert);
  config.type_vocab_size = 2;
  config.n_layers = layers;
  config.set_attention("dot_product");
  return config;
}

encoder_config student_config(index_t layers, std::string kind) {
  encoder_config config = small_config(kind, kind);
  config.n_layers = layers;
  config.set_attention(kind);
  return config;
}

/// A model whose numbers all differ from one another and from those of other seeds.
encoder_tensors<double> drawn_model(const encoder_config& config, std::uint64_t seed,
                                    const head_names& heads = {"sequence_classification", "masked_lm"}) {
  encoder_tensors<double> p(config, heads);
  initialize(p, seed);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += 1e-3 * static_cast<double>(i % 97);
  return p;
}

bool equal(const tensor<double>& a, const tensor<double>& b) {
  return a.size() == b.size() && std::equal(a.data, a.data + a.size(), b.data);
}

std::string error_of(const encoder_config& student, const encoder_config& teacher, const std::vector<index_t>& layers) {
  encoder_tensors<double> p(student);
  try {
    initialize_from(p, encoder_tensors<double>(teacher), layers);
  } catch (const std::invalid_argument& error) {
    CHECK(std::all_of(p.data(), p.data() + p.size(), [](double x) { return x == 0; }));
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("initialize_from: six layers of a twelve-layer BERT become a DistilBERT, token types and head left out") {
  const auto teacher = drawn_model(teacher_config(12), 1);
  const auto before = drawn_model(student_config(6, "inhibitor"), 2);
  auto student = before;
  const auto layers = distilbert_layers();
  initialize_from(student, teacher, layers);
  CHECK(equal(student.embeddings.word_embeddings, teacher.embeddings.word_embeddings));
  CHECK(equal(student.embeddings.position_embeddings, teacher.embeddings.position_embeddings));
  CHECK(equal(student.embeddings.LayerNorm.weight, teacher.embeddings.LayerNorm.weight));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto& from = teacher.layer[static_cast<std::size_t>(layers[i])];
    const auto *to = student.layer[i].attention.projections(), *source = from.attention.projections();
    CHECK(equal(to->q_lin.weight, source->q_lin.weight));
    CHECK(equal(to->v_lin.bias, source->v_lin.bias));
    CHECK(equal(to->out_lin.weight, source->out_lin.weight));
    CHECK(equal(student.layer[i].sa_layer_norm.bias, from.sa_layer_norm.bias));
    CHECK(equal(student.layer[i].ffn.lin1.weight, from.ffn.lin1.weight));
    CHECK(equal(student.layer[i].ffn.lin2.bias, from.ffn.lin2.bias));
    CHECK(equal(student.layer[i].output_layer_norm.weight, from.output_layer_norm.weight));
    CHECK(equal(student.layer[i].attention.as<inhibitor_mixer>()->inhibitor_shift,
                before.layer[i].attention.as<inhibitor_mixer>()->inhibitor_shift));
  }
  CHECK(equal(student.head<masked_lm_head>().vocab_transform.weight,
              teacher.head<masked_lm_head>().vocab_transform.weight));
  CHECK(
      equal(student.head<masked_lm_head>().vocab_projector_bias, teacher.head<masked_lm_head>().vocab_projector_bias));
  CHECK(equal(student.head<sequence_classification_head>().pre_classifier.weight,
              before.head<sequence_classification_head>().pre_classifier.weight));
  CHECK(equal(student.head<sequence_classification_head>().classifier.weight,
              before.head<sequence_classification_head>().classifier.weight));
}

TEST_CASE("initialize_from: all layers of the same family copy the function of the model") {
  const auto teacher = drawn_model(teacher_config(2), 1);
  auto student = drawn_model(teacher_config(2), 2);
  initialize_from(student, teacher, {0, 1});
  CHECK(std::equal(student.data(), student.data() + student.size(), teacher.data()));
}

TEST_CASE("initialize_from: without token types of its own a student equals a teacher whose types are zero") {
  auto teacher = drawn_model(teacher_config(2), 1);
  std::fill_n(teacher.embeddings.token_type_embeddings.data, teacher.embeddings.token_type_embeddings.size(), 0.0);
  auto student = drawn_model(student_config(2, "dot_product"), 2);
  initialize_from(student, teacher, {0, 1});
  const std::vector<std::int32_t> ids{2, 5, 3};
  const std::vector<std::uint8_t> mask{1, 1, 1};
  const token_view tokens{ids.data(), mask.data(), 1, 3};
  encoder_activations<double> a, b;
  encoder_forward(a, tokens, student, {}, {});
  encoder_forward(b, tokens, teacher, {}, {});
  CHECK(std::equal(a.hidden[2].begin(), a.hidden[2].end(), b.hidden[2].begin()));
}

TEST_CASE("initialize_from: models that do not match are refused, the student stays as it was") {
  const auto student = student_config(2, "inhibitor");
  CHECK(error_of(student, teacher_config(4), {0}) ==
        "initialize_from: 1 layers are named; expected 2, one per layer of the student");
  CHECK(error_of(student, teacher_config(4), {0, 4}) ==
        "initialize_from: layer 4 is named; the teacher has layers 0 to 3");
  CHECK(error_of(student, teacher_config(4), {-1, 0}).find("layer -1") != std::string::npos);
  auto wide = teacher_config(4);
  wide.dim = 16;
  CHECK(error_of(student, wide, {0, 1}) ==
        "initialize_from: dim is 8 in the student and 16 in the teacher; expected the same");
}
