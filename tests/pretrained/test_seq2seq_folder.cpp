// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "inhibitor/pretrained/seq2seq_folder.hpp"
#include "support/catch.hpp"
#include "support/small_translator.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

const auto nothing = [](const std::string&) {};

}  // namespace

TEST_CASE("save_seq2seq_folder: what is written reads back, in both families and with every kind of option") {
  const bool is_pre = GENERATE(false, true);
  seq2seq_config c = small_translator("inhibitor", "dot_product", "inhibitor");
  c.norm = is_pre ? norm_placement::pre : norm_placement::post;
  c.positions = GENERATE(position_kind::learned, position_kind::halves, position_kind::fairseq, position_kind::none);
  c.tie_output = !is_pre;
  c.share_embeddings = !is_pre;
  c.decoder_vocab_size = is_pre ? 9 : 0;
  c.between = is_pre ? activation::relu : activation::silu;
  c.inhibitor.normalize_by_length = is_pre;
  c.decoder_layers = 2;
  c.decoder_attention = {"dot_product", "inhibitor"};
  c.set_attention(mixing_place::cross, "inhibitor");
  const auto p = random_translator<float>(c, 1);
  const temp_folder folder;
  seq2seq_config_file file;
  file.document["author"] = "somebody";
  bool has_others = false;
  save_seq2seq_folder(folder.file("model"), p, file,
                      [&](const std::string& into) { has_others = std::filesystem::exists(into); });
  CHECK(has_others);
  seq2seq_config_file read;
  const auto q = load_seq2seq_folder<float>(folder.file("model"), &read);
  REQUIRE(q.size() == p.size());
  CHECK(std::equal(p.data(), p.data() + p.size(), q.data()));
  CHECK(read.document["author"] == "somebody");
  CHECK(read.document["model_type"] == (is_pre ? "m2m_100" : "marian"));
  const seq2seq_config& d = q.config();
  CHECK(d.norm == c.norm);
  CHECK(d.positions == c.positions);
  CHECK(d.between == c.between);
  CHECK(d.scale_embedding == c.scale_embedding);
  CHECK(d.encoder_attention == c.encoder_attention);
  CHECK(d.decoder_attention == c.decoder_attention);
  CHECK(d.cross_attention == c.cross_attention);
  CHECK(d.inhibitor.normalize_by_length == c.inhibitor.normalize_by_length);
  CHECK(d.decoder_start_token_id == 2);
  CHECK(d.target_vocab_size() == c.target_vocab_size());
  const auto shape = safetensors_file::map(folder.file("model/model.safetensors")).find("final_logits_bias")->shape;
  CHECK(shape == std::vector<std::uint64_t>{1, static_cast<std::uint64_t>(c.target_vocab_size())});
}

TEST_CASE("load_seq2seq_folder: copies of tied tensors are no strangers, what does not fit is named") {
  const seq2seq_config c = small_translator("dot_product", "dot_product", "dot_product");
  const auto p = random_translator<float>(c, 2);
  const temp_folder folder;
  save_seq2seq_folder(folder.file("model"), p, {}, nothing);
  const auto with = [&](const std::string& name, const std::vector<std::uint64_t>& shape) {
    safetensors_writer writer;
    const std::vector<float> numbers(1000);
    p.visit([&](const std::string& visited, const tensor<const float>& t) {
      const std::string stored = seq2seq_tensor_name(visited);
      if (stored != name) writer.add(stored, dtype::f32, stored_shape(t), t.data);
    });
    if (!shape.empty()) writer.add(name, dtype::f32, shape, numbers.data());
    writer.write(folder.file("model/model.safetensors"));
    return load_seq2seq_folder<float>(folder.file("model"));
  };
  with("lm_head.weight", {7, 8});
  with("model.encoder.embed_tokens.weight", {7, 8});
  with("final_logits_bias", {});
  CHECK_THROWS_WITH(with("model.encoder.layers.0.fc1.weight", {12, 9}),
                    contains_text("model.encoder.layers.0.fc1.weight has shape [12, 9], expected [12, 8]"));
  CHECK_THROWS_WITH(with("model.decoder.layers.0.encoder_attn.q_proj.bias", {}),
                    contains_text("missing: model.decoder.layers.0.encoder_attn.q_proj.bias"));
  CHECK_THROWS_WITH(with("model.stranger", {2}), contains_text("unexpected: model.stranger"));
}

TEST_CASE("parse_seq2seq_config: opus-mt's keys, and messages that name the key") {
  const nlohmann::json opus = nlohmann::json::parse(R"({"model_type": "marian", "vocab_size": 58101, "d_model": 512,
      "encoder_layers": 6, "decoder_layers": 6, "encoder_attention_heads": 8, "decoder_attention_heads": 8,
      "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048, "activation_function": "swish", "scale_embedding": true,
      "max_position_embeddings": 512, "static_position_embeddings": true, "normalize_before": false,
      "pad_token_id": 58100, "eos_token_id": 0, "decoder_start_token_id": 58100, "num_beams": 4})");
  const seq2seq_config c = parse_seq2seq_config(opus, "config.json").config;
  CHECK(c.between == activation::silu);
  CHECK(c.positions == position_kind::halves);
  CHECK(c.norm == norm_placement::post);
  CHECK(c.pad_token_id == 58100);
  CHECK(c.share_embeddings);
  CHECK(c.tie_output);
  const auto problem = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json changed = opus;
    changed[key] = value;
    try {
      parse_seq2seq_config(changed, "config.json");
    } catch (const file_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK_THAT(problem("model_type", "t5"), contains_text("key 'model_type' is \"t5\"; expected \"marian\" or"));
  CHECK_THAT(problem("normalize_before", true), contains_text("key 'normalize_before' is true; expected false"));
  CHECK_THAT(problem("activation_function", "tanh"), contains_text("key 'activation_function' is \"tanh\""));
  CHECK_THAT(problem("cross_attention_type", nlohmann::json::array({"inhibitor"})),
             contains_text("key 'cross_attention_type' is [\"inhibitor\"]; expected one entry per layer, 6"));
  CHECK_THAT(problem("d_model", 500), contains_text("d_model is 500; expected a multiple of encoder_heads = 8"));
  CHECK_THAT(problem("inhibitor_center", "all_keys"), contains_text("inhibitor_center is all_keys"));
}
