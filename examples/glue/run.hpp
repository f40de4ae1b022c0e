// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/training/classifier_model.hpp"
#include "inhibitor/data/task_data.hpp"
#include "glue/options.hpp"
#include "glue/result_files.hpp"

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
  std::uint64_t seed = 0;
  nlohmann::json settings;
  nlohmann::json results = nlohmann::json::object();  ///< all_results.json
  std::string metric;                                 ///< name of the main metric, empty when nothing was evaluated
  double value = 0;                                   ///< its value, NaN where it is undefined
  bool is_finished = false;                           ///< false: trained and saved, the rest is still to be done
};

/// One run of `glue`.
class glue_run {
 public:
  glue_run(const glue_options& options, const model_source& source, std::uint64_t seed, std::string folder,
           const executor& workers)
      : o_(options), source_(source), seed_(seed), folder_(std::move(folder)), workers_(workers) {}

  /// The record of the same run when an earlier call has finished it. Throws std::invalid_argument when the folder
  /// holds a run with other settings.
  std::optional<glue_record> finished(const std::string& task) const {
    std::optional<glue_record> record = stored(task);
    return record && record->is_finished ? record : std::nullopt;
  }

  /// Trains, evaluates and predicts what the options ask for and the data allows; after an earlier call that got as far
  /// as a trained model, only what is left. Throws file_error, std::invalid_argument, interrupted_error and
  /// diverged_error; nothing unfinished is left under a final name.
  glue_record run(const tokenized_task& data) {
    std::filesystem::create_directories(folder_);
    const bool will_train = !data.train.empty();
    glue_record record = stored(data.task.name).value_or(glue_record{});
    const bool is_trained = will_train && !record.settings.is_null();
    classifier_model model =
        is_trained ? load_classifier(folder_, data.task, seed_, false) : make_model(data.task, will_train);
    if (!is_trained) {
      remove_file("run.json");
      record.seed = seed_;
      record.settings = settings(data.task.name);
      if (will_train) {
        train(model, data.task, data.train.front().tokens, record);
        save_classifier(folder_, model, source_.vocab, source_.folder);
        store(record);
        remove_file("checkpoint.safetensors");
      }
    }
    evaluate_all(model.tensors, data, record);
    for (const tokenized_split& s : data.test) {
      const model_outputs outputs = run_model(model.tensors, s.tokens, workers_);
      write_predictions(folder_, data.task, s.suffix, s.submission, outputs);
      fmt::print("predicted {} examples of {}\n", outputs.size(), s.source);
    }
    if (!record.results.empty()) write_results(path("all_results.json"), record.results);
    record.is_finished = true;
    store(record);
    return record;
  }

 private:
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void remove_file(const std::string& name) const { std::filesystem::remove(path(name)); }

  /// What run.json says of the same run; nothing without --resume.
  std::optional<glue_record> stored(const std::string& task) const {
    const std::string file = path("run.json");
    if (!o_.resume || !std::filesystem::exists(file)) return std::nullopt;
    const nlohmann::json j = read_json_file(file);
    try {
      check(j.at("settings") == settings(task),
            [&] { return file + ": made with other settings: " + j.at("settings").dump() + "; choose another --out"; });
      const nlohmann::json& value = j.at("value");
      return glue_record{seed_,
                         j.at("settings"),
                         j.at("results"),
                         j.at("metric"),
                         value.is_null() ? std::nan("") : value.get<double>(),
                         j.at("finished")};
    } catch (const nlohmann::json::exception& e) {
      throw file_error(file, std::string("is no record of a run: ") + e.what());
    }
  }

  void store(const glue_record& r) const {
    write_json_file(path("run.json"), {{"settings", r.settings},
                                       {"results", r.results},
                                       {"metric", r.metric},
                                       {"value", json_number(r.value)},
                                       {"finished", r.is_finished}});
  }

  /// Everything that changes what the run writes.
  nlohmann::json settings(const std::string& task) const {
    nlohmann::json s = {{"task", task},
                        {"data", o_.data},
                        {"train_file", o_.files.train},
                        {"validation_file", o_.files.validation},
                        {"test_file", o_.files.test},
                        {"do_train", o_.do_train},
                        {"do_eval", o_.do_eval},
                        {"do_predict", o_.do_predict},
                        {"model", source_.folder},
                        {"vocab", source_.vocab},
                        {"seed", seed_},
                        {"epochs", o_.epochs},
                        {"batch_size", o_.batch_size},
                        {"learning_rate", o_.peak_rate()},
                        {"warmup_ratio", o_.warmup_ratio},
                        {"weight_decay", o_.weight_decay},
                        {"max_seq_length", o_.max_seq_length},
                        {"max_train_samples", o_.max_train_samples},
                        {"max_eval_samples", o_.max_eval_samples},
                        {"max_predict_samples", o_.max_predict_samples}};
    if (source_.folder.empty()) {
      s.update({{"size", o_.size},
                {"attention", o_.attention},
                {"dropout", o_.dropout},
                {"attention_dropout", o_.attention_dropout}});
    }
    return s;
  }

  classifier_model make_model(const task_info& task, bool will_train) const {
    if (!source_.folder.empty()) return load_classifier(source_.folder, task, seed_, will_train);
    const wordpiece tokenizer = wordpiece::load(source_.vocab);
    encoder_config config = config_of_size(o_.size);
    config.vocab_size = tokenizer.size();
    config.pad_token_id = tokenizer.pad_id();
    config.dropout = o_.dropout;
    config.attention_dropout = o_.attention_dropout;
    config.set_attention(o_.attention == "inhibitor" ? "inhibitor" : "dot_product");
    return new_classifier(config, task, seed_);
  }

  void train(classifier_model& model, const task_info& task, const token_dataset& data, glue_record& record) const {
    stage_plan plan{"train", o_.epochs, o_.batch_size, o_.peak_rate()};
    plan.warmup_share = o_.warmup_ratio;
    plan.weight_decay = o_.weight_decay;
    const index_t steps_per_epoch = (data.size() + o_.batch_size - 1) / o_.batch_size;
    training_run run;
    run.name = fmt::format("{} seed {}", task.name, seed_);
    run.settings = record.settings.dump();
    run.checkpoint = path("checkpoint.safetensors");
    run.resume = o_.resume;
    run.seed = seed_;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.epoch_record = [&](const std::string&, index_t epoch, double loss) -> nlohmann::json {
      fmt::print(stderr, "{}: epoch {} of {}, loss {:.4f}\n", run.name, epoch, o_.epochs, loss);
      return {{"epoch", epoch}, {"step", epoch * steps_per_epoch}, {"loss", loss}};
    };
    const training_result result = train_stages(model.tensors, {label_stage(plan, data, workers_)}, run, workers_);
    const nlohmann::json results = train_results(result, o_.epochs, data.size(), o_.epochs * steps_per_epoch);
    write_results(path("train_results.json"), results);
    write_results(path("trainer_state.json"), {{"log_history", result.epochs}});
    print_results("train", results);
    record.results.update(results);
  }

  void evaluate_all(const encoder_tensors<float>& model, const tokenized_task& data, glue_record& record) const {
    if (data.validation.empty()) return;
    nlohmann::json results;
    for (const tokenized_split& s : data.validation) {
      const model_outputs outputs = run_model(model, s.tokens, workers_);
      const evaluation e = evaluate(outputs, s.tokens, data.task.metric);
      std::string suffix = s.suffix;
      std::replace(suffix.begin(), suffix.end(), '-', '_');
      results.update(eval_results(e, outputs.batches, suffix));
      if (record.metric.empty()) std::tie(record.metric, record.value) = main_metric(e.metrics);
    }
    if (!data.train.empty()) results["epoch"] = static_cast<double>(o_.epochs);
    write_results(path("eval_results.json"), results);
    print_results("eval", results);
    record.results.update(results);
  }

  const glue_options& o_;
  const model_source& source_;
  std::uint64_t seed_;
  std::string folder_;
  const executor& workers_;
};

}  // namespace inhibitor::examples
