// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor::examples {

/// Everything the command line of `distill` says. A distill_job is given one task and one seed of it.
struct distill_options {
  std::vector<std::string> tasks{"sst2"};
  std::vector<std::string> data;  ///< folder of the task, or folders with tasks; empty: the embedded corpus
  std::string vocab;              ///< vocab.txt; empty: the teacher's, or the embedded corpus's
  std::string size;               ///< empty: the teacher's, or tiny
  index_t max_seq_length = 128;
  index_t max_train_samples = 0;  ///< 0: all
  index_t epochs = 0;             ///< 0: see resolve_defaults
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
  int threads = 0;
  std::string teacher, student;
  std::vector<index_t> teacher_layers;  ///< teacher layer for every student layer; empty: the same ones
  std::vector<std::string> stages;      ///< options of the runs to make, see distill_runs
  std::vector<std::string> text;
  std::string out = "runs/distill";
  std::string cache;  ///< folder of tokenized data
  bool resume = false;
  double checkpoint_seconds = 120;

  const std::string& task() const { return tasks.front(); }
  std::uint64_t seed() const { return seeds.front(); }
  bool has_stage(const std::string& name) const {
    return std::find(stages.begin(), stages.end(), name) != stages.end();
  }
  bool embedded() const { return data.empty(); }

  /// Puts values in the place of "as fits the rest".
  void resolve_defaults() {
    // A corpus of 7,000 sentences needs more passes than one of 67,000.
    if (epochs == 0) epochs = embedded() ? 6 : 2;
    if (size.empty() && teacher.empty()) size = "tiny";
  }
};

}  // namespace inhibitor::examples
