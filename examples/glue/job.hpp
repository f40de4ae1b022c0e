// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "glue/run.hpp"
#include "inhibitor/pretrained/text_model.hpp"
#include "support/console.hpp"
#include "support/model_path.hpp"
#include "support/output_folder.hpp"
#include "support/printable.hpp"

// One call of `glue`: its tasks one after the other, each with every seed, and the summary of all of them.

namespace inhibitor::examples {

/// What became of one task.
struct task_outcome {
  const task_info* task = nullptr;
  std::string title;
  std::vector<run_record> runs;
  std::string failure;  ///< empty: none
};

class glue_job {
 public:
  /// Prepares the output folder. Throws std::invalid_argument when it is in use.
  glue_job(const glue_options& options, const std::string& command, const executor& workers)
      : o_(options), workers_(workers) {
    namespace fs = std::filesystem;
    check_options(o_);
    o_.resolve_defaults();
    std::error_code error;
    const bool is_empty = !fs::exists(o_.out) || fs::is_empty(o_.out, error);
    check(is_empty || o_.resume || o_.overwrite, [&] {
      return o_.out + " is not empty; add --resume to go on with the job in it, --overwrite-output-dir to replace it";
    });
    if (!is_empty && o_.overwrite && !o_.resume) remove_marks();
    fs::create_directories(o_.out);
    command_ = begin_job(o_.out, command, o_.resume);
  }

  /// Runs everything and writes results.json. Returns 0, or 1 when a task among several failed; of one task alone the
  /// exception passes through, as does interrupted_error always.
  int run() {
    const std::vector<std::string> names = wanted_tasks();
    const bool is_alone = names.size() == 1 && !o_.is_all();
    for (const std::string& name : names) {
      outcomes_.push_back({});
      task_outcome& outcome = outcomes_.back();
      try {
        run_task(name, outcome, is_alone);
      } catch (const interrupted_error&) {
        throw;
      } catch (const std::exception& e) {
        if (is_alone) throw;
        outcome.failure = e.what();
        fmt::print(stderr, "glue: {} failed: {}\n", outcome.title, e.what());
      }
      write_summary();
    }
    fmt::print("\n{}", table());
    for (const std::string& title : not_found_) fmt::print("{}: not found below {}\n", title, folders_text(o_.data));
    if (lacks_mnli_) fmt::print("AX: not predicted; that needs a model of MNLI, and none was trained here\n");
    const bool has_failed =
        std::any_of(outcomes_.begin(), outcomes_.end(), [](const auto& t) { return !t.failure.empty(); });
    return has_failed ? 1 : 0;
  }

 private:
  /// Files of an older job that would be taken for this one's.
  void remove_marks() const {
    namespace fs = std::filesystem;
    std::vector<fs::path> marks;
    for (const auto& entry : fs::recursive_directory_iterator(o_.out)) {
      const std::string name = entry.path().filename().string();
      if (name == "run.json" || name.rfind("checkpoint.safetensors", 0) == 0) marks.push_back(entry.path());
    }
    for (const fs::path& mark : marks) fs::remove(mark);
  }

  std::vector<std::string> wanted_tasks() {
    if (o_.files.any()) return {"custom"};
    if (!o_.is_all()) return o_.tasks;
    std::vector<std::string> names;
    for (const task_info& task : known_tasks()) {
      if (find_task_folder(task, o_.data).empty()) {
        not_found_.push_back(task.title);
      } else {
        names.push_back(task.name);
      }
    }
    const bool has_mnli = std::find(names.begin(), names.end(), "mnli") != names.end();
    const auto diagnostic = std::find(names.begin(), names.end(), "ax");
    lacks_mnli_ = o_.do_train && !has_mnli && diagnostic != names.end();
    if (lacks_mnli_) names.erase(diagnostic);
    check(!names.empty(),
          [&] { return folders_text(o_.data) + ": no task that is known; expected folders CoLA, SST-2, ..., IMDB"; });
    return names;
  }

  task_examples read(const std::string& name, const model_source& source, bool is_alone) const {
    if (o_.files.any()) {
      label_set known;
      if (!source.folder.empty()) {
        known.names = read_model_config(source.folder + "/config.json").labels;
        known.is_regression = known.names.size() == 1;
        if (known.is_regression) known.names.clear();
      }
      return read_custom(o_.files, known, o_.request());
    }
    const task_info& task = find_task(name);
    std::string folder = find_task_folder(task, o_.data);
    if (folder.empty() && is_alone) folder = o_.data.front();
    if (folder.empty()) throw file_error(folders_text(o_.data), "no folder of " + task.title);
    fmt::print(stderr, "{}: data of {}\n", task.title, folder);
    task_examples examples = read_task(task, folder, o_.request());
    if (o_.do_predict && examples.test.empty()) {
      if (is_alone && !o_.do_train && !o_.do_eval) throw file_error(folder, "holds no test file of " + task.title);
      fmt::print(stderr, "{}: no test file, nothing is predicted\n", task.title);
    }
    if (name == "imdb" && o_.do_eval) fmt::print(stderr, "IMDB has no dev split: evaluated on its test reviews\n");
    return examples;
  }

  /// The diagnostic set has no training data: a model of MNLI is what it is for.
  model_source source_for(const std::string& task, std::uint64_t seed) const {
    if (o_.model.empty() && task != "ax") return {"", o_.vocab};
    if (task != "ax" || !o_.do_train) {
      const std::string folder = model_path(o_.model, task == "ax" ? "mnli" : task, seed);
      return {folder, vocabulary_file(folder)};
    }
    for (const task_outcome& other : outcomes_) {
      if (other.task == nullptr || other.task->name != "mnli" || !other.failure.empty()) continue;
      for (const run_record& run : other.runs) {
        const std::string folder = o_.out + "/" + run.folder;
        if (run.seed == seed) return {folder, vocabulary_file(folder)};
      }
    }
    throw std::invalid_argument("AX is predicted with a model of MNLI, and none was trained before it");
  }

  /// Reads the task's data and tokenizes it as the model wants it.
  tokenized_task read_for(const model_source& source, const std::string& name, std::uint64_t seed,
                          bool is_alone) const {
    const wordpiece tokenizer =
        source.folder.empty() ? load_tokenizer_file(source.vocab) : load_tokenizer(source.folder);
    index_t max_length = o_.max_seq_length;
    if (!source.folder.empty()) {
      const encoder_config config = read_model_config(source.folder + "/config.json").config;
      if (tokenizer.size() > config.vocab_size) {
        throw file_error(source.vocab, fmt::format("holds {} tokens; the model beside it has {} word embeddings",
                                                   tokenizer.size(), config.vocab_size));
      }
      const index_t limit = config.max_position_embeddings;
      if (max_length > limit) fmt::print(stderr, "--max-seq-length is cut to the model's {} positions\n", limit);
      max_length = std::min(max_length, limit);
    }
    const task_examples examples = read(name, source, is_alone);
    show_examples(examples, seed);
    return tokenize_task(examples, tokenizer, max_length, o_.out + "/cache", workers_, log_to_stderr);
  }

  void run_task(const std::string& name, task_outcome& outcome, bool is_alone) {
    outcome.title = o_.files.any() ? "own data" : find_task(name).title;
    if (name != "custom") outcome.task = &find_task(name);
    std::optional<tokenized_task> data;
    std::string data_vocab;  // content of the vocabulary the data was tokenized with
    for (const std::uint64_t seed : o_.seeds) {
      const std::string folder = run_folder(name, seed, is_alone);
      const model_source source = source_for(name, seed);
      glue_run run(o_, source, name, seed, o_.out + "/" + folder, workers_);
      std::optional<run_record> record = run.finished();
      if (record) {
        fmt::print(stderr, "{}, seed {}: finished before\n", outcome.title, seed);
      } else {
        std::string vocab = read_file(source.vocab);
        if (!data || vocab != data_vocab) data = read_for(source, name, seed, is_alone);
        data_vocab = std::move(vocab);
        record = run.run(*data);
      }
      record->folder = folder;
      outcome.runs.push_back(std::move(*record));
      if (seed == o_.seeds.front()) collect_submission(folder);
    }
  }

  /// Below --out: nothing for the one run of one task, else the seed, with several tasks after the task.
  std::string run_folder(const std::string& task, std::uint64_t seed, bool is_alone) const {
    const std::string by_seed = fmt::format("seed-{}", seed);
    if (!is_alone) return task + "/" + by_seed;
    return o_.seeds.size() > 1 ? by_seed : ".";
  }

  /// The first seed's files of all tasks in one folder, ready to be zipped.
  void collect_submission(const std::string& folder) const {
    namespace fs = std::filesystem;
    const fs::path from = fs::path(o_.out) / folder / "submission";
    const fs::path to = fs::path(o_.out) / "submission";
    if (folder == "." || !fs::exists(from)) return;
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
      fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing);
    }
  }

  /// Three random training examples, so that people see what the model sees.
  static void show_examples(const task_examples& data, std::uint64_t seed) {
    if (data.train.empty()) return;
    const labeled_examples& train = data.train.front().examples;
    std::mt19937_64 random(seed);
    const auto cut = [](const std::string& text) {
      return printable(text.size() > 160 ? text.substr(0, 160) + "..." : text);
    };
    for (int i = 0; i < 3; ++i) {
      const auto row = static_cast<std::size_t>(random() % static_cast<std::uint64_t>(train.size()));
      const std::string label = train.labels.empty()
                                    ? fmt::format("{}", train.scores[row])
                                    : printable(data.task.labels.names[static_cast<std::size_t>(train.labels[row])]);
      fmt::print(stderr, "training example {}: \"{}\"{} -> {}\n", row, cut(train.first[row]),
                 train.second.empty() ? "" : ", \"" + cut(train.second[row]) + "\"", label);
    }
  }

  static std::vector<double> values_of(const task_outcome& outcome) {
    std::vector<double> values;
    for (const run_record& run : outcome.runs) {
      if (!run.metric.empty()) values.push_back(run.value);
    }
    return values;
  }

  void write_summary() const {
    result_file results = new_result_file("glue", command_, workers_.workers());
    results.not_found = not_found_;
    for (const task_outcome& outcome : outcomes_) {
      results.runs.insert(results.runs.end(), outcome.runs.begin(), outcome.runs.end());
      if (!outcome.failure.empty()) results.failures.push_back({outcome.title, outcome.failure});
    }
    write_result_file(o_.out + "/results.json", results);
  }

  /// One line per task.
  std::string table() const {
    std::string text = fmt::format("| {:8} | {:20} | {:>8} | {:>9} | runs\n", "task", "metric", "mean", "deviation");
    text += "| -------- | -------------------- | -------: | --------: | ----\n";
    for (const task_outcome& outcome : outcomes_) {
      if (!outcome.failure.empty()) {
        text += fmt::format("| {:8} | failed: {}\n", outcome.title, outcome.failure);
        continue;
      }
      const std::vector<double> values = values_of(outcome);
      const mean_and_deviation mean = mean_of(values);
      std::string all;
      for (const double value : values) all += fmt::format("{}{:.4f}", all.empty() ? "" : ", ", value);
      text += fmt::format("| {:8} | {:20} | {:>8} | {:>9} | {}\n", outcome.title,
                          outcome.runs.empty() ? "" : outcome.runs.front().metric,
                          values.empty() ? "" : fmt::format("{:.4f}", mean.mean),
                          values.size() < 2 ? "" : fmt::format("{:.4f}", mean.deviation), all);
    }
    return text;
  }

  glue_options o_;
  std::string command_;
  executor workers_;
  std::vector<task_outcome> outcomes_;
  std::vector<std::string> not_found_;
  bool lacks_mnli_ = false;  ///< the diagnostic set was found without the task it belongs to
};

}  // namespace inhibitor::examples
