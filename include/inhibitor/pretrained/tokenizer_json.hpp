// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "inhibitor/text/wordpiece.hpp"

// tokenizer.json, the one file that newer tools save a tokenizer in (format of Hugging Face's `tokenizers`). Read are
// WordPiece models with BERT's normalizer and splitting; everything else is refused by its name.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a tokenizer.json says; unset options are those it leaves to others.
struct tokenizer_description {
  /// A token beside the model's vocabulary, or one of it that is also recognized in raw text.
  struct added_token {
    std::int32_t id;
    std::string text;
  };
  std::vector<std::string> vocabulary;  ///< of the model, id = position; may be empty when a vocab.txt holds it
  std::vector<added_token> added;       ///< by id
  std::optional<bool> lower_case, strip_accents, split_cjk;
};

namespace detail {

/// Access to a tokenizer.json with messages that name the place.
class tokenizer_reader {
 public:
  tokenizer_reader(const nlohmann::json& root, const std::string& file) : file_(file) {
    if (!root.is_object()) fail("is not a JSON object");
    const nlohmann::json* model = find(root, "model");
    if (model == nullptr || !model->is_object()) fail("has no object 'model'; expected a tokenizer");
    read_model(*model);
    if (const nlohmann::json* added = find(root, "added_tokens")) read_added(*added);
    if (const nlohmann::json* normalizer = find(root, "normalizer")) read_normalizer(*normalizer);
    if (const nlohmann::json* splitter = find(root, "pre_tokenizer"))
      expect_type(*splitter, "pre_tokenizer", {"BertPreTokenizer"});
    if (const nlohmann::json* processor = find(root, "post_processor")) {
      expect_type(*processor, "post_processor", {"TemplateProcessing", "BertProcessing"});
    }
  }

  tokenizer_description take() { return std::move(out_); }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw file_error(file_, problem); }

  /// The value under `key`; null when it is absent or null.
  static const nlohmann::json* find(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }
  static std::string type_of(const nlohmann::json& value) {
    const nlohmann::json* type = value.is_object() ? find(value, "type") : nullptr;
    return type != nullptr && type->is_string() ? type->get<std::string>() : "";
  }

  void expect_type(const nlohmann::json& value, const std::string& key, std::vector<std::string> known) const {
    const std::string type = type_of(value);
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      fail(key + " is of type \"" + type + "\"; expected " + known.front());
    }
  }
  void expect(const nlohmann::json& object, const char* key, const nlohmann::json& expected) const {
    const nlohmann::json* value = find(object, key);
    if (value != nullptr && *value != expected) {
      fail(std::string("'") + key + "' is " + value->dump(-1, ' ', true) + "; expected " + expected.dump());
    }
  }
  std::optional<bool> flag(const nlohmann::json& object, const char* key) const {
    const nlohmann::json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean())
      fail(std::string("'") + key + "' is " + value->dump(-1, ' ', true) + "; expected true or false");
    return value->get<bool>();
  }
  std::int32_t token_id(const nlohmann::json& value, const std::string& token) const {
    if (!value.is_number_unsigned() || value > std::numeric_limits<std::int32_t>::max()) {
      fail("the id of token \"" + token + "\" is " + value.dump(-1, ' ', true) +
           "; expected a whole number below 2^31");
    }
    return value.get<std::int32_t>();
  }

  void read_model(const nlohmann::json& model) {
    std::string type = type_of(model);
    if (type.empty()) type = find(model, "merges") != nullptr ? "BPE" : "WordPiece";  // as old versions wrote it
    if (type != "WordPiece") fail("holds a tokenizer of type " + type + "; expected WordPiece, the one that BERT has");
    expect(model, "unk_token", "[UNK]");
    expect(model, "continuing_subword_prefix", "##");
    expect(model, "max_input_chars_per_word", tokenizing::longest_word);
    const nlohmann::json* vocabulary = find(model, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object()) fail("model has no object 'vocab' (token -> id)");
    out_.vocabulary.resize(vocabulary->size());
    std::vector<bool> is_taken(vocabulary->size());
    for (const auto& [token, value] : vocabulary->items()) {
      const auto id = static_cast<std::size_t>(token_id(value, token));
      if (id >= is_taken.size() || is_taken[id]) {
        fail("the id of token \"" + token + "\" is " + std::to_string(id) + "; expected every id from 0 to " +
             std::to_string(is_taken.size() - 1) + " once");
      }
      is_taken[id] = true;
      out_.vocabulary[id] = token;
    }
  }

  void read_added(const nlohmann::json& tokens) {
    if (!tokens.is_array()) fail("'added_tokens' is no array");
    for (const nlohmann::json& token : tokens) {
      const nlohmann::json* text = token.is_object() ? find(token, "content") : nullptr;
      const nlohmann::json* id = token.is_object() ? find(token, "id") : nullptr;
      if (text == nullptr || !text->is_string() || text->get_ref<const std::string&>().empty() || id == nullptr) {
        fail("'added_tokens' has an entry without content or id");
      }
      const auto& name = text->get_ref<const std::string&>();
      // White space beside a token (lstrip, rstrip) separates words in any case.
      if (flag(token, "single_word").value_or(false) || flag(token, "normalized").value_or(false)) {
        fail("added token \"" + name +
             "\" is matched as a word or in normalized text; expected tokens of raw text alone");
      }
      out_.added.push_back({token_id(*id, name), name});
    }
    std::sort(out_.added.begin(), out_.added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  }

  void read_normalizer(const nlohmann::json& normalizer) {
    if (type_of(normalizer) != "Sequence") {
      expect_type(normalizer, "normalizer", {"BertNormalizer"});
      expect(normalizer, "clean_text", true);
      has_bert_normalizer_ = true;
      out_.lower_case = flag(normalizer, "lowercase");
      out_.strip_accents = flag(normalizer, "strip_accents");
      out_.split_cjk = flag(normalizer, "handle_chinese_chars");
      return;
    }
    // BERT's normalizer with a lower-casing before or after it, which leaves accents to BERT's.
    const nlohmann::json* parts = find(normalizer, "normalizers");
    bool lowers = false;
    for (const nlohmann::json& part : parts == nullptr ? nlohmann::json::array() : *parts) {
      if (type_of(part) == "Lowercase") {
        lowers = true;
      } else {
        read_normalizer(part);
      }
    }
    if (!has_bert_normalizer_) fail("normalizer lacks BertNormalizer");
    if (!lowers) return;
    if (!out_.strip_accents) out_.strip_accents = out_.lower_case;
    out_.lower_case = true;
  }

  const std::string& file_;
  tokenizer_description out_;
  bool has_bert_normalizer_ = false;
};

}  // namespace detail

/// Reads a tokenizer.json. Throws file_error for a file that is malformed, a tokenizer of another kind (BPE, Unigram,
/// WordLevel), another normalizer or splitting than BERT's, and settings of WordPiece that BERT does not have.
inline tokenizer_description read_tokenizer_json(const std::string& path) {
  const nlohmann::json root = read_json_file(path);
  return detail::tokenizer_reader(root, path).take();
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
