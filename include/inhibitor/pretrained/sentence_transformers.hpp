// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "inhibitor/pretrained/config_reader.hpp"

// Folders of the sentence-transformers library: modules.json lists what turns a text into a vector, in order: a
// Transformer (a model folder), a Pooling, and often a Normalize. Anything else is refused by its name.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How the hidden states of a text's tokens, [CLS] and [SEP] among them, become one vector.
enum class pooling_mode {
  cls,                   ///< that of the first token
  max,                   ///< the largest of every coordinate
  mean,                  ///<
  mean_sqrt_len_tokens,  ///< their sum over the root of their number
  weightedmean,          ///< weights 1, 2, 3, ... from the first token on
  lasttoken,             ///< that of the last token
};

/// The library's names of the modes, in the order of pooling_mode, which is that of the parts of a vector.
inline constexpr std::array<const char*, 6> pooling_mode_names{
    "cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"};

/// What a folder says about turning texts into vectors.
struct sentence_encoder {
  std::string folder;                      ///< of the encoder and its tokenizer
  std::vector<pooling_mode> pooling = {};  ///< a vector is one part per mode, one after the other
  bool normalize = false;                  ///< vectors are scaled to length 1
  index_t max_seq_length = 0;  ///< tokens per text, special ones included; 0: as many as the model has positions
  bool lower_case = false;     ///< text is lower-cased before the tokenizer sees it
  std::string prompt = {};     ///< put before every text
};

namespace detail {

/// Reads an object, or an empty one where there is no file and that is allowed.
inline nlohmann::json read_json_object(const std::string& path, bool is_optional) {
  if (is_optional && !std::filesystem::exists(path)) return nlohmann::json::object();
  nlohmann::json document = read_json_file(path);
  if (!document.is_object()) throw file_error(path, "is not a JSON object");
  return document;
}

/// "Pooling" of "sentence_transformers.models.Pooling".
inline std::string class_name(const std::string& type) { return type.substr(type.rfind('.') + 1); }

inline std::vector<pooling_mode> read_pooling(const std::string& path, bool has_prompt) {
  const nlohmann::json document = read_json_object(path, false);
  const config_reader reader(document, path);
  if (has_prompt && !reader.flag("include_prompt", true)) {
    throw file_error(path, "'include_prompt' is false, and the model puts a prompt before every text; expected true");
  }
  if (const nlohmann::json* mode = reader.find("pooling_mode")) {
    const std::vector<std::string> names(pooling_mode_names.begin(), pooling_mode_names.end());
    return {static_cast<pooling_mode>(reader.choice("pooling_mode", *mode, names))};
  }
  constexpr std::array<const char*, 6> keys{"pooling_mode_cls_token",           "pooling_mode_max_tokens",
                                            "pooling_mode_mean_tokens",         "pooling_mode_mean_sqrt_len_tokens",
                                            "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"};
  std::vector<pooling_mode> modes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto mode = static_cast<pooling_mode>(i);
    if (reader.flag(keys[i], mode == pooling_mode::mean)) modes.push_back(mode);
  }
  if (modes.empty()) throw file_error(path, "has no pooling mode that is true; expected one or several");
  return modes;
}

/// max_seq_length and do_lower_case, which files of several names say.
inline void read_transformer_module(sentence_encoder& out) {
  std::string path = out.folder + "/sentence_bert_config.json";
  const std::string older = out.folder + "/sentence_distilbert_config.json";
  if (!std::filesystem::exists(path) && std::filesystem::exists(older)) path = older;
  const nlohmann::json document = read_json_object(path, true);
  const config_reader reader(document, path);
  constexpr index_t most = 1'000'000'000;
  out.lower_case = reader.flag("do_lower_case", false);
  out.max_seq_length = reader.integer("max_seq_length", "", 0, most);
  if (out.max_seq_length > 0) return;
  // Tools write 1e30 where a tokenizer knows no limit.
  const nlohmann::json tokenizer = read_json_object(out.folder + "/tokenizer_config.json", true);
  const auto length = tokenizer.find("model_max_length");
  if (length != tokenizer.end() && length->is_number() && *length > 0 && *length <= most) {
    out.max_seq_length = length->get<index_t>();
  }
}

/// The prompt that every text gets unless the caller names another.
inline std::string read_default_prompt(const std::string& path) {
  const nlohmann::json document = read_json_object(path, true);
  const config_reader reader(document, path);
  const nlohmann::json* name = reader.find("default_prompt_name");
  if (name == nullptr) return "";
  const nlohmann::json* prompts = reader.find("prompts");
  const bool is_named = name->is_string() && prompts != nullptr && prompts->is_object() &&
                        prompts->contains(name->get<std::string>()) &&
                        prompts->at(name->get<std::string>()).is_string();
  if (!is_named) reader.fail_key("default_prompt_name", *name, "the name of one of 'prompts'");
  return prompts->at(name->get<std::string>()).get<std::string>();
}

}  // namespace detail

/// What the modules.json of `folder` describes; nothing when there is none. Throws file_error when a file is malformed,
/// and for modules other than one Transformer, one Pooling and then Normalize.
inline std::optional<sentence_encoder> read_sentence_encoder(const std::string& folder) {
  const std::string path = folder + "/modules.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const nlohmann::json modules = read_json_file(path);
  if (!modules.is_array()) throw file_error(path, "is not a JSON array of modules");
  sentence_encoder out;
  out.prompt = detail::read_default_prompt(folder + "/config_sentence_transformers.json");
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const nlohmann::json& module = modules[i];
    const auto text = [&](const char* key) {
      const auto found = module.is_object() ? module.find(key) : module.end();
      if (!module.is_object() || found == module.end() || !found->is_string()) {
        throw file_error(path, "module " + std::to_string(i) + " has no string '" + key + "'");
      }
      return found->get<std::string>();
    };
    const std::string name = detail::class_name(text("type"));
    const std::string place = text("path");
    const bool is_encoder = name == "Transformer" || name == "BERT" || name == "DistilBERT";
    if (i == 0 && is_encoder) {
      out.folder = place.empty() ? folder : folder + "/" + place;
      detail::read_transformer_module(out);
    } else if (i == 1 && name == "Pooling") {
      out.pooling = detail::read_pooling(folder + "/" + place + "/config.json", !out.prompt.empty());
    } else if (i > 1 && name == "Normalize") {
      out.normalize = true;
    } else if (i < 2 || name != "Dropout") {  // which does nothing outside of training
      throw file_error(path, "module " + std::to_string(i) + " is " + name +
                                 "; expected Transformer, then Pooling, then Normalize or nothing");
    }
  }
  if (out.pooling.empty()) throw file_error(path, "has no module Pooling; expected Transformer, then Pooling");
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
