// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/training/classifier_model.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/data/glue_tasks.hpp"
#include "inhibitor/training/evaluate.hpp"
#include "support/catch.hpp"
#include "support/small_config.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using strings = std::vector<std::string>;

namespace {

/// Saves a small model of either family with these labels; one without names when `labels` is empty.
std::string save(const test::temp_folder& folder, const std::string& name, const encoder_tensors<float>& tensors,
                 const strings& labels) {
  model_config_file file;
  file.labels = labels;
  save_model_folder(folder.file(name), tensors, "", file);
  return folder.file(name);
}

encoder_tensors<float> small_model(index_t labels, const head_names& heads = {"sequence_classification"}) {
  encoder_config config = test::small_config("dot_product", "inhibitor");
  config.num_labels = labels;
  config.initializer_range = 0.5;
  encoder_tensors<float> model(config, heads);
  initialize(model, 7);
  return model;
}

token_dataset examples() {
  std::mt19937 bits(3);
  token_dataset data;
  for (int i = 0; i < 60; ++i) {
    data.ids.push_back({2, static_cast<std::int32_t>(5 + bits() % 6), static_cast<std::int32_t>(5 + bits() % 6), 3});
    data.first_lengths.push_back(4);
    data.labels.push_back(static_cast<std::int32_t>(bits() % 3));
  }
  return data;
}

model_outputs outputs_of(const classifier_model& model, const token_dataset& data) {
  return run_model(model.tensors, data, {});
}

std::string refusal(const std::string& folder, const std::string& task) {
  try {
    load_classifier(folder, find_task(task), 1, false);
  } catch (const file_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("trap 1: MNLI labels are mapped by name, whatever their numbers in the checkpoint") {
  const test::temp_folder folder;
  const encoder_tensors<float> model = small_model(3);
  const strings order{"entailment", "neutral", "contradiction"};
  const token_dataset data = examples();
  const auto judged = [&](const std::string& path) {
    return outputs_of(load_classifier(path, find_task("mnli"), 1, false), data);
  };
  const model_outputs expected = judged(save(folder, "hf", model, order));
  const double accuracy = evaluate(expected, data, metric_kind::accuracy).metrics.front().second;
  for (const strings& other :
       {strings{"contradiction", "entailment", "neutral"}, strings{"NEUTRAL", "CONTRADICTION", "ENTAILMENT"}}) {
    // The same model with its outputs, and their names, in another order.
    encoder_tensors<float> moved = model;
    for (std::size_t i = 0; i < 3; ++i) {
      const index_t from = find_label(order, other[i]);
      const auto to = static_cast<index_t>(i);
      std::copy_n(model.head<sequence_classification_head>().classifier.weight.data + from * 8, 8,
                  moved.head<sequence_classification_head>().classifier.weight.data + to * 8);
      moved.head<sequence_classification_head>().classifier.bias.data[to] =
          model.head<sequence_classification_head>().classifier.bias.data[from];
    }
    const model_outputs found = judged(save(folder, other[0], moved, other));
    CHECK(found.logits == expected.logits);
    CHECK(evaluate(found, data, metric_kind::accuracy).metrics.front().second == accuracy);
  }
  // Without the names it would have been another score.
  const model_outputs unnamed = judged(save(folder, "unnamed", model, {}));
  CHECK(unnamed.logits == expected.logits);
}

TEST_CASE("load_classifier: labels that differ in case alone are told apart") {
  const test::temp_folder folder;
  const encoder_tensors<float> model = small_model(2);
  const token_dataset data = examples();
  task_info task = find_task("sst2");
  task.labels.names = {"US", "us"};
  const auto outputs = [&](const strings& labels) {
    return outputs_of(load_classifier(save(folder, labels[0], model, labels), task, 1, false), data).logits;
  };
  const std::vector<float> same = outputs({"US", "us"});
  std::vector<float> swapped = outputs({"us", "US"});
  for (std::size_t i = 0; i < swapped.size(); i += 2) std::swap(swapped[i], swapped[i + 1]);
  CHECK(swapped == same);
  CHECK_THROWS_WITH(outputs({"Us", "uS"}), contains_text("the model has the labels Us, uS"));
}

TEST_CASE("load_classifier: labels that are not the task's are refused, or their head replaced") {
  const test::temp_folder folder;
  const std::string sentiment = save(folder, "sentiment", small_model(2), {"negative", "positive"});
  CHECK(refusal(sentiment, "sst2") == "accepted");
  CHECK_THAT(refusal(sentiment, "rte"),
             contains_text("the labels negative, positive; the task has the labels entailment"));
  CHECK_THAT(refusal(sentiment, "mnli"), contains_text("the labels negative, positive"));
  CHECK_THAT(refusal(sentiment, "stsb"), contains_text("the labels negative, positive; the task has scores"));
  const std::string score = save(folder, "score", small_model(1), {});
  CHECK(refusal(score, "stsb") == "accepted");
  CHECK_THAT(refusal(score, "rte"), contains_text("the model gives one score"));

  const classifier_model moved = load_classifier(sentiment, find_task("mnli"), 5, true);
  CHECK(moved.tensors.config().num_labels == 3);
  CHECK(moved.file.labels == find_task("mnli").labels.names);
  const encoder_tensors<float> before = small_model(2);
  CHECK(std::equal(before.embeddings.word_embeddings.data,
                   before.embeddings.word_embeddings.data + before.embeddings.word_embeddings.size(),
                   moved.tensors.embeddings.word_embeddings.data));
  const tensor<float>& head = moved.tensors.head<sequence_classification_head>().classifier.weight;
  CHECK(std::any_of(head.data, head.data + head.size(), [](float x) { return x != 0; }));
  const classifier_model other_seed = load_classifier(sentiment, find_task("mnli"), 6, true);
  CHECK_FALSE(std::equal(head.data, head.data + head.size(),
                         other_seed.tensors.head<sequence_classification_head>().classifier.weight.data));
}

TEST_CASE("load_classifier: a masked language model has no head for a task") {
  const test::temp_folder folder;
  const std::string masked = save(folder, "masked", small_model(2, {"masked_lm"}), {});
  CHECK_THAT(refusal(masked, "sst2"), contains_text("masked: the model has no classification head"));
  const classifier_model model = load_classifier(masked, find_task("stsb"), 1, true);
  CHECK(model.tensors.config().num_labels == 1);
  CHECK(model.file.document.at("problem_type") == "regression");
  const tensor<float>& inner = model.tensors.head<sequence_classification_head>().pre_classifier.weight;
  CHECK(std::any_of(inner.data, inner.data + inner.size(), [](float x) { return x != 0; }));
}

TEST_CASE("save_classifier: what is saved is what is loaded, with the tokenizer's files") {
  const test::temp_folder folder;
  const std::string first = save(folder, "first", small_model(2), {"positive", "negative"});
  folder.write("first/tokenizer_config.json", "{\"do_lower_case\": false}");
  const std::string vocab = folder.write("vocab.txt", "[PAD]\n");
  const classifier_model model = load_classifier(first, find_task("sst2"), 1, false);
  save_classifier(folder.file("second"), model, vocab, first);
  CHECK(test::file_content(folder.file("second/tokenizer_config.json")) == "{\"do_lower_case\": false}");
  CHECK(test::file_content(folder.file("second/vocab.txt")) == "[PAD]\n");
  const classifier_model again = load_classifier(folder.file("second"), find_task("sst2"), 1, false);
  CHECK(again.file.labels == strings{"negative", "positive"});
  CHECK(std::equal(model.tensors.data(), model.tensors.data() + model.tensors.size(), again.tensors.data()));
}
