// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "glue/options.hpp"
#include "glue/result_files.hpp"
#include "inhibitor/data/task_data.hpp"
#include "inhibitor/pretrained/tokenizer_files.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "support/console.hpp"
#include "support/run_record.hpp"

// One task with one seed: train, evaluate, predict, and everything that is written about it. A finished run is known by
// its run.json, an unfinished one by its checkpoint.

namespace inhibitor::examples {

/// Where models of a job come from.
struct model_source {
  std::string folder;  ///< empty: a new model
  std::string vocab;   ///< vocabulary file
};

/// What a run leaves for the summary and for its resumption; stored as run.json.
struct glue_record {
  run_identity identity;
  run_record run;
  bool is_finished = false;  ///< false: trained and saved, the rest is still to be done
};

/// One run of `glue`.
class glue_run {
 public:
  glue_run(const glue_options& options, const model_source& source, std::string task, std::uint64_t seed,
           std::string folder, const executor& workers)
      : o_(options),
        source_(source),
        task_(std::move(task)),
        seed_(seed),
        folder_(std::move(folder)),
        workers_(workers) {}

  /// The record of the same run when an earlier call has finished it. Throws std::invalid_argument when the folder
  /// holds a run with other settings.
  std::optional<run_record> finished() const {
    const std::optional<glue_record> record = stored();
    if (!record) return std::nullopt;
    check_same_settings(path("run.json"), record->identity, {settings(), {}});
    return record->is_finished ? std::optional<run_record>(record->run) : std::nullopt;
  }

  /// Trains, evaluates and predicts what the options ask for and the data allows; after an earlier call that got as far
  /// as a trained model, only what is left. Throws file_error, std::invalid_argument, interrupted_error and
  /// diverged_error; nothing unfinished is left under a final name.
  run_record run(const tokenized_task& data) {
    std::filesystem::create_directories(folder_);
    const bool will_train = !data.train.empty();
    const std::optional<glue_record> trained = will_train ? stored() : std::nullopt;
    classifier_model model =
        trained ? load_classifier(folder_, data.task, seed_, false, log_to_stderr) : make_model(data.task, will_train);
    glue_record record;
    record.identity.settings = settings();
    add_fingerprints(record.identity.inputs, data);
    if (trained) {
      check_same_run(path("run.json"), trained->identity, record.identity);
      record = *trained;
    } else {
      std::filesystem::remove(path("run.json"));
      record.run = new_record(model.tensors);
      if (will_train) {
        train(model, data.train.front().tokens, record);
        save_classifier(folder_, model, source_.vocab, source_.folder);
        store(record);
      }
    }
    checkpoint_store(path("checkpoint.safetensors")).remove();
    evaluate_all(model.tensors, data, record.run);
    for (const tokenized_split& s : data.test) {
      const model_outputs outputs = finite_outputs(model.tensors, s);
      write_predictions(folder_, data.task, s.suffix, s.submission, outputs);
      fmt::print("predicted {} examples of {}\n", outputs.size(), s.source);
    }
    if (!record.run.details.empty()) write_results(path("all_results.json"), record.run.details);
    record.is_finished = true;
    store(record);
    return record.run;
  }

 private:
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  /// What run.json says; nothing without --resume.
  std::optional<glue_record> stored() const {
    const std::string file = path("run.json");
    if (!o_.resume || !std::filesystem::exists(file)) return std::nullopt;
    const nlohmann::json j = read_json_file(file);
    try {
      return glue_record{run_identity_from(j.at("identity")), run_record_from(j.at("run")), j.at("finished")};
    } catch (const nlohmann::json::exception& e) {
      throw file_error(file, std::string("is no record of a run: ") + e.what());
    }
  }

  void store(const glue_record& r) const {
    write_json_file(path("run.json"),
                    {{"identity", to_json(r.identity)}, {"run", to_json(r.run)}, {"finished", r.is_finished}});
  }

  /// Everything that changes what the run writes: the options, for this one task and seed.
  nlohmann::json settings() const {
    glue_options o = o_;
    o.tasks = {task_};
    o.seeds = {seed_};
    o.model = source_.folder;
    o.vocab = source_.vocab;
    return settings_of(o, source_.folder.empty());
  }

  run_record new_record(const encoder_tensors<float>& model) const {
    run_record r;
    r.name = o_.model.empty() ? o_.size + " " + o_.attention : o_.model;
    r.task = task_;
    r.seed = seed_;
    r.attention = model.config().layer_attention(0);
    r.settings = settings();
    return r;
  }

  classifier_model make_model(const task_info& task, bool will_train) const {
    if (!source_.folder.empty()) return load_classifier(source_.folder, task, seed_, will_train, log_to_stderr);
    const wordpiece tokenizer = load_tokenizer_file(source_.vocab);
    encoder_config config = config_of_size(o_.size);
    config.vocab_size = tokenizer.size();
    config.pad_token_id = tokenizer.pad_id();
    config.dropout = o_.dropout;
    config.attention_dropout = o_.attention_dropout;
    config.set_attention(o_.attention == "inhibitor" ? "inhibitor" : "dot_product");
    return new_classifier(config, task, seed_);
  }

  void train(classifier_model& model, const token_dataset& data, glue_record& record) const {
    stage_plan plan{"train", o_.epochs, o_.batch_size, o_.learning_rate};
    plan.warmup_share = o_.warmup_ratio;
    plan.weight_decay = o_.weight_decay;
    const index_t steps_per_epoch = (data.size() + o_.batch_size - 1) / o_.batch_size;
    training_run run;
    run.name = fmt::format("{} seed {}", task_, seed_);
    run.identity = record.identity;
    run.checkpoint = path("checkpoint.safetensors");
    run.resume = o_.resume;
    run.seed = seed_;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.hooks = console_hooks(run.name);
    run.hooks.epoch_record = [&](const std::string& stage, index_t epoch, double loss) -> nlohmann::json {
      fmt::print(stderr, "{}: epoch {} of {}, loss {:.4f}\n", run.name, epoch, o_.epochs, loss);
      return {{"stage", stage}, {"epoch", epoch}, {"step", epoch * steps_per_epoch}, {"loss", loss}};
    };
    const training_progress result = [&] {
      const checkpoint_promise until_trained;
      return train_stages(model.tensors, {label_stage(plan, data, workers_)}, run, workers_);
    }();
    const nlohmann::json results = train_results(result, o_.epochs, data.size(), o_.epochs * steps_per_epoch);
    write_results(path("train_results.json"), results);
    write_results(path("trainer_state.json"), {{"log_history", result.epochs}});
    print_results("train", results);
    record.run.details.update(results);
    record.run.epochs = result.epochs;
    record.run.train_examples = data.size();
    record.run.train_seconds = result.seconds;
    record.run.train_examples_per_second = static_cast<double>(result.examples) / result.seconds;
  }

  /// Throws file_error with the first example whose answer is not finite.
  model_outputs finite_outputs(const encoder_tensors<float>& model, const tokenized_split& split) const {
    model_outputs outputs = run_model(model, split.tokens, workers_);
    const index_t bad = find_non_finite(outputs.logits.data(), static_cast<index_t>(outputs.logits.size()));
    if (bad < 0) return outputs;
    throw file_error(split.source, fmt::format("the model gives {} for example {}; expected finite numbers",
                                               outputs.logits[static_cast<std::size_t>(bad)], bad / outputs.outputs));
  }

  void evaluate_all(const encoder_tensors<float>& model, const tokenized_task& data, run_record& record) const {
    if (data.validation.empty()) return;
    nlohmann::json results;
    for (const tokenized_split& s : data.validation) {
      const model_outputs outputs = finite_outputs(model, s);
      const evaluation e = evaluate(outputs, s.tokens, data.task.metric);
      std::string suffix = s.suffix;
      std::replace(suffix.begin(), suffix.end(), '-', '_');
      results.update(eval_results(e, outputs.batches, suffix));
      if (&s == &data.validation.front()) {
        std::tie(record.metric, record.value) = main_metric(e.metrics);
        record.loss = e.loss;
        record.dev_examples = e.examples;
        record.examples_per_second = e.examples_per_second();
      }
      for (const auto& [metric, value] : e.metrics) record.metrics[metric + s.suffix] = value;
    }
    if (!data.train.empty()) results["epoch"] = static_cast<double>(o_.epochs);
    write_results(path("eval_results.json"), results);
    print_results("eval", results);
    record.details.update(results);
  }

  const glue_options& o_;
  const model_source& source_;
  std::string task_;
  std::uint64_t seed_;
  std::string folder_;
  const executor& workers_;
};

}  // namespace inhibitor::examples
