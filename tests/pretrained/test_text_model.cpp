// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/pretrained/text_model.hpp"

#include "support/catch.hpp"
#include "support/small_config.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

const std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nA\n\xC3\xA1\n";

/// A folder with a small model of random weights.
std::string save(const temp_folder& folder, const head_names& heads) {
  encoder_tensors<float> model(small_config("inhibitor", "dot_product"), heads);
  initialize(model, 1);
  save_model_folder(folder.file("m"), model, folder.write("vocab.txt", vocabulary));
  return folder.file("m");
}

}  // namespace

TEST_CASE("read_tokenizer_options: what tokenizer_config.json says, and only that", "[programs]") {
  temp_folder folder;
  const auto options = [&](const std::string& content) {
    folder.write("tokenizer_config.json", content);
    return read_tokenizer_options(folder.path());
  };
  CHECK(read_tokenizer_options(folder.path()).lower_case);
  const wordpiece_options cased =
      options(R"({"do_lower_case": false, "strip_accents": null, "tokenize_chinese_chars": false, "x": 1})");
  CHECK_FALSE(cased.lower_case);
  CHECK_FALSE(cased.strip_accents.has_value());
  CHECK_FALSE(cased.split_cjk);
  CHECK(options(R"({"strip_accents": false})").strip_accents == false);
  CHECK(options("{}").lower_case);
  CHECK_THROWS_WITH(options(R"({"strip_accents": "no"})"), contains_text("strip_accents"));
  CHECK_THROWS_WITH(options(R"([])"), contains_text("tokenizer_config.json"));
}

TEST_CASE("load_text_model: the tokenizer follows the folder", "[programs]") {
  temp_folder folder;
  const std::string path = save(folder, {"sequence_classification"});
  CHECK(load_text_model(path, {"sequence_classification"}).tokenizer.tokenize("A") == std::vector<std::int32_t>{5});
  folder.write("m/tokenizer_config.json", R"({"do_lower_case": false})");
  CHECK(load_text_model(path, {"sequence_classification"}).tokenizer.tokenize("A \xC3\xA1") ==
        std::vector<std::int32_t>{7, 8});
}

TEST_CASE("load_text_model: refuses what is missing, tells what is not used", "[programs]") {
  temp_folder folder;
  const std::string path = save(folder, {"masked_lm"});
  CHECK_THROWS_WITH(load_text_model(path, {"sequence_classification"}),
                    contains_text("missing: pre_classifier.weight"));
  const text_model encoder = load_text_model(path, {});
  CHECK(encoder.report.unexpected.size() == 5);
  folder.write("m/vocab.txt", vocabulary + "c\nd\ne\n");
  CHECK_THROWS_WITH(load_text_model(path, {}), contains_text("holds 12 tokens") && contains_text("11 word embeddings"));
}

TEST_CASE("stored_heads: what the checkpoint has", "[programs]") {
  for (const bool has_classifier : {false, true}) {
    for (const bool has_masked_lm : {false, true}) {
      temp_folder folder;
      head_names heads;
      if (has_classifier) heads.emplace_back("sequence_classification");
      if (has_masked_lm) heads.emplace_back("masked_lm");
      CHECK(stored_heads(save(folder, heads)) == heads);
    }
  }
}
