// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/pretrained/model_folder.hpp"

#include <cstring>
#include <functional>

#include "support/catch.hpp"
#include "support/small_config.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::file_content;
using inhibitor::test::temp_folder;

namespace {

encoder_config small_config() { return inhibitor::test::small_config("inhibitor", "dot_product"); }

encoder_config small_bert() {
  encoder_config config = small_config();
  config.set_family(model_family::bert);
  config.type_vocab_size = 2;
  return config;
}

/// A model whose numbers all differ, so that a swapped tensor shows.
template <class T = float>
encoder_tensors<T> numbered_model(const encoder_config& config, const head_names& heads = {"sequence_classification"}) {
  encoder_tensors<T> model(config, heads);
  for (index_t i = 0; i < model.size(); ++i) model.data()[i] = static_cast<T>(i + 1) / 8;
  return model;
}

template <class T>
bool same_numbers(const encoder_tensors<T>& a, const encoder_tensors<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

using renaming = std::function<std::string(const std::string&)>;

/// Writes the folder of `model` with every tensor name passed through `renamed`; "" leaves the tensor out.
void write_renamed(const temp_folder& folder, const encoder_tensors<float>& model, const renaming& renamed,
                   const std::function<void(safetensors_writer&)>& more = {}) {
  safetensors_writer writer;
  model.visit([&](const std::string& name, const tensor<const float>& t) {
    const std::string stored = renamed(checkpoint_tensor_name(name, model.config().family));
    if (!stored.empty()) writer.add(stored, dtype::f32, stored_shape(t), t.data);
  });
  if (more) more(writer);
  writer.write(folder.file("model.safetensors"));
  model_config_file config;
  config.config = model.config();
  write_model_config(folder.file("config.json"), config, model.has_heads());
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string error_of_loading(const temp_folder& folder) {
  try {
    load_model_folder<float>(folder.path());
  } catch (const file_error& error) {
    return error.what();
  }
  return "no error";
}

const std::string as_is(const std::string& name) { return name; }

const std::vector<head_names> every_choice_of_heads{
    {}, {"sequence_classification"}, {"masked_lm"}, {"sequence_classification", "masked_lm"}};

}  // namespace

TEST_CASE("save_model_folder: a saved model loads bit-identically, configuration and vocabulary included", "[io]") {
  const temp_folder folder;
  auto model = numbered_model(small_config());
  const std::uint32_t odd[] = {0x7FC00001U, 0x80000000U, 0x00000001U, 0x7F800000U};  // NaN payload, -0, subnormal, inf
  std::memcpy(model.data(), odd, sizeof odd);
  const std::string vocabulary = folder.write("v.txt", "[PAD]\r\n[UNK]\n");
  model_config_file config;
  config.labels = {"no", "maybe", "yes"};
  config.document["their_key"] = 5;
  save_model_folder(folder.file("model/"), model, vocabulary, config);

  const auto again = read_model_folder<float>(folder.file("model"));
  CHECK(again.report.is_complete());
  CHECK(same_numbers(again.tensors, model));
  CHECK(again.config.config.attention == small_config().attention);
  CHECK(again.config.labels == config.labels);
  CHECK(again.config.document.at("their_key") == 5);
  CHECK(again.config.document.at("torch_dtype") == "float32");
  CHECK(file_content(folder.file("model/vocab.txt")) == "[PAD]\r\n[UNK]\n");
  CHECK(safetensors_file::open(folder.file("model/model.safetensors")).metadata().at("format") == "pt");
  CHECK(folder.names().size() == 2);

  save_model_folder(folder.file("copy"), again.tensors, "", again.config);
  CHECK(file_content(folder.file("copy/model.safetensors")) == file_content(folder.file("model/model.safetensors")));
  CHECK(file_content(folder.file("copy/config.json")) == file_content(folder.file("model/config.json")));
}

TEST_CASE("save_model_folder: double and every choice of heads", "[io]") {
  const temp_folder folder;
  for (const head_names& heads : every_choice_of_heads) {
    const auto model = numbered_model<double>(small_config(), heads);
    save_model_folder(folder.file("m"), model);
    CHECK(same_numbers(load_model_folder<double>(folder.file("m"), heads), model));
    CHECK(read_model_config(folder.file("m/config.json")).document.at("torch_dtype") == "float64");
  }
}

TEST_CASE("save_model_folder: a BERT with every choice of heads, under its own names", "[io]") {
  const temp_folder folder;
  for (const head_names& heads : every_choice_of_heads) {
    const auto model = numbered_model(small_bert(), heads);
    save_model_folder(folder.file("m"), model);
    CHECK(same_numbers(load_model_folder<float>(folder.file("m"), heads), model));
  }
  const auto file = safetensors_file::open(folder.file("m/model.safetensors"));
  CHECK(file.find("bert.embeddings.token_type_embeddings.weight") != nullptr);
  CHECK(file.find("bert.encoder.layer.0.attention.self.inhibitor_shift") != nullptr);
}

TEST_CASE("save_model_folder: replacing a model keeps the other files and leaves no temporary", "[io]") {
  const temp_folder folder;
  auto model = numbered_model(small_config());
  folder.write("notes.txt", "mine");
  save_model_folder(folder.path(), model);
  model.data()[3] = -1;
  save_model_folder(folder.path(), model);
  CHECK(same_numbers(load_model_folder<float>(folder.path()), model));
  CHECK(file_content(folder.file("notes.txt")) == "mine");
  CHECK(folder.names().size() == 3);
}

TEST_CASE("save_model_folder: a failed save leaves nothing behind", "[io]") {
  const temp_folder folder;
  const auto model = numbered_model(small_config());
  model_config_file config;
  config.labels = {"a", "b", "\xFF"};
  CHECK_THROWS_AS(save_model_folder(folder.file("m"), model, "", config), file_error);  // fails at the last file
  CHECK_THROWS_AS(save_model_folder(folder.file("m"), model, folder.file("no vocabulary")), file_error);
  CHECK_THROWS_AS(save_model_folder(folder.file("no/parent"), model), file_error);
  CHECK(folder.names().empty());
  folder.write("file", "");
  CHECK_THROWS_AS(save_model_folder(folder.file("file"), model), file_error);
}

TEST_CASE("trap 2: LayerNorm.gamma and .beta are repaired, published inhibitor scalars are not mistaken for them",
          "[io]") {
  const auto model = numbered_model(small_config());
  const temp_folder old_names;
  write_renamed(old_names, model, [](const std::string& name) {
    return replaced(replaced(name, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta");
  });
  CHECK(same_numbers(load_model_folder<float>(old_names.path()), model));

  const temp_folder published;
  const float gamma = 0.695F;
  const float alpha = 0.647F;
  const float beta = 0.831F;
  write_renamed(
      published, model,
      [](const std::string& name) { return name.find("inhibitor_") == std::string::npos ? name : ""; },
      [&](safetensors_writer& writer) {
        const std::string block = "distilbert.transformer.layer.0.attention.";
        writer.add(block + "gamma", dtype::f32, {}, &gamma);
        writer.add(block + "alpha", dtype::f32, {}, &alpha);
        writer.add(block + "beta", dtype::f32, {1}, &beta);
      });
  const auto loaded = load_model_folder<float>(published.path());
  for (index_t head = 0; head < 2; ++head) {
    CHECK(loaded.layer[0].attention.as<inhibitor_mixer>()->inhibitor_score_scale.data[head] == gamma);
    CHECK(loaded.layer[0].attention.as<inhibitor_mixer>()->inhibitor_shift.data[head] == alpha);
    CHECK(loaded.layer[0].attention.as<inhibitor_mixer>()->inhibitor_output_scale.data[head] == beta);
  }
}

TEST_CASE("trap 2: a toy BERT saved with both spellings of its LayerNorms loads equal, with or without prefix",
          "[io]") {
  const auto model = numbered_model(small_bert());
  for (const bool has_prefix : {true, false}) {
    const temp_folder folder;
    write_renamed(folder, model, [&](const std::string& name) {
      const std::string old =
          replaced(replaced(name, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta");
      return has_prefix ? old : replaced(old, "bert.", "");
    });
    CHECK(same_numbers(load_model_folder<float>(folder.path()), model));
  }
}

TEST_CASE("published inhibitor models: mechanism is inferred where config.json is silent", "[io]") {
  const temp_folder folder;
  const float scalars[3] = {1, -0.25F, 1};
  encoder_config config = small_config();
  config.attention.clear();  // config.json will not mention the mechanism
  write_renamed(folder, numbered_model(config), as_is, [&](safetensors_writer& writer) {
    const std::string block = "distilbert.transformer.layer.1.attention.";
    writer.add(block + "gamma", dtype::f32, {}, scalars);
    writer.add(block + "alpha", dtype::f32, {}, scalars + 1);
    writer.add(block + "beta", dtype::f32, {}, scalars + 2);
  });
  const auto loaded = load_model_folder<float>(folder.path());
  CHECK(loaded.config().layer_attention(0) == "dot_product");
  CHECK(loaded.config().layer_attention(1) == "inhibitor");
  CHECK(loaded.config().inhibitor.center == centering::all_keys);
  CHECK_FALSE(loaded.config().tied_scalars);
  CHECK_FALSE(loaded.layer[1].attention.as<inhibitor_mixer>()->inhibitor_shift.is_tied);
  CHECK(loaded.layer[1].attention.as<inhibitor_mixer>()->inhibitor_shift.data[0] ==
        0.0F);  // their code skips a shift that is not positive

  // Asked for, their one number per layer stays one, in what is saved from it as well.
  reading_options tie;
  tie.ties_published_scalars = true;
  const auto tied = read_model_folder<float>(folder.path(), {"sequence_classification"}, tie);
  CHECK(tied.tensors.config().tied_scalars);
  CHECK(tied.tensors.layer[1].attention.as<inhibitor_mixer>()->inhibitor_shift.is_tied);
  save_model_folder(folder.file("again"), tied.tensors, "", tied.config);
  const auto again = load_model_folder<float>(folder.file("again"));
  CHECK(again.layer[1].attention.as<inhibitor_mixer>()->inhibitor_shift.is_tied);
  CHECK(again.config().inhibitor.center == centering::all_keys);
}

TEST_CASE("trap 3: the tied decoder may be absent or present", "[io]") {
  const auto model = numbered_model(small_config(), {"masked_lm"});
  const std::vector<float> copy(11 * 8, 9.0F);
  const temp_folder without;
  const temp_folder with;
  write_renamed(without, model, as_is);
  write_renamed(with, model, as_is, [&](safetensors_writer& writer) {
    writer.add("vocab_projector.weight", dtype::f32, {11, 8}, copy.data());
  });
  CHECK(same_numbers(load_model_folder<float>(without.path(), {"masked_lm"}), model));
  CHECK(same_numbers(load_model_folder<float>(with.path(), {"masked_lm"}), model));

  const auto bert = numbered_model(small_bert(), {"masked_lm"});
  const temp_folder pretrained;
  write_renamed(pretrained, bert, as_is, [&](safetensors_writer& writer) {
    writer.add("cls.predictions.decoder.weight", dtype::f32, {11, 8}, copy.data());
    writer.add("cls.predictions.decoder.bias", dtype::f32, {11}, copy.data());
  });
  CHECK(same_numbers(load_model_folder<float>(pretrained.path(), {"masked_lm"}), bert));
}

TEST_CASE("trap 4: position_ids, first in the file, are ignored", "[io]") {
  const auto model = numbered_model(small_config());
  const std::int64_t positions[7] = {0, 1, 2, 3, 4, 5, 6};
  const temp_folder folder;
  write_renamed(folder, model, as_is, [&](safetensors_writer& writer) {
    writer.add("distilbert.embeddings.position_ids", dtype::i64, {1, 7}, positions);
  });
  CHECK(safetensors_file::open(folder.file("model.safetensors")).tensors()[0].type == dtype::i64);
  CHECK(same_numbers(load_model_folder<float>(folder.path()), model));
}

TEST_CASE("read_model_folder: the prefixes distilbert. and module. may be missing or present", "[io]") {
  const auto model = numbered_model(small_config());
  for (const renaming& renamed :
       {renaming([](const std::string& n) { return replaced(n, "distilbert.", ""); }),
        renaming([](const std::string& n) { return "module." + n; }),
        renaming([](const std::string& n) { return "module." + replaced(n, "distilbert.", ""); })}) {
    const temp_folder folder;
    write_renamed(folder, model, renamed);
    CHECK(same_numbers(load_model_folder<float>(folder.path()), model));
  }
  const temp_folder twice;
  const float row[8] = {};
  write_renamed(twice, model, as_is,
                [&](safetensors_writer& writer) { writer.add("embeddings.LayerNorm.gamma", dtype::f32, {8}, row); });
  CHECK_THAT(error_of_loading(twice), contains_text("under two spellings"));
}

TEST_CASE("read_model_folder: lists what is missing, unexpected and of another shape; strict loading throws", "[io]") {
  const temp_folder folder;
  const float other[4] = {1, 2, 3, 4};
  write_renamed(
      folder, numbered_model(small_config()),
      [](const std::string& name) { return name == "pre_classifier.bias" || name == "classifier.weight" ? "" : name; },
      [&](safetensors_writer& writer) {
        writer.add("classifier.weight", dtype::f32, {2, 2}, other);
        writer.add("vocab_transform.bias", dtype::f32, {4}, other);
        writer.add("odd.gamma", dtype::f32, {4}, other);
      });
  const auto loaded = read_model_folder<float>(folder.path());
  CHECK(loaded.report.missing == std::vector<std::string>{"pre_classifier.bias"});
  CHECK(loaded.report.unexpected == std::vector<std::string>{"odd.gamma", "vocab_transform.bias"});
  REQUIRE(loaded.report.mismatched.size() == 1);
  CHECK(loaded.report.text() ==
        "missing, newly initialized: pre_classifier.bias\nunexpected, not used: odd.gamma\n"
        "unexpected, not used: vocab_transform.bias\n"
        "mismatched, newly initialized: classifier.weight has shape [2, 2], expected [3, 8]\n");
  CHECK(loaded.tensors.head<sequence_classification_head>().pre_classifier.bias.data[0] == 0.0F);
  CHECK(loaded.tensors.head<sequence_classification_head>().classifier.weight.data[0] != 0.0F);
  CHECK(loaded.tensors.embeddings.word_embeddings.data[1] == 0.25F);
  CHECK_THAT(error_of_loading(folder), Catch::Matchers::StartsWith(folder.path() + ": ") &&
                                           contains_text("classifier.weight has shape [2, 2], expected [3, 8]") &&
                                           contains_text("missing: pre_classifier.bias") &&
                                           contains_text("unexpected: odd.gamma, vocab_transform.bias"));
}

TEST_CASE("read_model_folder: half precision and shards", "[io]") {
  const auto model = numbered_model(small_config());
  const temp_folder folder;
  write_renamed(folder, model, as_is);
  safetensors_writer embeddings;
  safetensors_writer rest;
  std::string map;
  std::vector<std::uint16_t> bias(3);
  model.visit([&](const std::string& name, const tensor<const float>& t) {
    const bool is_first = name.find("embeddings") != std::string::npos;
    map += (map.empty() ? "\"" : ",\"") + name + (is_first ? "\":\"1.safetensors\"" : "\":\"2.safetensors\"");
    if (name == "classifier.bias") {
      for (std::size_t i = 0; i < 3; ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, t.data + i, 4);
        bias[i] = static_cast<std::uint16_t>(bits >> 16);
      }
      rest.add(name, dtype::bf16, {3}, bias.data());
    } else {
      (is_first ? embeddings : rest).add(name, dtype::f32, stored_shape(t), t.data);
    }
  });
  embeddings.write(folder.file("1.safetensors"));
  rest.write(folder.file("2.safetensors"));
  std::filesystem::remove(folder.file("model.safetensors"));
  folder.write("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  const auto loaded = load_model_folder<float>(folder.path());
  const auto last = static_cast<std::size_t>(model.size()) - 3;
  CHECK(std::memcmp(loaded.data(), model.data(), last * sizeof(float)) == 0);
  for (index_t i = 0; i < 3; ++i) {
    CHECK_THAT(loaded.head<sequence_classification_head>().classifier.bias.data[i],
               Catch::Matchers::WithinRel(model.head<sequence_classification_head>().classifier.bias.data[i], 0.01F));
  }
}

TEST_CASE("read_model_folder: a missing folder, missing files and absurd sizes are reported", "[io]") {
  const temp_folder folder;
  CHECK_THAT(error_of_loading(folder), contains_text("config.json: cannot be opened"));
  save_model_folder(folder.path(), numbered_model(small_config()));
  folder.write("config.json", R"({"model_type":"distilbert","vocab_size":100000000,"dim":999996})");
  CHECK_THAT(error_of_loading(folder), contains_text("million parameters"));
  folder.write("config.json", "{");
  CHECK_THAT(error_of_loading(folder), contains_text("config.json:1: is not valid JSON"));
}

TEST_CASE("read_model_folder: a head of several labels at once is refused, its encoder is not") {
  const temp_folder folder;
  model_config_file config;
  config.document["problem_type"] = "multi_label_classification";
  save_model_folder(folder.file("m"), numbered_model(small_config()), "", config);
  CHECK_THROWS_WITH(read_model_folder<float>(folder.file("m")),
                    contains_text("m/config.json: 'problem_type' is multi_label_classification"));
  CHECK_NOTHROW(read_model_folder<float>(folder.file("m"), head_names{}));
}
