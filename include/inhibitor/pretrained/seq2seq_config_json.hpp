// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "inhibitor/models/seq2seq/config.hpp"
#include "inhibitor/pretrained/config_reader.hpp"
#include "inhibitor/pretrained/mixer_options_json.hpp"

// Hugging Face's config.json of a Marian (norms after the sums) or an M2M100 (before them), and the keys this library
// adds to it:
//   position_type                "none", "learned", "interleaved", "halves" (Marian's own) or "fairseq" (M2M100's)
//   encoder_attention_type       the name of a mixer (nn/mixer.hpp), or a list with one of them per layer
//   decoder_attention_type, cross_attention_type
//   and those of the mixers' options (pretrained/mixer_options_json.hpp)
// They are written only where they differ from what the family has.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model's config.json: what the library uses of it, and the whole document, so that keys of others survive a save.
struct seq2seq_config_file {
  seq2seq_config config;
  nlohmann::json document = nlohmann::json::object();
};

namespace detail {

inline const std::vector<std::string>& position_names() {
  static const std::vector<std::string> names{"none", "learned", "interleaved", "halves", "fairseq"};
  return names;
}

/// Names of the activations, in the order of the enumeration; `swish` is another name of the last.
inline const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names{"linear", "gelu", "relu", "silu", "swish"};
  return names;
}

struct attention_key {
  const char* key;
  mixing_place place;
};
inline constexpr attention_key attention_keys[] = {{"encoder_attention_type", mixing_place::encoder_self},
                                                   {"decoder_attention_type", mixing_place::decoder_self},
                                                   {"cross_attention_type", mixing_place::cross}};

inline void read_places(const config_reader& reader, seq2seq_config& config) {
  const std::vector<std::string> names = mixer_names();
  const auto name = [&](const std::string& key, const nlohmann::json& value) {
    return names[reader.choice(key, value, names)];
  };
  for (const auto& [key, place] : attention_keys) {
    const nlohmann::json* type = reader.find(key);
    if (type == nullptr) continue;
    if (!type->is_array()) {
      config.set_attention(place, name(key, *type));
      continue;
    }
    config.set_attention(place, names.front());
    std::vector<std::string>& layers = config.attention_of(place);
    if (type->size() != layers.size()) {
      reader.fail_key(key, *type, "one entry per layer, " + std::to_string(layers.size()));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layers[i] = name(std::string(key) + "[" + std::to_string(i) + "]", (*type)[i]);
    }
  }
  mixer_options& options = config;
  visit_mixer_options(options, mixer_option_reader{reader}, [](const std::string&) { return true; });
}

inline void write_places(nlohmann::json& out, const seq2seq_config& c) {
  const mixer_options& options = c;
  visit_mixer_options(options, mixer_option_eraser{out}, [](const std::string&) { return true; });
  std::vector<std::string> used;
  for (const auto& [key, place] : attention_keys) {
    out.erase(key);
    const std::vector<std::string>& names = c.attention_of(place);
    nlohmann::json value = layer_mixers_json(names, c.layers_of(place));
    if (value.is_null()) continue;
    used.insert(used.end(), names.begin(), names.end());
    out[key] = std::move(value);
  }
  visit_mixer_options(options, mixer_option_writer{out},
                      [&](const std::string& name) { return std::find(used.begin(), used.end(), name) != used.end(); });
}

inline position_kind family_positions(norm_placement norm) {
  return norm == norm_placement::pre ? position_kind::fairseq : position_kind::halves;
}

}  // namespace detail

/// Interprets the document of a config.json; `file` is for messages. Absent keys take the family's defaults, unknown
/// keys are left alone. Throws file_error naming the key, what it holds and what was expected.
inline seq2seq_config_file parse_seq2seq_config(nlohmann::json document, const std::string& file) {
  const config_reader reader(document, file);
  if (!document.is_object()) reader.fail("is not a JSON object");
  const nlohmann::json* type = reader.find("model_type");
  if (type == nullptr) reader.fail("has no key 'model_type'; expected \"marian\" or \"m2m_100\"");
  seq2seq_config_file result;
  seq2seq_config& c = result.config;
  const bool is_pre = reader.choice("model_type", *type, {"marian", "m2m_100"}) == 1;
  c.norm = is_pre ? norm_placement::pre : norm_placement::post;
  for (const auto& [key, expected] : {std::pair("normalize_before", is_pre), {"normalize_embedding", false}}) {
    if (reader.flag(key, expected) != expected) reader.fail_key(key, *reader.find(key), expected ? "true" : "false");
  }
  // The upper bounds are far above any model; they keep products of sizes from overflowing.
  const auto size = [&](const char* key, index_t fallback, index_t most) {
    return reader.integer(key, "", fallback, most);
  };
  c.vocab_size = size("vocab_size", is_pre ? 128112 : 58101, 100'000'000);
  c.decoder_vocab_size = size("decoder_vocab_size", 0, 100'000'000);
  c.share_embeddings = reader.flag("share_encoder_decoder_embeddings", true);
  c.tie_output = reader.flag("tie_word_embeddings", true);
  c.max_position_embeddings = size("max_position_embeddings", 1024, 100'000'000);
  c.d_model = size("d_model", 1024, 1'000'000);
  c.encoder_layers = size("encoder_layers", 12, 1'000);
  c.decoder_layers = size("decoder_layers", 12, 1'000);
  c.encoder_heads = size("encoder_attention_heads", 16, 1'000'000);
  c.decoder_heads = size("decoder_attention_heads", 16, 1'000'000);
  c.encoder_ffn_dim = size("encoder_ffn_dim", 4096, 1'000'000);
  c.decoder_ffn_dim = size("decoder_ffn_dim", 4096, 1'000'000);
  c.dropout = reader.number("dropout", 0.1);
  c.scale_embedding = reader.flag("scale_embedding", is_pre);
  c.layer_norm_epsilon = reader.number("layer_norm_eps", 1e-5);
  const index_t most_id = std::numeric_limits<std::int32_t>::max();
  c.pad_token_id = size("pad_token_id", is_pre ? 1 : 58100, most_id);
  c.eos_token_id = size("eos_token_id", is_pre ? 2 : 0, most_id);
  c.decoder_start_token_id = size("decoder_start_token_id", is_pre ? 2 : 58100, most_id);
  c.between = is_pre ? activation::relu : activation::gelu;
  if (const nlohmann::json* name = reader.find("activation_function")) {
    const std::size_t found = reader.choice("activation_function", *name, detail::activation_names());
    c.between = static_cast<activation>(std::min(found, static_cast<std::size_t>(activation::silu)));
  }
  c.positions = detail::family_positions(c.norm);
  if (!is_pre && !reader.flag("static_position_embeddings", true)) c.positions = position_kind::learned;
  if (const nlohmann::json* name = reader.find("position_type")) {
    c.positions = static_cast<position_kind>(reader.choice("position_type", *name, detail::position_names()));
  }
  detail::read_places(reader, c);
  try {
    c.validate();
  } catch (const std::invalid_argument& error) {
    reader.fail(error.what());
  }
  result.document = std::move(document);
  return result;
}

/// Reads a config.json. Throws file_error; see parse_seq2seq_config.
inline seq2seq_config_file read_seq2seq_config(const std::string& path) {
  return parse_seq2seq_config(read_json_file(path), path);
}

/// The document to save: `file.document` with the library's keys set from `file.config`.
inline nlohmann::json seq2seq_config_document(const seq2seq_config_file& file) {
  const seq2seq_config& c = file.config;
  const bool is_pre = c.norm == norm_placement::pre;
  nlohmann::json out = file.document;
  out["model_type"] = is_pre ? "m2m_100" : "marian";
  out["architectures"] = nlohmann::json::array({is_pre ? "M2M100ForConditionalGeneration" : "MarianMTModel"});
  out["is_encoder_decoder"] = true;
  out["vocab_size"] = c.vocab_size;
  out["decoder_vocab_size"] = c.target_vocab_size();
  out["share_encoder_decoder_embeddings"] = c.share_embeddings;
  out["tie_word_embeddings"] = c.tie_output;
  out["max_position_embeddings"] = c.max_position_embeddings;
  out["d_model"] = c.d_model;
  out["encoder_layers"] = c.encoder_layers;
  out["decoder_layers"] = c.decoder_layers;
  out["encoder_attention_heads"] = c.encoder_heads;
  out["decoder_attention_heads"] = c.decoder_heads;
  out["encoder_ffn_dim"] = c.encoder_ffn_dim;
  out["decoder_ffn_dim"] = c.decoder_ffn_dim;
  out["activation_function"] = detail::activation_names()[static_cast<std::size_t>(c.between)];
  out["dropout"] = c.dropout;
  out["scale_embedding"] = c.scale_embedding;
  out["layer_norm_eps"] = c.layer_norm_epsilon;
  out["normalize_before"] = is_pre;
  out["normalize_embedding"] = false;
  out["static_position_embeddings"] = is_sinusoidal(c.positions);
  out["pad_token_id"] = c.pad_token_id;
  out["eos_token_id"] = c.eos_token_id;
  out["forced_eos_token_id"] = c.eos_token_id;
  out["decoder_start_token_id"] = c.decoder_start_token_id;
  out["bad_words_ids"] = nlohmann::json::array({nlohmann::json::array({c.pad_token_id})});
  // Training drops neither.
  out["attention_dropout"] = out["activation_dropout"] = 0.0;
  out.erase("position_type");
  if (c.positions != detail::family_positions(c.norm)) {
    out["position_type"] = detail::position_names()[static_cast<std::size_t>(c.positions)];
  }
  detail::write_places(out, c);
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
