// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/pretrained/config_json.hpp"

#include <clocale>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::file_content;
using inhibitor::test::temp_folder;
using nlohmann::json;

namespace {

model_config_file parse(const json& changes) {
  json document = {{"model_type", "distilbert"}};
  document.update(changes);
  return parse_model_config(document, "config.json");
}

std::string error_of(const json& changes) {
  try {
    parse(changes);
  } catch (const file_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("read_model_config: an empty DistilBERT configuration takes the published defaults", "[io]") {
  const encoder_config c = parse(json::object()).config;
  CHECK(c.vocab_size == 30522);
  CHECK(c.max_position_embeddings == 512);
  CHECK(c.n_layers == 6);
  CHECK(c.n_heads == 12);
  CHECK(c.dim == 768);
  CHECK(c.intermediate_dim == 3072);
  CHECK(c.dropout == 0.1);
  CHECK(c.attention_dropout == 0.1);
  CHECK(c.seq_classif_dropout == 0.2);
  CHECK(c.initializer_range == 0.02);
  CHECK(c.pad_token_id == 0);
  CHECK(c.num_labels == 2);
  CHECK(c.layer_attention(5) == "dot_product");
}

TEST_CASE("read_model_config: every key is read, nulls count as absent", "[io]") {
  const encoder_config c = parse({{"vocab_size", 100},
                                  {"max_position_embeddings", 64},
                                  {"n_layers", 2},
                                  {"n_heads", 4},
                                  {"dim", 32},
                                  {"hidden_dim", 48},
                                  {"dropout", 0.25},
                                  {"attention_dropout", 0},
                                  {"seq_classif_dropout", 0.5},
                                  {"initializer_range", 1e-3},
                                  {"pad_token_id", 7},
                                  {"activation", "gelu"},
                                  {"id2label", nullptr},
                                  {"num_labels", 3}})
                               .config;
  CHECK(c.vocab_size == 100);
  CHECK(c.max_position_embeddings == 64);
  CHECK(c.n_layers == 2);
  CHECK(c.n_heads == 4);
  CHECK(c.dim == 32);
  CHECK(c.intermediate_dim == 48);
  CHECK(c.dropout == 0.25);
  CHECK(c.attention_dropout == 0);
  CHECK(c.seq_classif_dropout == 0.5);
  CHECK(c.initializer_range == 1e-3);
  CHECK(c.pad_token_id == 7);
  CHECK(c.num_labels == 3);
}

TEST_CASE("read_model_config: Hugging Face's aliases, also beside the key when they agree", "[io]") {
  const encoder_config c =
      parse({{"hidden_size", 64}, {"num_attention_heads", 2}, {"num_hidden_layers", 3}, {"n_layers", 3}}).config;
  CHECK(c.dim == 64);
  CHECK(c.n_heads == 2);
  CHECK(c.n_layers == 3);
  CHECK_THAT(error_of({{"dim", 64}, {"hidden_size", 128}}), contains_text("'hidden_size' is 128"));
}

TEST_CASE("read_model_config: label names count the labels, by number and not by JSON order", "[io]") {
  json names = json::object();
  for (int i = 0; i < 12; ++i) names[std::to_string(i)] = "name " + std::to_string(i);
  const model_config_file file = parse({{"id2label", names}});
  CHECK(file.config.num_labels == 12);
  CHECK(file.labels[10] == "name 10");
  CHECK(file.labels[2] == "name 2");
  CHECK(parse({{"num_labels", 3}}).labels == std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"});
}

TEST_CASE("read_model_config: attention per layer and the options of the mechanism", "[io]") {
  const encoder_config one = parse({{"attention_type", "inhibitor"},
                                    {"inhibitor_center", "none"},
                                    {"inhibitor_signed", false},
                                    {"inhibitor_normalize_by_length", true}})
                                 .config;
  CHECK(one.layer_attention(0) == "inhibitor");
  CHECK(one.layer_attention(5) == "inhibitor");
  CHECK(one.inhibitor.center == centering::none);
  CHECK_FALSE(one.inhibitor.is_signed);
  CHECK(one.inhibitor.normalize_by_length);
  const encoder_config mixed =
      parse({{"n_layers", 2}, {"attention_type", {"dot_product", "inhibitor"}}, {"inhibitor_center", "all_keys"}})
          .config;
  CHECK(mixed.layer_attention(0) == "dot_product");
  CHECK(mixed.layer_attention(1) == "inhibitor");
  CHECK(mixed.inhibitor.center == centering::all_keys);
}

TEST_CASE("read_model_config: bad values name file, key, value and what was expected", "[io]") {
  const auto check_error = [](const json& changes, const std::string& expected) {
    CHECK_THAT(error_of(changes), Catch::Matchers::StartsWith("config.json: ") && contains_text(expected));
  };
  check_error({{"model_type", "roberta"}}, "key 'model_type' is \"roberta\"; expected \"distilbert\" or \"bert\"");
  check_error({{"model_type", "bert"}, {"hidden_act", "gelu_new"}}, "key 'hidden_act' is \"gelu_new\"");
  check_error({{"model_type", "bert"}, {"position_embedding_type", "relative_key"}}, "expected \"absolute\"");
  check_error({{"model_type", "bert"}, {"layer_norm_eps", 0}}, "layer_norm_epsilon is 0");
  check_error({{"model_type", nullptr}}, "no key 'model_type'");
  check_error({{"activation", "relu"}}, "key 'activation' is \"relu\"; expected \"gelu\"");
  check_error({{"activation", 1}}, "key 'activation' is 1");
  check_error({{"dim", "768"}}, "key 'dim' is \"768\"; expected an integer");
  check_error({{"dim", 768.0}}, "key 'dim' is 768.0");
  check_error({{"dim", -768}}, "key 'dim' is -768");
  check_error({{"dim", 0}}, "dim is 0");
  check_error({{"hidden_size", 1e9}}, "key 'hidden_size'");
  check_error({{"vocab_size", 18446744073709551615U}}, "key 'vocab_size'");
  check_error({{"dim", 100}}, "dim is 100; expected a multiple of n_heads = 12");
  check_error({{"n_heads", 0}}, "n_heads is 0");
  check_error({{"n_layers", 1001}}, "key 'n_layers' is 1001");
  check_error({{"dropout", "0.1"}}, "key 'dropout' is \"0.1\"; expected a number");
  check_error({{"dropout", 1.5}}, "dropout is 1.5");
  check_error({{"pad_token_id", 30522}}, "pad_token_id is 30522");
  check_error({{"id2label", {"a", "b"}}}, "key 'id2label'");
  check_error({{"id2label", {{"0", "a"}, {"2", "b"}}}}, "names under the keys \"0\" to \"1\"");
  check_error({{"id2label", {{"0", 1}}}}, "key 'id2label'");
  check_error({{"id2label", {{"0", "a"}}}, {"num_labels", 2}}, "key 'num_labels' is 2; expected 1");
  check_error({{"id2label", json::object()}}, "num_labels is 0");
  check_error({{"attention_type", "softmax"}}, "expected \"dot_product\" or \"inhibitor\"");
  check_error({{"attention_type", {"inhibitor"}}}, "one entry per layer, 6");
  check_error({{"n_layers", 2}, {"attention_type", {"inhibitor", 3}}}, "attention_type[1]");
  check_error({{"inhibitor_center", true}}, "\"none\" or \"attended_keys\" or \"all_keys\"");
  check_error({{"inhibitor_signed", 1}}, "expected true or false");
  CHECK_THROWS_AS(parse_model_config(json::array(), "config.json"), file_error);
}

TEST_CASE("write_model_config: saved and read again it is the same, keys of others included", "[io]") {
  const temp_folder folder;
  model_config_file file = parse({{"hidden_size", 64},
                                  {"n_heads", 4},
                                  {"n_layers", 2},
                                  {"my_key", {{"deep", {1, 2}}}},
                                  {"id2label", {{"0", "no"}, {"1", "maybe"}, {"2", "yes"}}},
                                  {"num_labels", 3},
                                  {"attention_type", {"inhibitor", "dot_product"}},
                                  {"inhibitor_signed", false},
                                  {"initializer_range", 0.1},
                                  {"transformers_version", "4.0.0"}});
  write_model_config(folder.file("config.json"), file, {"sequence_classification"});
  const model_config_file again = read_model_config(folder.file("config.json"));
  CHECK(again.config.dim == 64);
  CHECK(again.config.initializer_range == 0.1);
  CHECK(again.config.attention == file.config.attention);
  CHECK_FALSE(again.config.inhibitor.is_signed);
  CHECK(again.labels == file.labels);
  CHECK(again.document.at("my_key") == file.document.at("my_key"));
  CHECK(again.document.at("transformers_version") == "4.0.0");
  CHECK(again.document.at("label2id").at("maybe") == 1);
  CHECK_FALSE(again.document.contains("hidden_size"));
  CHECK(again.document.at("architectures") == json::array({"DistilBertForSequenceClassification"}));
  const std::string before = file_content(folder.file("config.json"));
  write_model_config(folder.file("config.json"), again, {"sequence_classification"});
  CHECK(file_content(folder.file("config.json")) == before);
}

TEST_CASE("read_model_config: BERT's keys and defaults; a BERT is written as one", "[io]") {
  const encoder_config base = parse({{"model_type", "bert"}}).config;
  CHECK(base.family == model_family::bert);
  CHECK(base.n_layers == 12);
  CHECK(base.type_vocab_size == 2);
  CHECK(base.layer_norm_epsilon == 1e-12);
  CHECK(base.seq_classif_dropout == 0.1);
  const model_config_file file = parse({{"model_type", "bert"},
                                        {"hidden_size", 64},
                                        {"num_hidden_layers", 3},
                                        {"num_attention_heads", 4},
                                        {"intermediate_size", 80},
                                        {"hidden_act", "gelu"},
                                        {"hidden_dropout_prob", 0.25},
                                        {"attention_probs_dropout_prob", 0.5},
                                        {"classifier_dropout", nullptr},
                                        {"type_vocab_size", 3},
                                        {"layer_norm_eps", 1e-6},
                                        {"attention_type", "inhibitor"},
                                        {"their_key", 1}});
  const encoder_config& c = file.config;
  CHECK(c.dim == 64);
  CHECK(c.n_layers == 3);
  CHECK(c.n_heads == 4);
  CHECK(c.intermediate_dim == 80);
  CHECK(c.dropout == 0.25);
  CHECK(c.attention_dropout == 0.5);
  CHECK(c.seq_classif_dropout == 0.25);
  CHECK(c.type_vocab_size == 3);
  CHECK(c.layer_norm_epsilon == 1e-6);
  CHECK(c.layer_attention(2) == "inhibitor");

  const json document = model_config_document(file, {"masked_lm"});
  CHECK(document.at("architectures") == json::array({"BertForMaskedLM"}));
  CHECK(document.at("their_key") == 1);
  CHECK_FALSE(document.contains("dim"));
  const encoder_config again = parse_model_config(document, "config.json").config;
  CHECK(again.family == model_family::bert);
  CHECK(again.dim == 64);
  CHECK(again.intermediate_dim == 80);
  CHECK(again.layer_norm_epsilon == 1e-6);
  CHECK(again.type_vocab_size == 3);
}

TEST_CASE("write_model_config: a dot-product model carries none of our keys, stale ones included", "[io]") {
  model_config_file file = parse({{"attention_type", "inhibitor"}, {"inhibitor_center", "none"}});
  file.config.set_attention("dot_product");
  const json document = model_config_document(file, {"masked_lm"});
  CHECK_FALSE(document.contains("attention_type"));
  CHECK_FALSE(document.contains("inhibitor_center"));
  CHECK(document.at("architectures") == json::array({"DistilBertForMaskedLM"}));
  file.config.set_attention("inhibitor");
  CHECK(model_config_document(file, {}).at("attention_type") == "inhibitor");
  CHECK_FALSE(model_config_document(file, {}).contains("inhibitor_tied_scalars"));
  file.config.type_vocab_size = 2;
  CHECK_THROWS_WITH(model_config_document(file, {}), contains_text("a DistilBERT has no token types"));
}

TEST_CASE("trap 23: a locale with decimal commas changes no number", "[io]") {
  const temp_folder folder;
  const std::string old = std::setlocale(LC_ALL, nullptr);
  const bool has_locale =
      std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr || std::setlocale(LC_ALL, "de_DE") != nullptr;
  const std::string path = folder.write("config.json", R"({"model_type":"distilbert","dropout":0.125})");
  const model_config_file file = read_model_config(path);
  write_model_config(path, file, {});
  std::setlocale(LC_ALL, old.c_str());
  if (!has_locale) WARN("no German locale on this machine: checked in the default one");
  CHECK(file.config.dropout == 0.125);
  CHECK_THAT(file_content(path), contains_text("\"dropout\": 0.125,"));
}
