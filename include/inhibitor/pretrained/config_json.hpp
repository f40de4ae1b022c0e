// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "inhibitor/models/bert/config.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/pretrained/config_reader.hpp"
#include "inhibitor/pretrained/mixer_options_json.hpp"

// Hugging Face's config.json of a DistilBERT or BERT, and the keys this library adds to it:
//   attention_type               the name of a mixer (nn/mixer.hpp), or a list with one of them per layer
//   inhibitor_center             "attended_keys", "all_keys" or "none"
//   inhibitor_signed             true or false
//   inhibitor_normalize_by_length
//   inhibitor_tied_scalars       written when true
// A mixer names its own keys. They are written only for models with a layer of that mixer; without them a model is a
// plain DistilBERT or BERT.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model's config.json: what the library uses of it, and the whole document, so that keys of others survive a save.
struct model_config_file {
  encoder_config config;
  std::vector<std::string> labels;  ///< names of the classes, (num_labels)
  nlohmann::json document = nlohmann::json::object();
};

namespace detail {

/// What the two families call the same thing. An alias is an empty string where there is none.
struct config_keys {
  const char* model_type;
  const char* class_prefix;  ///< of the names under "architectures"
  const char *layers, *layers_alias;
  const char *heads, *heads_alias;
  const char *dim, *dim_alias;
  const char* intermediate_dim;
  const char *dropout, *attention_dropout, *classifier_dropout;
  const char* activation;

  static const config_keys& of(model_family family) {
    static constexpr config_keys distilbert{
        "distilbert", "DistilBert",  "n_layers",   "num_hidden_layers", "n_heads",           "num_attention_heads",
        "dim",        "hidden_size", "hidden_dim", "dropout",           "attention_dropout", "seq_classif_dropout",
        "activation"};
    static constexpr config_keys bert{"bert",
                                      "Bert",
                                      "num_hidden_layers",
                                      "",
                                      "num_attention_heads",
                                      "",
                                      "hidden_size",
                                      "",
                                      "intermediate_size",
                                      "hidden_dropout_prob",
                                      "attention_probs_dropout_prob",
                                      "classifier_dropout",
                                      "hidden_act"};
    return family == model_family::bert ? bert : distilbert;
  }
};

inline std::vector<std::string> default_labels(index_t count) {
  std::vector<std::string> labels;
  for (index_t i = 0; i < count; ++i) labels.push_back("LABEL_" + std::to_string(i));
  return labels;
}

inline std::vector<std::string> read_labels(const config_reader& reader) {
  constexpr index_t most = 1'000'000;
  const nlohmann::json* names = reader.find("id2label");
  if (names == nullptr) return default_labels(reader.integer("num_labels", "", 2, most));
  if (!names->is_object()) reader.fail_key("id2label", *names, "an object {\"0\": name, ...}");
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto found = names->find(std::to_string(i));
    if (found == names->end() || !found->is_string()) {
      reader.fail_key("id2label", *names,
                      "names under the keys \"0\" to \"" + std::to_string(names->size() - 1) + "\"");
    }
    labels.push_back(found->get<std::string>());
  }
  const auto count = static_cast<index_t>(labels.size());
  if (reader.integer("num_labels", "", count, most) != count) {
    reader.fail_key("num_labels", *reader.find("num_labels"), std::to_string(count) + ", the size of id2label");
  }
  return labels;
}

inline void read_attention(const config_reader& reader, encoder_config& config) {
  const std::vector<std::string> names = mixer_names();
  const auto name = [&](const std::string& key, const nlohmann::json& value) {
    return names[reader.choice(key, value, names)];
  };
  config.set_attention(names.front());
  if (const nlohmann::json* type = reader.find("attention_type")) {
    if (!type->is_array()) {
      config.set_attention(name("attention_type", *type));
    } else {
      if (type->size() != config.attention.size()) {
        reader.fail_key("attention_type", *type, "one entry per layer, " + std::to_string(config.n_layers));
      }
      for (std::size_t i = 0; i < type->size(); ++i) {
        config.attention[i] = name("attention_type[" + std::to_string(i) + "]", (*type)[i]);
      }
    }
  }
  mixer_options& options = config;
  visit_mixer_options(options, mixer_option_reader{reader}, [](const std::string&) { return true; });
}

inline void write_attention(nlohmann::json& out, const encoder_config& c) {
  const mixer_options& options = c;
  out.erase("attention_type");
  visit_mixer_options(options, mixer_option_eraser{out}, [](const std::string&) { return true; });
  nlohmann::json names = layer_mixers_json(c.attention, c.n_layers);
  if (names.is_null()) return;
  out["attention_type"] = std::move(names);
  visit_mixer_options(options, mixer_option_writer{out}, [&](const std::string& name) {
    return std::find(c.attention.begin(), c.attention.end(), name) != c.attention.end();
  });
}

/// Ending of Hugging Face's class name of a model with these heads: that of the first.
inline std::string architecture_of(const head_names& heads) {
  std::string found = "Model";
  for_each_alternative<bert_head<float>>([&](auto* h) {
    using head = std::remove_pointer_t<decltype(h)>;
    if (found == "Model" && std::find(heads.begin(), heads.end(), head::name) != heads.end())
      found = head::architecture;
  });
  return found;
}

}  // namespace detail

/// Interprets the document of a config.json; `file` is for messages. Absent keys take the family's defaults, unknown
/// keys are left alone, Hugging Face's aliases for DistilBERT (hidden_size, num_attention_heads, num_hidden_layers) are
/// understood.
/// Throws file_error naming the key, what it holds and what was expected.
inline model_config_file parse_model_config(nlohmann::json document, const std::string& file) {
  const config_reader reader(document, file);
  if (!document.is_object()) reader.fail("is not a JSON object");
  const nlohmann::json* type = reader.find("model_type");
  if (type == nullptr) reader.fail("has no key 'model_type'; expected \"distilbert\" or \"bert\"");
  model_config_file result;
  encoder_config& c = result.config;
  if (reader.choice("model_type", *type, {"distilbert", "bert"}) == 1) {
    c.set_family(model_family::bert);
    c.n_layers = 12;
    c.type_vocab_size = 2;
  }
  const detail::config_keys& keys = detail::config_keys::of(c.family);
  if (const nlohmann::json* activation = reader.find(keys.activation)) {
    reader.choice(keys.activation, *activation, {"gelu"});
  }

  // The upper bounds are far above any model; they keep products of sizes from overflowing.
  c.vocab_size = reader.integer("vocab_size", "", c.vocab_size, 100'000'000);
  c.max_position_embeddings = reader.integer("max_position_embeddings", "", c.max_position_embeddings, 100'000'000);
  c.n_layers = reader.integer(keys.layers, keys.layers_alias, c.n_layers, 1'000);
  c.n_heads = reader.integer(keys.heads, keys.heads_alias, c.n_heads, 1'000'000);
  c.dim = reader.integer(keys.dim, keys.dim_alias, c.dim, 1'000'000);
  c.intermediate_dim = reader.integer(keys.intermediate_dim, "", c.intermediate_dim, 1'000'000);
  c.dropout = reader.number(keys.dropout, c.dropout);
  c.attention_dropout = reader.number(keys.attention_dropout, c.attention_dropout);
  if (c.family == model_family::bert) {
    c.seq_classif_dropout = c.dropout;
    c.type_vocab_size = reader.integer("type_vocab_size", "", c.type_vocab_size, 1'000'000);
    c.layer_norm_epsilon = reader.number("layer_norm_eps", c.layer_norm_epsilon);
    if (const nlohmann::json* kind = reader.find("position_embedding_type")) {
      reader.choice("position_embedding_type", *kind, {"absolute"});
    }
  }
  c.seq_classif_dropout = reader.number(keys.classifier_dropout, c.seq_classif_dropout);
  c.initializer_range = reader.number("initializer_range", c.initializer_range);
  c.pad_token_id = reader.integer("pad_token_id", "", c.pad_token_id, std::numeric_limits<std::int32_t>::max());
  result.labels = detail::read_labels(reader);
  c.num_labels = static_cast<index_t>(result.labels.size());
  detail::read_attention(reader, c);
  try {
    c.validate();
  } catch (const std::invalid_argument& error) {
    reader.fail(error.what());
  }
  result.document = std::move(document);
  return result;
}

/// Throws file_error for a model whose classification head gives several labels at once, each with a probability of its
/// own: nothing here trains, judges or runs such a head.
inline void require_one_label(const model_config_file& config, const std::string& file) {
  const auto found = config.document.find("problem_type");
  if (found == config.document.end() || *found != "multi_label_classification") return;
  throw file_error(file,
                   "'problem_type' is multi_label_classification, several labels at once; expected one label or "
                   "one score per text");
}

/// Reads a config.json. Throws file_error; see parse_model_config.
inline model_config_file read_model_config(const std::string& path) {
  return parse_model_config(read_json_file(path), path);
}

/// The document to save for a model with these heads: `file.document` with the library's keys set from `file.config`
/// and `file.labels` (LABEL_0, ... unless there is one name per label). Throws std::invalid_argument for what the
/// family does not have.
inline nlohmann::json model_config_document(const model_config_file& file, const head_names& heads) {
  const encoder_config& c = file.config;
  nlohmann::json out = file.document;
  const detail::config_keys& keys = detail::config_keys::of(c.family);
  for (const char* obsolete : {keys.layers_alias, keys.heads_alias, keys.dim_alias, "num_labels"}) out.erase(obsolete);
  out["model_type"] = keys.model_type;
  out["architectures"] = nlohmann::json::array({keys.class_prefix + detail::architecture_of(heads)});
  out[keys.activation] = "gelu";
  out["vocab_size"] = c.vocab_size;
  out["max_position_embeddings"] = c.max_position_embeddings;
  out[keys.layers] = c.n_layers;
  out[keys.heads] = c.n_heads;
  out[keys.dim] = c.dim;
  out[keys.intermediate_dim] = c.intermediate_dim;
  out[keys.dropout] = c.dropout;
  out[keys.attention_dropout] = c.attention_dropout;
  out[keys.classifier_dropout] = c.seq_classif_dropout;
  out["initializer_range"] = c.initializer_range;
  out["pad_token_id"] = c.pad_token_id;
  const auto set_default = [&](const char* key, const nlohmann::json& value) {
    if (!out.contains(key)) out[key] = value;
  };
  if (c.family == model_family::bert) {
    out["type_vocab_size"] = c.type_vocab_size;
    out["layer_norm_eps"] = c.layer_norm_epsilon;
    set_default("position_embedding_type", "absolute");
  } else {
    check(c.type_vocab_size == 0, [&] {
      return "type_vocab_size is " + std::to_string(c.type_vocab_size) +
             "; expected 0: a DistilBERT has no token types";
    });
    set_default("sinusoidal_pos_embds", false);
    set_default("tie_weights_", true);
  }
  const std::vector<std::string> labels =
      static_cast<index_t>(file.labels.size()) == c.num_labels ? file.labels : detail::default_labels(c.num_labels);
  out["id2label"] = out["label2id"] = nlohmann::json::object();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out["id2label"][std::to_string(i)] = labels[i];
    out["label2id"][labels[i]] = i;
  }
  detail::write_attention(out, c);
  return out;
}

/// Writes a config.json, whole or not at all. Throws file_error.
inline void write_model_config(const std::string& path, const model_config_file& file, const head_names& heads) {
  write_json_file(path, model_config_document(file, heads));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
