// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "distill/options.hpp"
#include "distill/runs.hpp"
#include "inhibitor/data/glue_tasks.hpp"
#include "inhibitor/models/sizes.hpp"
#include "support/cli11.hpp"
#include "support/number_checks.hpp"
#include "support/option_table.hpp"

// The options of `distill`.

namespace inhibitor::examples {

/// What `--task` takes: everything that can be trained.
inline std::vector<std::string> distill_tasks() {
  std::vector<std::string> names = task_names();
  names.erase(std::remove(names.begin(), names.end(), "ax"), names.end());
  names.emplace_back("all");
  return names;
}

/// Declares the options. Values land in `o` when the caller parses.
inline void declare_options(option_table& t, distill_options& o) {
  const auto numbers = option_effect::numbers, none = option_effect::none;
  t.group("Data");
  t.add({"task", "tasks"}, o.tasks, numbers, "Tasks, separated by commas; all: every task found in --data")
      ->check(CLI::IsMember(distill_tasks()));
  t.add({"data"}, o.data, numbers,
        "Folder of the task, or folders with the tasks' folders, separated by commas; default: embedded corpus");
  t.add({"vocab"}, o.vocab, numbers, "WordPiece vocabulary (vocab.txt); default: the teacher's or embedded corpus's");
  t.add({"text"}, o.text, numbers, "Raw text for E1, one sample per line; default: the training sentences");
  t.add({"max-seq-length"}, o.max_seq_length, numbers, "Tokens per example, [CLS] and [SEP] included")
      ->check(CLI::Range(index_t{2}, index_t{512}));
  t.add({"max-train-samples"}, o.max_train_samples, numbers, "Use only this many training examples; 0: all")
      ->check(non_negative());

  t.group("Models");
  t.add({"size"}, o.size, numbers,
        "Model size: tiny 2x128, mini 4x256, small 4x512, base 6x768; default: the teacher's, or tiny")
      ->check(CLI::IsMember(model_sizes()));
  t.add({"teacher"}, o.teacher, numbers,
        "Model folder of a trained teacher; {task} and {seed} in it stand for those; default: train one");
  t.add({"teacher-layers"}, o.teacher_layers, numbers,
        "Layers of a deeper --teacher, one for each of the student's, separated by commas: 0,2,4,7,9,11 makes a "
        "DistilBERT of a BERT")
      ->check(non_negative());
  t.add({"student"}, o.student, numbers,
        "Model folder that E1, E2 and control start from, as for --teacher; default: the teacher's weights");
  t.add({"dropout"}, o.dropout, numbers, "Dropout of embeddings and feed-forward output")->check(CLI::Range(0.0, 0.9));
  t.add({"attention-dropout"}, o.attention_dropout, numbers, "Share of keys dropped per example in training")
      ->check(CLI::Range(0.0, 0.9));

  t.group("Training");
  std::vector<std::string> runs;
  for (const distill_run& run : distill_runs()) runs.push_back(run.option);
  if (o.stages.empty()) o.stages = runs;
  // Which runs are made changes none of them, so a job may be resumed for more.
  t.add({"stages"}, o.stages, none, "What to run, separated by commas")->check(CLI::IsMember(runs));
  t.add({"epochs"}, o.epochs, numbers,
        "Epochs of the teacher, of E2 and of the control; 0: 2 with --data, 6 on the embedded corpus")
      ->check(non_negative());
  t.add({"layer-epochs"}, o.layer_epochs, numbers, "Epochs per layer of E1's layer-wise stage")->check(positive());
  t.add({"full-epochs"}, o.full_epochs, numbers, "Epochs of E1's full-layer stage")->check(positive());
  t.add({"fine-tune-epochs"}, o.fine_tune_epochs, numbers, "Epochs of E1's fine-tuning on the labels")
      ->check(positive());
  t.add({"batch-size"}, o.batch_size, numbers, "Examples per step")->check(positive());
  t.add({"learning-rate"}, o.learning_rate, numbers, "Peak rate of every stage but E1's fine-tuning")
      ->check(positive());
  t.add({"fine-tune-learning-rate"}, o.fine_tune_learning_rate, numbers, "Peak rate of E1's fine-tuning")
      ->check(positive());
  t.add({"weight-decay"}, o.weight_decay, numbers, "Decoupled weight decay")->check(non_negative());
  t.add({"temperature"}, o.temperature, numbers, "Temperature of E2's soft probabilities")->check(positive());
  t.add({"kl-weight"}, o.kl_weight, numbers, "Weight of E2's soft-probability loss")->check(non_negative());
  t.add({"hidden-weight"}, o.hidden_weight, numbers, "Weight of E2's hidden-state loss")->check(non_negative());
  t.add({"label-weight"}, o.label_weight, numbers, "Weight of E2's label loss")->check(non_negative());
  t.add({"seed", "seeds"}, o.seeds, numbers, "Seeds of initial weights, order and dropout, separated by commas");
  t.add({"threads"}, o.threads, none, "OpenMP threads; 0: all. Results do not depend on it")->check(non_negative());

  t.group("Output");
  t.add({"out"}, o.out, none, "Folder for models, results.json and report.md");
  t.add({"resume"}, o.resume, none, "Go on from the checkpoint in --out");
  t.add({"checkpoint-seconds"}, o.checkpoint_seconds, none, "Time between checkpoints")->check(positive());
}

}  // namespace inhibitor::examples
