// SPDX-License-Identifier: Apache-2.0

#include "inhibitor/pretrained/tokenizer_files.hpp"

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using ids = std::vector<std::int32_t>;

namespace {

const std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A", "\u00e1", "##b", "\u535a"};

/// A tokenizer.json as transformers 5 saves it.
nlohmann::json tokenizer(bool lower_case = true) {
  nlohmann::json vocab = nlohmann::json::object();
  nlohmann::json added = nlohmann::json::array();
  for (std::size_t id = 0; id < words.size(); ++id) {
    vocab[words[id]] = id;
    if (words[id][0] == '[')
      added.push_back({{"id", id}, {"content", words[id]}, {"normalized", false}, {"special", true}});
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"added_tokens", added},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", true},
            {"strip_accents", nullptr},
            {"lowercase", lower_case}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor", {{"type", "TemplateProcessing"}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 100},
            {"vocab", vocab}}}};
}

std::string vocab_txt() {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

}  // namespace

TEST_CASE("load_tokenizer: tokenizer.json alone, as transformers 5 saves it, gives the ids of vocab.txt",
          "[pretrained]") {
  for (const bool lower_case : {false, true}) {
    temp_folder old, folder;
    old.write("vocab.txt", vocab_txt());
    old.write("tokenizer_config.json", lower_case ? "{}" : R"({"do_lower_case": false})");
    folder.write("tokenizer.json", tokenizer(lower_case).dump());
    CHECK(vocabulary_file(old.path()) == old.file("vocab.txt"));
    CHECK(vocabulary_file(folder.path()) == folder.file("tokenizer.json"));
    const wordpiece a = load_tokenizer(old.path()), b = load_tokenizer(folder.path());
    CHECK(b.size() == static_cast<index_t>(words.size()));
    for (const char* text : {"a Ab", "\u00e1 \u00c1b", "a [SEP] [mask]", "x\u535aa", "[CLS]", "A\x07", ""}) {
      INFO(text);
      CHECK(b.encode(text, 32) == a.encode(text, 32));
    }
    CHECK(b.tokenize("A") == (lower_case ? ids{5} : ids{6}));
    CHECK(load_tokenizer_file(folder.file("tokenizer.json")).tokenize("A") == b.tokenize("A"));
  }
}

TEST_CASE("load_tokenizer: tokenizer_config.json counts before tokenizer.json, which counts before the caller",
          "[pretrained]") {
  temp_folder folder;
  folder.write("vocab.txt", vocab_txt());
  // As in folders that hold both: no vocabulary here, and a tokenizer_config.json that says nothing.
  folder.write(
      "tokenizer.json",
      R"({"normalizer": {"type": "BertNormalizer", "lowercase": false, "strip_accents": null, "clean_text": true,
                   "handle_chinese_chars": false}, "model": {"type": "WordPiece", "vocab": {}}})");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer", "model_max_length": 512})");
  CHECK(load_tokenizer(folder.path()).tokenize("A \u00e1 \u535ab") == ids{6, 7, 9, 8});
  folder.write("tokenizer_config.json", R"({"do_lower_case": true})");
  CHECK(load_tokenizer(folder.path()).tokenize("A \u00e1") == ids{5, 5});
  folder.write("tokenizer_config.json", R"({"do_lower_case": true, "strip_accents": false})");
  CHECK(load_tokenizer(folder.path()).tokenize("A \u00e1") == ids{5, 7});
  folder.write("tokenizer.json", R"({"model": {"vocab": {}}})");
  folder.write("tokenizer_config.json", "{}");
  wordpiece_options cased;
  cased.lower_case = false;
  CHECK(load_tokenizer(folder.path(), cased).tokenize("A") == ids{6});
}

TEST_CASE("load_tokenizer: added tokens are whole in a text, the longest first", "[pretrained]") {
  nlohmann::json json = tokenizer();
  const auto add = [&](int id, const char* text) {
    json["added_tokens"].push_back({{"id", id}, {"content", text}, {"lstrip", true}, {"normalized", false}});
  };
  add(11, "<URL>x");
  add(10, "<URL>");
  add(5, "a");
  temp_folder folder;
  folder.write("tokenizer.json", json.dump());
  const wordpiece tokenizer = load_tokenizer(folder.path());
  CHECK(tokenizer.size() == 12);
  CHECK(tokenizer.tokenize("<URL>xab<URL>[SEP] <url>") == ids{11, 5, 1, 10, 3, 1, 1, 1});
  folder.write("vocab.txt", vocab_txt());
  CHECK(load_tokenizer(folder.path()).tokenize("<URL>x") == ids{11});
  folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nb\n");
  CHECK_THROWS_WITH(load_tokenizer(folder.path()),
                    contains_text("tokenizer.json: added token \"a\" has the id 5; expected \"b\""));
}

TEST_CASE("read_tokenizer_json: lower-casing before BERT's normalizer leaves accents to that", "[pretrained]") {
  nlohmann::json json = tokenizer(false);
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "Lowercase"}}, json["normalizer"]}}};
  temp_folder folder;
  folder.write("tokenizer.json", json.dump());
  CHECK(load_tokenizer(folder.path()).tokenize("A \u00c1") == ids{5, 7});
}

TEST_CASE("read_tokenizer_json: what is not BERT's is refused by its name", "[pretrained]") {
  temp_folder folder;
  const auto refuse = [&](const char* pointer, const nlohmann::json& value, const std::string& message) {
    nlohmann::json json = tokenizer();
    json[nlohmann::json::json_pointer(pointer)] = value;
    INFO(pointer << " " << value);
    CHECK_THROWS_WITH(read_tokenizer_json(folder.write("tokenizer.json", json.dump())),
                      contains_text("tokenizer.json: ") && contains_text(message));
  };
  for (const char* type : {"BPE", "Unigram", "WordLevel"}) {
    refuse("/model/type", type, std::string("tokenizer of type ") + type + "; expected WordPiece");
  }
  refuse("/model", {{"vocab", {{"a", 0}}}, {"merges", {"a b"}}}, "type BPE");
  refuse("/model", nullptr, "no object 'model'");
  refuse("/model/vocab", nullptr, "no object 'vocab'");
  refuse("/model/vocab/a", 0, "expected every id from 0 to 9 once");
  refuse("/model/vocab/a", 10, "the id of token \"a\" is 10");
  refuse("/model/vocab/a", -1, "the id of token \"a\" is -1");
  refuse("/model/vocab/a", "x", "the id of token \"a\"");
  refuse("/model/unk_token", "<unk>", "'unk_token' is \"<unk>\"; expected \"[UNK]\"");
  refuse("/model/continuing_subword_prefix", "@@", "'continuing_subword_prefix'");
  refuse("/model/max_input_chars_per_word", 50, "'max_input_chars_per_word' is 50; expected 100");
  refuse("/normalizer/type", "NFC", "normalizer is of type \"NFC\"");
  refuse("/normalizer", {{"type", "Sequence"}, {"normalizers", nlohmann::json::array()}}, "lacks BertNormalizer");
  refuse("/normalizer/clean_text", false, "'clean_text' is false");
  refuse("/normalizer/lowercase", "yes", "'lowercase'");
  refuse("/pre_tokenizer/type", "Whitespace", "pre_tokenizer is of type \"Whitespace\"");
  refuse("/post_processor/type", "RobertaProcessing", "\"RobertaProcessing\"");
  refuse("/added_tokens/0/normalized", true, "added token \"[PAD]\"");
  refuse("/added_tokens/0/single_word", true, "added token \"[PAD]\"");
  refuse("/added_tokens/0/id", nullptr, "without content or id");
  refuse("/added_tokens", "x", "no array");
  CHECK_THROWS_WITH(load_tokenizer_file(folder.write("tokenizer.json", R"({"model": {"vocab": {"a": 0}}})")),
                    contains_text("tokenizer.json: the vocabulary of 1 tokens lacks the special token [PAD]"));
  CHECK_THROWS_WITH(load_tokenizer(folder.file("absent")), contains_text("absent/vocab.txt: cannot be opened"));
}
