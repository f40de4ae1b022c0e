// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "distill/command_line.hpp"
#include "distill/report.hpp"
#include "inhibitor/data/task_data.hpp"
#include "inhibitor/models/bert/initialize_from.hpp"
#include "inhibitor/pretrained/text_model.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "inhibitor/training/evaluate.hpp"
#include "support/console.hpp"
#include "support/output_folder.hpp"

// One task with one seed: the runs that are asked for, one after the other. Finished runs are model folders and a
// record in progress.json, the run in work is checkpoint.safetensors, so that --resume can go on from either.

namespace inhibitor::examples {

/// Reads the inputs, trains and evaluates what --stages names, writes the report.
class distill_job {
 public:
  /// Reads everything the job needs; `command` is the one that asks for it. Throws file_error or std::invalid_argument
  /// for anything missing or malformed.
  distill_job(distill_options options, const std::string& command, const executor& workers)
      : o_(std::move(options)),
        workers_(workers),
        vocab_file_(vocabulary(o_)),
        tokenizer_(o_.vocab.empty() && !o_.teacher.empty() && !o_.embedded()
                       ? load_tokenizer(o_.teacher)
                       : load_tokenizer_file(vocab_file_, o_.teacher.empty() ? wordpiece_options{}
                                                                             : read_tokenizer_options(o_.teacher))) {
    o_.resolve_defaults();
    const task_info& task = find_task(o_.task());
    std::string folder = o_.embedded() ? embedded_data_folder() : find_task_folder(task, o_.data);
    if (folder.empty()) folder = o_.data.front();
    data_request want{true, true, false};
    want.max_train = o_.max_train_samples;
    data_ =
        tokenize_task(read_task(task, folder, want), tokenizer_, o_.max_seq_length, o_.cache, workers_, log_to_stderr);
    if (!o_.text.empty()) {
      text_ = tokenize_cached(o_.cache, "text", tokenizer_, read_text_lines(o_.text), o_.max_seq_length, workers_,
                              log_to_stderr);
    }
    base_ = config_of_size(o_.size.empty() ? "tiny" : o_.size);
    base_.vocab_size = tokenizer_.size();
    base_.pad_token_id = tokenizer_.pad_id();
    base_.num_labels = task.labels.outputs();
    check(o_.teacher_layers.empty() || !o_.teacher.empty(), std::string("--teacher-layers needs --teacher"));
    if (!o_.teacher.empty()) load_teacher(o_.teacher);
    if (!o_.student.empty()) {
      student_ = load_classifier(o_.student, data_.task, o_.seed(), true, log_to_stderr);
    }
    prepare_output(command);
    base_.dropout = o_.dropout;
    base_.attention_dropout = o_.attention_dropout;
  }

  /// Makes the runs that --stages asks for and that are not finished yet, then writes the report. Throws
  /// interrupted_error.
  void run() {
    for (const distill_run& run : distill_runs()) {
      if (!o_.has_stage(run.option) || find_record(run.name) != nullptr) continue;
      if (run.is_teacher && teacher_) continue;
      check(!run.needs_teacher() || teacher_,
            [&] { return run.option + " needs a teacher: add \"teacher\" to --stages or give --teacher DIR"; });
      make(run);
    }
    results_.peak_memory_mib = peak_memory_mib();
    write_report(o_.out, results_);
    checkpoint_store(path("checkpoint.safetensors")).remove();
    std::filesystem::remove(path("progress.json"));
  }

  std::string table() const { return results_table(results_.runs); }

 private:
  std::string path(const std::string& name) const { return o_.out + "/" + name; }

  static std::string vocabulary(const distill_options& o) {
    if (!o.vocab.empty()) return o.vocab;
    if (o.embedded()) return embedded_data_folder() + "/vocab.txt";
    check(!o.teacher.empty(), std::string("--data needs --vocab, the vocabulary its text is split with, or --teacher"));
    return vocabulary_file(o.teacher);
  }

  static labeled_examples read_text_lines(const std::vector<std::string>& files) {
    labeled_examples lines;
    for (const std::string& file : files) {
      const std::string content = read_text_file(file);
      std::size_t begin = 0;
      while (begin < content.size()) {
        const std::size_t end = std::min(content.find('\n', begin), content.size());
        std::string line = content.substr(begin, end - begin);
        if (line.find_first_not_of(" \t\r") != std::string::npos) lines.first.push_back(std::move(line));
        begin = end + 1;
      }
    }
    check(lines.size() > 0, std::string("--text: the files hold no text"));
    return lines;
  }

  run_identity identity() const {
    run_identity id;
    id.settings = settings_of(o_);
    add_fingerprints(id.inputs, data_);
    if (!o_.text.empty()) id.inputs["--text"] = fingerprint(text_);
    if (!o_.teacher.empty()) id.inputs[o_.teacher] = fingerprint(teacher_->tensors);
    if (student_) id.inputs[o_.student] = fingerprint(student_->tensors);
    return id;
  }

  /// Creates or reopens the output folder. Refuses to mix two jobs.
  void prepare_output(const std::string& command) {
    refuse_other_job(o_.out, "progress.json", o_.resume);
    identity_ = identity();
    std::vector<run_record> records;
    if (o_.resume) {
      const nlohmann::json progress = read_json_file(path("progress.json"));
      try {
        check_same_run(path("progress.json"), run_identity_from(progress.at("identity")), identity_);
        for (const auto& r : progress.at("runs")) records.push_back(run_record_from(r));
      } catch (const nlohmann::json::exception& e) {
        throw file_error(path("progress.json"), std::string("not a progress file of distill: ") + e.what());
      }
    }
    std::filesystem::create_directories(o_.out);
    results_ = new_result_file("distill", begin_job(o_.out, command, o_.resume), workers_.workers());
    results_.runs = std::move(records);
    if (!o_.resume) write_progress();
    if (find_record("E0") != nullptr && o_.teacher.empty()) load_teacher(path("E0"));
    // A given teacher is compared as well, where it can answer.
    if (!o_.teacher.empty() && !teacher_has_new_head_ && find_record("E0") == nullptr) {
      add_record(record_of("E0", teacher_->tensors, {}));
    }
  }

  void write_progress() const {
    nlohmann::json runs = nlohmann::json::array();
    for (const run_record& r : results_.runs) runs.push_back(to_json(r));
    write_json_file(path("progress.json"), {{"identity", to_json(identity_)}, {"runs", runs}});
  }

  const run_record* find_record(const std::string& name) const {
    for (const run_record& r : results_.runs) {
      if (r.name == name) return &r;
    }
    return nullptr;
  }

  /// Without --size the students have the teacher's, or the named layers of it. E1 looks at the teacher's inside alone,
  /// so it may lack a head; whatever else uses the teacher refuses one without.
  void load_teacher(const std::string& folder) {
    const bool needs_head = o_.has_stage("e2") || o_.has_stage("teacher") || !o_.has_stage("e1");
    classifier_model stored = load_classifier(folder, data_.task, o_.seed(), !needs_head, log_to_stderr);
    teacher_has_new_head_ = stored.has_new_head;
    teacher_ = teacher_model{std::move(stored.tensors), {}};
    encoder_config c = teacher_->tensors.config();
    if (!o_.teacher_layers.empty()) {
      c.n_layers = static_cast<index_t>(o_.teacher_layers.size());
      c.set_family(model_family::distilbert);
      c.type_vocab_size = 0;
    }
    c.attention.clear();
    if (!o_.size.empty()) {
      check(c.n_layers == base_.n_layers && c.dim == base_.dim && c.n_heads == base_.n_heads &&
                c.intermediate_dim == base_.intermediate_dim,
            [&] {
              return fmt::format(
                  "{}: the model has {} layers of width {} ({} heads, {} hidden); --size {} expects {} layers of width "
                  "{} ({} heads, {} hidden)",
                  folder, c.n_layers, c.dim, c.n_heads, c.intermediate_dim, o_.size, base_.n_layers, base_.dim,
                  base_.n_heads, base_.intermediate_dim);
            });
    }
    check(c.vocab_size >= tokenizer_.size(), [&] {
      return fmt::format("{}: the model has {} words; {} has {}", folder, c.vocab_size, vocab_file_, tokenizer_.size());
    });
    base_ = c;
  }

  /// The untrained model of a run.
  classifier_model start_of(const distill_run& run) const {
    encoder_config config = base_;
    config.set_attention(run.attention);
    if (student_ && !run.is_teacher) {
      const encoder_config& c = student_->tensors.config();
      check(c.n_layers == config.n_layers && c.dim == config.dim && c.intermediate_dim == config.intermediate_dim &&
                c.n_heads == config.n_heads && c.vocab_size == config.vocab_size &&
                c.max_position_embeddings == config.max_position_embeddings && c.family == config.family,
            [&] { return o_.student + ": the student must have the sizes and the family of the teacher"; });
      config.attention = c.attention;
      config.inhibitor = c.inhibitor;
    }
    classifier_model model = new_classifier(config, data_.task, o_.seed());
    const auto every = [](const std::string&) { return true; };
    if (student_ && !run.is_teacher) {
      copy_tensors(model.tensors, student_->tensors, every);
    } else if (run.start == run_start::teacher && o_.teacher_layers.empty()) {
      copy_tensors(model.tensors, teacher_->tensors, every);
    } else if (run.start == run_start::teacher) {
      initialize_from(model.tensors, teacher_->tensors, o_.teacher_layers);
    }
    return model;
  }

  /// Trains, saves, evaluates and records one model.
  void make(const distill_run& run) {
    classifier_model model = start_of(run);
    training_run training;
    training.name = run.name;
    training.identity = identity_;
    training.checkpoint = path("checkpoint.safetensors");
    training.resume = o_.resume;
    training.seed = o_.seed();
    training.checkpoint_seconds = o_.checkpoint_seconds;
    training.hooks = console_hooks(run.name);
    training.hooks.epoch_record = [&](const std::string& stage, index_t epoch, double loss) -> nlohmann::json {
      const auto [metric, value] = main_metric(evaluate_dev(model.tensors, data_.validation.front()).metrics);
      fmt::print(stderr, "{} {}: epoch {}, loss {:.4f}, dev {} {:.4f}\n", run.name, stage, epoch, loss, metric, value);
      return {{"stage", stage}, {"epoch", epoch}, {"loss", loss}, {"value", json_number(value)}};
    };
    const token_dataset& train = data_.train.front().tokens;
    const stage_inputs in{o_, train, o_.text.empty() ? train : text_, teacher_ ? &*teacher_ : nullptr, workers_};
    const training_progress result = [&] {
      const checkpoint_promise until_trained;
      return train_stages(model.tensors, run.stages(in, base_), training, workers_);
    }();
    save_classifier(path(run.name), model, vocab_file_, o_.teacher);
    add_record(record_of(run.name, model.tensors, result));
    checkpoint_store(training.checkpoint).remove();
    if (run.is_teacher) teacher_ = teacher_model{std::move(model.tensors), {}};
  }

  evaluation evaluate_dev(const encoder_tensors<float>& model, const tokenized_split& split) const {
    return evaluate(run_model(model, split.tokens, workers_), split.tokens, data_.task.metric);
  }

  run_record record_of(const std::string& name, const encoder_tensors<float>& model,
                       const training_progress& training) const {
    run_record r;
    r.name = name;
    r.task = o_.embedded() ? "embedded" : o_.task();
    r.seed = o_.seed();
    r.size = o_.size.empty() ? fmt::format("{}x{}", base_.n_layers, base_.dim) : o_.size;
    r.attention = model.config().layer_attention(0);
    r.folder = name;
    for (const tokenized_split& split : data_.validation) {
      const evaluation e = evaluate_dev(model, split);
      if (r.metric.empty()) {
        std::tie(r.metric, r.value) = main_metric(e.metrics);
        r.loss = e.loss;
        r.examples_per_second = e.examples_per_second();
      }
      for (const auto& [metric, value] : e.metrics) r.metrics[metric + split.suffix] = value;
    }
    r.train_examples = data_.train.front().tokens.size();
    r.dev_examples = data_.validation.front().tokens.size();
    r.train_seconds = training.seconds;
    r.train_examples_per_second = training.seconds > 0 ? static_cast<double>(training.examples) / training.seconds : 0;
    r.epochs = training.epochs;
    r.settings = identity_.settings;
    return r;
  }

  void add_record(run_record r) {
    results_.runs.push_back(std::move(r));
    write_progress();
  }

  distill_options o_;
  executor workers_;
  std::string vocab_file_;
  wordpiece tokenizer_;
  tokenized_task data_;
  token_dataset text_;
  encoder_config base_;
  std::optional<teacher_model> teacher_;
  bool teacher_has_new_head_ = false;
  std::optional<classifier_model> student_;
  run_identity identity_;
  result_file results_;
};

}  // namespace inhibitor::examples
