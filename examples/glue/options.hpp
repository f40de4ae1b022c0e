// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "inhibitor/data/glue_tasks.hpp"
#include "inhibitor/data/task_data.hpp"
#include "inhibitor/models/sizes.hpp"
#include "support/cli11.hpp"
#include "support/number_checks.hpp"
#include "support/option_table.hpp"

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
  double learning_rate = 0;  ///< 0: see resolve_defaults
  double warmup_ratio = 0.1;
  double weight_decay = 0.01;
  double dropout = 0.1, attention_dropout = 0.1;  ///< of a new model
  index_t max_seq_length = 128;
  index_t max_train_samples = 0, max_eval_samples = 0, max_predict_samples = 0;
  int threads = 0;
  bool resume = false, overwrite = false;
  double checkpoint_seconds = 120;

  bool is_all() const { return tasks.size() == 1 && tasks.front() == "all"; }
  data_request request() const {
    return {do_train, do_eval, do_predict, max_train_samples, max_eval_samples, max_predict_samples};
  }
  /// Puts values in the place of "as fits the rest".
  void resolve_defaults() {
    if (learning_rate == 0) learning_rate = model.empty() ? 5e-4 : 5e-5;
  }
};

/// Declares the options. Values land in `o` when the caller parses.
inline void declare_options(option_table& t, glue_options& o) {
  const auto numbers = option_effect::numbers, new_model = option_effect::new_model, none = option_effect::none;
  std::vector<std::string> tasks = task_names();
  tasks.emplace_back("all");

  t.group("Model");
  auto* model = t.add({"model", "model-name-or-path"}, o.model, numbers,
                      "Model folder to start from; {task} and {seed} in it stand for those");
  t.add({"size"}, o.size, new_model, "New model: tiny 2x128, mini 4x256, small 4x512, base 6x768")
      ->check(CLI::IsMember(model_sizes()))
      ->excludes(model);
  t.add({"attention"}, o.attention, new_model, "New model: its mechanism")
      ->check(CLI::IsMember({"dot_product", "inhibitor"}))
      ->excludes(model);
  t.add({"vocab"}, o.vocab, numbers, "New model: WordPiece vocabulary (vocab.txt)")->excludes(model);

  t.group("Data");
  t.add({"task", "task-name"}, o.tasks, numbers, "Tasks, separated by commas; all: every task found")
      ->check(CLI::IsMember(tasks));
  t.add({"data", "data-dir"}, o.data, numbers,
        "Folders with the tasks' folders, separated by commas, or of the one task");
  t.add({"train-file"}, o.files.train, numbers, "Own training data: csv, tsv, json or jsonl");
  t.add({"validation-file"}, o.files.validation, numbers, "Own data to evaluate on");
  t.add({"test-file"}, o.files.test, numbers, "Own data to predict");
  t.add({"max-seq-length"}, o.max_seq_length, numbers, "Tokens per example, special ones included")
      ->check(CLI::Range(index_t{3}, index_t{100000}));
  for (const auto& [name, place, what] : {std::tuple("max-train-samples", &o.max_train_samples, "training"),
                                          std::tuple("max-eval-samples", &o.max_eval_samples, "evaluation"),
                                          std::tuple("max-predict-samples", &o.max_predict_samples, "prediction")}) {
    t.add({name}, *place, numbers, std::string("Use only so many first examples in ") + what + "; 0: all")
        ->check(non_negative());
  }

  t.group("Output");
  t.add({"out", "output-dir"}, o.out, none, "Folder for everything that is written")->required();
  t.add({"overwrite-output-dir"}, o.overwrite, none, "Write into a folder that is not empty");
  t.add({"resume"}, o.resume, none, "Go on with an unfinished job in --out; finished tasks are kept");
  t.add({"checkpoint-seconds"}, o.checkpoint_seconds, none, "Time between checkpoints")->check(positive());

  t.group("What to do");
  t.add({"do-train"}, o.do_train, numbers, "Train on the training data");
  t.add({"do-eval"}, o.do_eval, numbers, "Evaluate on the validation data");
  t.add({"do-predict"}, o.do_predict, numbers, "Predict the test data");

  t.group("Training");
  t.add({"seeds", "seed"}, o.seeds, numbers, "Seeds, separated by commas: one run of every task for each");
  t.add({"epochs", "num-train-epochs"}, o.epochs, numbers, "Passes over the training data")->check(positive());
  t.add({"batch-size", "per-device-train-batch-size"}, o.batch_size, numbers, "Examples per step")->check(positive());
  t.add({"learning-rate"}, o.learning_rate, numbers, "Peak rate; 0: 5e-5 with --model, 5e-4 for a new model")
      ->check(non_negative());
  t.add({"warmup-ratio"}, o.warmup_ratio, numbers, "Share of the steps in which the rate rises")
      ->check(CLI::Range(0.0, 1.0));
  t.add({"weight-decay"}, o.weight_decay, numbers, "Decoupled weight decay")->check(non_negative());
  t.add({"dropout"}, o.dropout, new_model, "New model: dropout of embeddings and feed-forward output")
      ->check(CLI::Range(0.0, 0.9));
  t.add({"attention-dropout"}, o.attention_dropout, new_model, "New model: share of keys dropped in training")
      ->check(CLI::Range(0.0, 0.9));
  t.add({"threads"}, o.threads, none, "OpenMP threads; 0: all. Results do not depend on it")->check(non_negative());
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
