// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/pretrained/sentence_transformers.hpp"

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using modes = std::vector<pooling_mode>;

namespace {

/// A folder whose modules.json lists `types` with the paths that the library gives them.
void write_modules(const temp_folder& folder, const std::vector<std::string>& types, const std::string& encoder = "") {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string path = i == 0 ? encoder : std::to_string(i) + "_" + types[i];
    list.push_back({{"idx", i},
                    {"name", std::to_string(i)},
                    {"path", path},
                    {"type", "sentence_transformers.models." + types[i]}});
  }
  folder.write("modules.json", list.dump());
  std::filesystem::create_directory(folder.file("1_Pooling"));
}

}  // namespace

TEST_CASE("read_sentence_encoder: a folder as the library saves it", "[pretrained]") {
  temp_folder folder;
  CHECK_FALSE(read_sentence_encoder(folder.path()).has_value());
  write_modules(folder, {"Transformer", "Pooling", "Normalize"});
  folder.write("1_Pooling/config.json", R"({"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
    "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length": 256, "do_lower_case": false})");
  folder.write("config_sentence_transformers.json", R"({"prompts": {"query": "q: "}, "default_prompt_name": null})");
  sentence_encoder found = *read_sentence_encoder(folder.path());
  CHECK(found.folder == folder.path());
  CHECK(found.pooling == modes{pooling_mode::mean});
  CHECK(found.normalize);
  CHECK(found.max_seq_length == 256);
  CHECK_FALSE(found.lower_case);
  CHECK(found.prompt.empty());

  write_modules(folder, {"Transformer", "Pooling"}, "0_Transformer");
  std::filesystem::create_directory(folder.file("0_Transformer"));
  folder.write("0_Transformer/sentence_distilbert_config.json", R"({"do_lower_case": true, "max_seq_length": null})");
  folder.write("0_Transformer/tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  folder.write("config_sentence_transformers.json", R"({"prompts": {"query": "q: "}, "default_prompt_name": "query"})");
  found = *read_sentence_encoder(folder.path());
  CHECK(found.folder == folder.file("0_Transformer"));
  CHECK_FALSE(found.normalize);
  CHECK(found.max_seq_length == 0);
  CHECK(found.lower_case);
  CHECK(found.prompt == "q: ");
  folder.write("0_Transformer/tokenizer_config.json", R"({"model_max_length": 128})");
  CHECK(read_sentence_encoder(folder.path())->max_seq_length == 128);
}

TEST_CASE("read_sentence_encoder: pooling modes by either spelling, several in the library's order", "[pretrained]") {
  temp_folder folder;
  write_modules(folder, {"Transformer", "Pooling"});
  const auto pooling = [&](const std::string& config) {
    folder.write("1_Pooling/config.json", config);
    return read_sentence_encoder(folder.path())->pooling;
  };
  CHECK(pooling("{}") == modes{pooling_mode::mean});
  CHECK(pooling(R"({"pooling_mode": "lasttoken"})") == modes{pooling_mode::lasttoken});
  CHECK(pooling(R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})") == modes{pooling_mode::cls});
  CHECK(pooling(R"({"pooling_mode_lasttoken": true, "pooling_mode_weightedmean_tokens": true,
                    "pooling_mode_mean_sqrt_len_tokens": true, "pooling_mode_max_tokens": true,
                    "pooling_mode_cls_token": true})") == modes{pooling_mode::cls, pooling_mode::max,
                                                                pooling_mode::mean, pooling_mode::mean_sqrt_len_tokens,
                                                                pooling_mode::weightedmean, pooling_mode::lasttoken});
  CHECK_THROWS_WITH(pooling(R"({"pooling_mode_mean_tokens": false})"), contains_text("no pooling mode"));
  CHECK_THROWS_WITH(pooling(R"({"pooling_mode": "attention"})"), contains_text("\"attention\""));
  CHECK_THROWS_WITH(pooling(R"({"pooling_mode_mean_tokens": 1})"), contains_text("pooling_mode_mean_tokens"));
  folder.write("config_sentence_transformers.json", R"({"prompts": {"a": "A "}, "default_prompt_name": "a"})");
  CHECK_THROWS_WITH(pooling(R"({"include_prompt": false})"), contains_text("include_prompt"));
  folder.write("config_sentence_transformers.json", R"({"prompts": {}, "default_prompt_name": "a"})");
  CHECK_THROWS_WITH(pooling("{}"), contains_text("default_prompt_name"));
}

TEST_CASE("read_sentence_encoder: other modules are refused by name", "[pretrained]") {
  temp_folder folder;
  const auto refuse = [&](const std::vector<std::string>& types, const std::string& message) {
    write_modules(folder, types);
    folder.write("1_Pooling/config.json", "{}");
    CHECK_THROWS_WITH(read_sentence_encoder(folder.path()), contains_text("modules.json: ") && contains_text(message));
  };
  refuse({"Transformer", "Pooling", "Dense", "Normalize"}, "module 2 is Dense");
  refuse({"Transformer", "WeightedLayerPooling"}, "module 1 is WeightedLayerPooling");
  refuse({"WordEmbeddings", "Pooling"}, "module 0 is WordEmbeddings");
  refuse({"Transformer", "Normalize", "Pooling"}, "module 1 is Normalize");
  refuse({"Transformer"}, "no module Pooling");
  refuse({}, "no module Pooling");
  write_modules(folder, {"Transformer", "Pooling", "Dropout"});
  CHECK_NOTHROW(read_sentence_encoder(folder.path()));
  folder.write("modules.json", R"([{"path": ""}])");
  CHECK_THROWS_WITH(read_sentence_encoder(folder.path()), contains_text("module 0 has no string 'type'"));
  folder.write("modules.json", "{}");
  CHECK_THROWS_WITH(read_sentence_encoder(folder.path()),
                    contains_text("no JSON array") || contains_text("not a JSON array"));
}
