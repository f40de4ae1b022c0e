// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/json_config.hpp"
#include "inhibitor/models/sizes.hpp"
#include "support/option_names.hpp"
#include "inhibitor/data/task_data.hpp"

namespace inhibitor::examples {

/// Everything the command line of `glue` says.
struct glue_options {
  std::string model;  ///< folder to start from; empty: a new model of `size`
  std::string size = "tiny";
  std::string attention = "dot_product";
  std::string vocab;  ///< vocab.txt of a new model
  std::vector<std::string> tasks;
  std::vector<std::string> data;
  custom_files files;
  std::string out;
  bool do_train = false, do_eval = false, do_predict = false;
  std::vector<std::uint64_t> seeds{42};
  index_t epochs = 3;
  index_t batch_size = 32;
  double learning_rate = 0;  ///< 0: peak_rate()
  double warmup_ratio = 0.1;
  double weight_decay = 0.01;
  double dropout = 0.1, attention_dropout = 0.1;  ///< of a new model
  index_t max_seq_length = 128;
  index_t max_train_samples = 0, max_eval_samples = 0, max_predict_samples = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
  double checkpoint_seconds = 120;

  bool is_all() const { return tasks.size() == 1 && tasks.front() == "all"; }
  double peak_rate() const { return learning_rate > 0 ? learning_rate : model.empty() ? 5e-4 : 5e-5; }
  data_request request() const {
    return {do_train, do_eval, do_predict, max_train_samples, max_eval_samples, max_predict_samples};
  }
};

/// Declares the options on `app`. Values land in `o` when the caller parses.
inline void add_options(CLI::App& app, glue_options& o) {
  const auto names = [](std::initializer_list<std::string> spellings) { return option_names(spellings); };
  std::vector<std::string> tasks = task_names();
  tasks.emplace_back("all");
  app.description(
      "Fine-tunes, evaluates and predicts on the GLUE tasks, IMDB and your own data, with options and files as\n"
      "run_glue.py has them. Without --model a new model is trained from scratch.");
  app.option_defaults()->always_capture_default();

  auto* model = app.add_option(names({"model", "model-name-or-path"}), o.model,
                               "Model folder to start from; {task} and {seed} in it stand for those")
                    ->group("Model");
  app.add_option("--size", o.size, "New model: tiny 2x128, mini 4x256, small 4x512, base 6x768")
      ->check(CLI::IsMember(model_sizes()))
      ->excludes(model)
      ->group("Model");
  app.add_option("--attention", o.attention, "New model: its mechanism")
      ->check(CLI::IsMember({"dot_product", "inhibitor"}))
      ->excludes(model)
      ->group("Model");
  app.add_option("--vocab", o.vocab, "New model: WordPiece vocabulary (vocab.txt)")->excludes(model)->group("Model");

  app.add_option(names({"task", "task-name"}), o.tasks, "Tasks, separated by commas; all: every task found")
      ->delimiter(',')
      ->check(CLI::IsMember(tasks))
      ->group("Data");
  app.add_option(names({"data", "data-dir"}), o.data,
                 "Folders with the tasks' folders, separated by commas, or of the one task")
      ->delimiter(',')
      ->group("Data");
  app.add_option(names({"train-file"}), o.files.train, "Own training data: csv, tsv, json or jsonl")->group("Data");
  app.add_option(names({"validation-file"}), o.files.validation, "Own data to evaluate on")->group("Data");
  app.add_option(names({"test-file"}), o.files.test, "Own data to predict")->group("Data");
  app.add_option(names({"max-seq-length"}), o.max_seq_length, "Tokens per example, special ones included")
      ->check(CLI::Range(index_t{3}, index_t{100000}))
      ->group("Data");
  for (const auto& [name, place, what] : {std::tuple("max-train-samples", &o.max_train_samples, "training"),
                                          std::tuple("max-eval-samples", &o.max_eval_samples, "evaluation"),
                                          std::tuple("max-predict-samples", &o.max_predict_samples, "prediction")}) {
    app.add_option(names({name}), *place, std::string("Use only so many first examples in ") + what + "; 0: all")
        ->check(CLI::NonNegativeNumber)
        ->group("Data");
  }

  app.add_option(names({"out", "output-dir"}), o.out, "Folder for everything that is written")
      ->required()
      ->group("Output");
  app.add_flag(names({"overwrite-output-dir"}), o.overwrite, "Write into a folder that is not empty")->group("Output");
  app.add_flag("--resume", o.resume, "Go on with an unfinished job in --out; finished tasks are kept")->group("Output");
  app.add_option(names({"checkpoint-seconds"}), o.checkpoint_seconds, "Time between checkpoints")
      ->check(CLI::PositiveNumber)
      ->group("Output");

  app.add_flag(names({"do-train"}), o.do_train, "Train on the training data")->group("What to do");
  app.add_flag(names({"do-eval"}), o.do_eval, "Evaluate on the validation data")->group("What to do");
  app.add_flag(names({"do-predict"}), o.do_predict, "Predict the test data")->group("What to do");

  app.add_option(names({"seeds", "seed"}), o.seeds, "Seeds, separated by commas: one run of every task for each")
      ->delimiter(',')
      ->group("Training");
  app.add_option(names({"epochs", "num-train-epochs"}), o.epochs, "Passes over the training data")
      ->check(CLI::PositiveNumber)
      ->group("Training");
  app.add_option(names({"batch-size", "per-device-train-batch-size"}), o.batch_size, "Examples per step")
      ->check(CLI::PositiveNumber)
      ->group("Training");
  app.add_option(names({"learning-rate"}), o.learning_rate, "Peak rate; 0: 5e-5 with --model, 5e-4 for a new model")
      ->check(CLI::NonNegativeNumber)
      ->group("Training");
  app.add_option(names({"warmup-ratio"}), o.warmup_ratio, "Share of the steps in which the rate rises")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Training");
  app.add_option(names({"weight-decay"}), o.weight_decay, "Decoupled weight decay")
      ->check(CLI::NonNegativeNumber)
      ->group("Training");
  app.add_option("--dropout", o.dropout, "New model: dropout of embeddings and feed-forward output")
      ->check(CLI::Range(0.0, 0.9))
      ->group("Training");
  app.add_option(names({"attention-dropout"}), o.attention_dropout, "New model: share of keys dropped in training")
      ->check(CLI::Range(0.0, 0.9))
      ->group("Training");
  app.add_option("--threads", o.threads, "OpenMP threads; 0: all. Results do not depend on it")
      ->check(CLI::NonNegativeNumber)
      ->group("Training");
  app.config_formatter(std::make_shared<json_config>());
  app.set_config("--config", "", "JSON file with these options, names without dashes; the command line wins");
}

/// Throws std::invalid_argument for options that do not go together.
inline void check_options(const glue_options& o) {
  check(o.do_train || o.do_eval || o.do_predict,
        std::string("nothing to do: give --do-train, --do-eval or --do-predict"));
  check(o.tasks.empty() != !o.files.any(), std::string("give either --task, or --train-file, --validation-file and "
                                                       "--test-file for data of your own"));
  check(o.tasks.empty() || !o.data.empty(), std::string("--task needs --data, the folder its files are in"));
  check(!o.model.empty() || o.do_train, std::string("a new model must be trained: give --do-train, or --model"));
  check(!o.model.empty() || !o.vocab.empty(), std::string("a new model needs --vocab; or give --model"));
  check(!o.files.any() || !o.do_train || !o.files.train.empty(), std::string("--do-train needs --train-file"));
  check(!o.files.any() || !o.do_eval || !o.files.validation.empty(), std::string("--do-eval needs --validation-file"));
  check(!o.files.any() || !o.do_predict || !o.files.test.empty(), std::string("--do-predict needs --test-file"));
  check(!o.seeds.empty(), std::string("--seeds is empty"));
}

}  // namespace inhibitor::examples
