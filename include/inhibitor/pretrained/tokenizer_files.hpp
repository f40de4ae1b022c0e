// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/file_error.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/pretrained/config_reader.hpp"
#include "inhibitor/pretrained/tokenizer_json.hpp"

// The tokenizer of a model folder. Older tools save vocab.txt and tokenizer_config.json, newer ones tokenizer.json, many
// all of them. What counts:
//   vocabulary   vocab.txt, else "model" of tokenizer.json; the added tokens of tokenizer.json come on top
//   lower case, accents, ideographs   tokenizer_config.json, key by key; else the normalizer of tokenizer.json; else the
//                                     caller's options

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Puts the added tokens in their places in `tokens` and in `options`.
inline wordpiece_options with_added(const tokenizer_description& json, const std::string& file,
                                    std::vector<std::string>& tokens, wordpiece_options options) {
  for (const auto& [id, text] : json.added) {
    const auto place = static_cast<std::size_t>(id);
    if (place == tokens.size()) tokens.push_back(text);
    if (place >= tokens.size() || tokens[place] != text) {
      throw file_error(file, "added token \"" + text + "\" has the id " + std::to_string(id) + "; expected " +
                                 (place < tokens.size()
                                      ? "\"" + tokens[place] + "\", as the vocabulary says"
                                      : "ids that follow the vocabulary's, up to " + std::to_string(tokens.size())));
    }
    options.added_tokens.push_back(text);
  }
  return options;
}

inline wordpiece_options with_normalizer(const tokenizer_description& json, wordpiece_options options) {
  options.lower_case = json.lower_case.value_or(options.lower_case);
  options.split_cjk = json.split_cjk.value_or(options.split_cjk);
  if (json.strip_accents) options.strip_accents = json.strip_accents;
  return options;
}

inline wordpiece make_wordpiece(std::vector<std::string> tokens, const wordpiece_options& options,
                                const std::string& file) {
  try {
    return wordpiece(std::move(tokens), options);
  } catch (const std::invalid_argument& error) {
    throw file_error(file, error.what());
  }
}

}  // namespace detail

/// The file that holds a folder's vocabulary: vocab.txt, or tokenizer.json where that alone is there.
inline std::string vocabulary_file(const std::string& folder) {
  const std::string json = folder + "/tokenizer.json";
  const std::string text = folder + "/vocab.txt";
  return std::filesystem::exists(json) && !std::filesystem::exists(text) ? json : text;
}

/// What tokenizer_config.json says about the tokenizer, on top of `options`: do_lower_case, strip_accents,
/// tokenize_chinese_chars. Without the file, or a key, `options` stay as they are. Throws file_error for values of
/// another kind.
inline wordpiece_options read_tokenizer_options(const std::string& folder, wordpiece_options options = {}) {
  const std::string path = folder + "/tokenizer_config.json";
  if (!std::filesystem::exists(path)) return options;
  const nlohmann::json document = read_json_file(path);
  if (!document.is_object()) throw file_error(path, "is not a JSON object");
  const config_reader reader(document, path);
  options.lower_case = reader.flag("do_lower_case", options.lower_case);
  options.split_cjk = reader.flag("tokenize_chinese_chars", options.split_cjk);
  if (reader.find("strip_accents") != nullptr) options.strip_accents = reader.flag("strip_accents", false);
  return options;
}

/// A tokenizer by one file: vocab.txt, or a tokenizer.json (by the ending of its name) with its normalizer on top of
/// `options`. Throws file_error naming the file and what it lacks.
inline wordpiece load_tokenizer_file(const std::string& file, const wordpiece_options& options = {}) {
  if (!ends_with(file, ".json")) return wordpiece::load(file, options);
  tokenizer_description json = read_tokenizer_json(file);
  std::vector<std::string> tokens = std::move(json.vocabulary);
  const wordpiece_options all = detail::with_added(json, file, tokens, detail::with_normalizer(json, options));
  return detail::make_wordpiece(std::move(tokens), all, file);
}

/// The tokenizer of a model folder. Throws file_error when its files are missing, malformed or contradict each other.
inline wordpiece load_tokenizer(const std::string& folder, const wordpiece_options& options = {}) {
  const std::string json_file = folder + "/tokenizer.json";
  const std::string file = vocabulary_file(folder);
  if (!std::filesystem::exists(json_file)) return wordpiece::load(file, read_tokenizer_options(folder, options));
  tokenizer_description json = read_tokenizer_json(json_file);
  std::vector<std::string> tokens =
      ends_with(file, ".json") ? std::move(json.vocabulary) : read_vocabulary(file, options.rules);
  const wordpiece_options all = detail::with_added(
      json, json_file, tokens, read_tokenizer_options(folder, detail::with_normalizer(json, options)));
  return detail::make_wordpiece(std::move(tokens), all, file);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
