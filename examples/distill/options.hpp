// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/json_config.hpp"
#include "inhibitor/models/sizes.hpp"
#include "inhibitor/data/tasks.hpp"
#include "inhibitor/models/bert/config.hpp"

namespace inhibitor::examples {

/// Everything the command line of `distill` says. A distill_job is given one task and one seed of it.
struct distill_options {
  std::vector<std::string> tasks{"sst2"};
  std::string task = "sst2";      ///< the job's
  std::vector<std::string> data;  ///< folder of the task, or folders with tasks; empty: the embedded corpus
  std::string vocab;              ///< vocab.txt; empty: the teacher's, or the embedded corpus's
  std::string size;               ///< empty: the teacher's, or tiny
  index_t max_seq_length = 128;
  index_t max_train_samples = 0;  ///< 0: all
  index_t epochs = 0;             ///< 0: label_epochs()
  index_t layer_epochs = 1;
  index_t full_epochs = 1;
  index_t fine_tune_epochs = 1;
  index_t batch_size = 32;
  double learning_rate = 5e-4;
  double fine_tune_learning_rate = 2e-5;
  double weight_decay = 0.01;
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double temperature = 2;
  double kl_weight = 0.5, hidden_weight = 0.5, label_weight = 0.5;
  std::vector<std::uint64_t> seeds{42};
  std::uint64_t seed = 42;  ///< the job's
  int threads = 0;
  std::string teacher, student;
  std::vector<index_t> teacher_layers;  ///< teacher layer for every student layer; empty: the same ones
  std::vector<std::string> stages{"teacher", "e1", "e2", "control"};
  std::vector<std::string> text;
  std::string out = "runs/distill";
  std::string cache;  ///< folder of tokenized data
  bool resume = false;
  double checkpoint_seconds = 120;

  bool has_stage(const std::string& name) const {
    return std::find(stages.begin(), stages.end(), name) != stages.end();
  }
  bool embedded() const { return data.empty(); }
  /// A corpus of 7,000 sentences needs more passes than one of 67,000.
  index_t label_epochs() const { return epochs > 0 ? epochs : embedded() ? 6 : 2; }
};

/// What `--task` takes: everything that can be trained.
inline std::vector<std::string> distill_tasks() {
  std::vector<std::string> names = task_names();
  names.erase(std::remove(names.begin(), names.end(), "ax"), names.end());
  names.emplace_back("all");
  return names;
}

/// Declares the options on `app`. Values land in `o` when the caller parses.
inline void add_options(CLI::App& app, distill_options& o) {
  app.description(
      "Trains a dot-product teacher, distills it into inhibitor-attention students and evaluates all of them.\n"
      "Without --data it runs on a small embedded corpus and needs nothing else.");
  app.option_defaults()->always_capture_default();
  app.add_option("--task,--tasks", o.tasks, "Tasks, separated by commas; all: every task found in --data")
      ->delimiter(',')
      ->check(CLI::IsMember(distill_tasks()));
  app.add_option(
         "--data", o.data,
         "Folder of the task, or folders with the tasks' folders, separated by commas; default: embedded corpus")
      ->delimiter(',');
  app.add_option("--vocab", o.vocab, "WordPiece vocabulary (vocab.txt); default: the teacher's or embedded corpus's");
  app.add_option("--size", o.size,
                 "Model size: tiny 2x128, mini 4x256, small 4x512, base 6x768; default: the teacher's, or tiny")
      ->check(CLI::IsMember(model_sizes()));
  app.add_option("--max-seq-length", o.max_seq_length, "Tokens per example, [CLS] and [SEP] included")
      ->check(CLI::Range(index_t{2}, index_t{512}));
  app.add_option("--max-train-samples", o.max_train_samples, "Use only this many training examples; 0: all")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--epochs", o.epochs,
                 "Epochs of the teacher, of E2 and of the control; 0: 2 with --data, 6 on the embedded corpus")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--layer-epochs", o.layer_epochs, "Epochs per layer of E1's layer-wise stage")
      ->check(CLI::PositiveNumber);
  app.add_option("--full-epochs", o.full_epochs, "Epochs of E1's full-layer stage")->check(CLI::PositiveNumber);
  app.add_option("--fine-tune-epochs", o.fine_tune_epochs, "Epochs of E1's fine-tuning on the labels")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-size", o.batch_size, "Examples per step")->check(CLI::PositiveNumber);
  app.add_option("--learning-rate", o.learning_rate, "Peak rate of every stage but E1's fine-tuning")
      ->check(CLI::PositiveNumber);
  app.add_option("--fine-tune-learning-rate", o.fine_tune_learning_rate, "Peak rate of E1's fine-tuning")
      ->check(CLI::PositiveNumber);
  app.add_option("--weight-decay", o.weight_decay, "Decoupled weight decay")->check(CLI::NonNegativeNumber);
  app.add_option("--dropout", o.dropout, "Dropout of embeddings and feed-forward output")->check(CLI::Range(0.0, 0.9));
  app.add_option("--attention-dropout", o.attention_dropout, "Share of keys dropped per example in training")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--temperature", o.temperature, "Temperature of E2's soft probabilities")->check(CLI::PositiveNumber);
  app.add_option("--kl-weight", o.kl_weight, "Weight of E2's soft-probability loss")->check(CLI::NonNegativeNumber);
  app.add_option("--hidden-weight", o.hidden_weight, "Weight of E2's hidden-state loss")->check(CLI::NonNegativeNumber);
  app.add_option("--label-weight", o.label_weight, "Weight of E2's label loss")->check(CLI::NonNegativeNumber);
  app.add_option("--seed,--seeds", o.seeds, "Seeds of initial weights, order and dropout, separated by commas")
      ->delimiter(',');
  app.add_option("--threads", o.threads, "OpenMP threads; 0: all. Results do not depend on it")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--teacher", o.teacher,
                 "Model folder of a trained teacher; {task} and {seed} in it stand for those; default: train one");
  app.add_option("--teacher-layers", o.teacher_layers,
                 "Layers of a deeper --teacher, one for each of the student's, separated by commas: 0,2,4,7,9,11 makes "
                 "a DistilBERT of a BERT")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  app.add_option("--student", o.student,
                 "Model folder that E1, E2 and control start from, as for --teacher; default: the teacher's weights");
  app.add_option("--stages", o.stages, "What to run, separated by commas: teacher,e1,e2,control")
      ->delimiter(',')
      ->check(CLI::IsMember({"teacher", "e1", "e2", "control"}));
  app.add_option("--text", o.text, "Raw text for E1, one sample per line; default: the training sentences");
  app.add_option("--out", o.out, "Folder for models, results.json and report.md");
  app.add_flag("--resume", o.resume, "Go on from the checkpoint in --out");
  app.add_option("--checkpoint-seconds", o.checkpoint_seconds, "Time between checkpoints")->check(CLI::PositiveNumber);
  app.config_formatter(std::make_shared<json_config>());
  app.set_config("--config", "", "JSON file with these options, names without dashes; the command line wins");
}

}  // namespace inhibitor::examples
