// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/build_info.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "inhibitor/training/evaluate.hpp"
#include "inhibitor/data/task_data.hpp"
#include "inhibitor/pretrained/text_model.hpp"
#include "distill/report.hpp"
#include "distill/stages.hpp"
#include "inhibitor/models/bert/initialize_from.hpp"

// One task with one seed: teacher E0, students E1 and E2, control; each run is a list of stages. Finished runs are
// model folders and a record in progress.json, the run in work is checkpoint.safetensors, so that --resume can go on
// from either.

namespace inhibitor::examples {

/// Reads the inputs, trains and evaluates what --stages names, writes the report.
class distill_job {
 public:
  /// Reads everything the job needs. Throws file_error or std::invalid_argument for anything missing or malformed.
  distill_job(const distill_options& options, std::string command, const executor& workers)
      : o_(options),
        command_(std::move(command)),
        workers_(workers),
        vocab_file_(vocabulary(o_)),
        tokenizer_(wordpiece::load(vocab_file_,
                                   o_.teacher.empty() ? wordpiece_options{} : read_tokenizer_options(o_.teacher))) {
    const task_info& task = find_task(o_.task);
    std::string folder = o_.embedded() ? embedded_data_folder() : find_task_folder(task, o_.data);
    if (folder.empty()) folder = o_.data.front();
    data_request want{true, true, false};
    want.max_train = o_.max_train_samples;
    data_ = tokenize_task(read_task(task, folder, want), tokenizer_, o_.max_seq_length, o_.cache, workers_);
    if (!o_.text.empty()) {
      text_ = tokenize_cached(o_.cache, "text", tokenizer_, read_text_lines(o_.text), o_.max_seq_length, workers_);
    }
    base_ = config_of_size(o_.size.empty() ? "tiny" : o_.size);
    base_.vocab_size = tokenizer_.size();
    base_.pad_token_id = tokenizer_.pad_id();
    base_.num_labels = task.labels.outputs();
    prepare_output();
    if (!o_.teacher.empty()) load_teacher(o_.teacher);
    base_.dropout = o_.dropout;
    base_.attention_dropout = o_.attention_dropout;
  }

  /// Runs what --stages asks for and is not finished yet, then writes the report. Throws interrupted_error.
  void run() {
    const auto wants = [&](const char* name) { return o_.has_stage(name); };
    if (wants("teacher") && !teacher_) run_teacher();
    if (teacher_has_head_ && find_record("E0") == nullptr) {
      add_record(record_of("E0", teacher_->tensors, {}, nlohmann::json::array()));
    }
    if ((wants("e1") || wants("e2")) && !teacher_) {
      throw std::invalid_argument("e1 and e2 need a teacher: add \"teacher\" to --stages or give --teacher DIR");
    }
    const stage_inputs in{o_, data_.train.front().tokens, o_.text.empty() ? data_.train.front().tokens : text_,
                          workers_};
    check(o_.teacher_layers.empty() || !o_.teacher.empty(), std::string("--teacher-layers needs --teacher"));
    if (wants("e1")) run_student("E1", e1_stages(in, *teacher_, base_));
    if (wants("e2")) run_student("E2", e2_stages(in, *teacher_));
    if (wants("control")) run_student("control", {named_label_stage(in, "train")});
    write_report(o_.out, facts(), records_);
    remove_file(path("progress.json"));
  }

  std::string table() const { return results_table(records_); }

 private:
  std::string path(const std::string& name) const { return o_.out + "/" + name; }
  static void remove_file(const std::string& file) { std::filesystem::remove(file); }

  static std::string vocabulary(const distill_options& o) {
    if (!o.vocab.empty()) return o.vocab;
    if (o.embedded()) return embedded_data_folder() + "/vocab.txt";
    check(!o.teacher.empty(), std::string("--data needs --vocab, the vocabulary its text is split with, or --teacher"));
    return o.teacher + "/vocab.txt";
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

  /// What must agree between a run and its resumption: everything that changes numbers.
  nlohmann::json settings() const {
    return {{"task", o_.task},
            {"data", o_.data},
            {"vocab", o_.vocab},
            {"size", o_.size},
            {"max_seq_length", o_.max_seq_length},
            {"max_train_samples", o_.max_train_samples},
            {"epochs", o_.label_epochs()},
            {"layer_epochs", o_.layer_epochs},
            {"full_epochs", o_.full_epochs},
            {"fine_tune_epochs", o_.fine_tune_epochs},
            {"batch_size", o_.batch_size},
            {"learning_rate", o_.learning_rate},
            {"fine_tune_learning_rate", o_.fine_tune_learning_rate},
            {"weight_decay", o_.weight_decay},
            {"dropout", o_.dropout},
            {"attention_dropout", o_.attention_dropout},
            {"temperature", o_.temperature},
            {"kl_weight", o_.kl_weight},
            {"hidden_weight", o_.hidden_weight},
            {"label_weight", o_.label_weight},
            {"seed", o_.seed},
            {"teacher", o_.teacher},
            {"teacher_layers", o_.teacher_layers},
            {"student", o_.student},
            {"text", o_.text}};
  }

  nlohmann::json facts() const {
    return {{"program", "distill"},
            {"task", o_.embedded() ? "embedded" : o_.task},
            {"size", o_.size.empty() && !o_.teacher.empty() ? fmt::format("{}x{}", base_.n_layers, base_.dim)
                     : o_.size.empty()                      ? "tiny"
                                                            : o_.size},
            {"seed", o_.seed},
            {"commit", build_commit()},
            {"compiler", build_compiler()},
            {"cpu", cpu_model()},
            {"threads", workers_.workers()},
            {"peak_memory_mib", peak_memory_mib()},
            {"command", command_},
            {"train_examples", data_.train.front().tokens.size()},
            {"dev_examples", data_.validation.front().tokens.size()},
            {"settings", settings()}};
  }

  /// Creates or reopens the output folder. Refuses to mix two jobs.
  void prepare_output() {
    std::filesystem::create_directories(o_.out);
    const bool started = std::filesystem::exists(path("progress.json"));
    const bool finished = std::filesystem::exists(path("results.json"));
    if (!o_.resume) {
      check(!started, [&] { return o_.out + " holds an unfinished job; add --resume or choose another --out"; });
      check(!finished, [&] { return o_.out + " holds the results of another job; choose another --out"; });
      write_progress();
      return;
    }
    check(started, [&] { return o_.out + " holds no unfinished job to resume (no progress.json)"; });
    const nlohmann::json progress = read_json_file(path("progress.json"));
    try {
      check(progress.at("settings") == settings(), [&] {
        return path("progress.json") + ": the job was started with other settings: " + progress.at("settings").dump();
      });
      for (const auto& r : progress.at("runs")) records_.push_back(run_record_from(r));
    } catch (const nlohmann::json::exception& e) {
      throw file_error(path("progress.json"), std::string("not a progress file of distill: ") + e.what());
    }
    if (find_record("E0") != nullptr && o_.teacher.empty()) load_teacher(path("E0"));
  }

  void write_progress() const {
    nlohmann::json progress = {{"settings", settings()}, {"runs", nlohmann::json::array()}};
    for (const run_record& r : records_) progress["runs"].push_back(to_json(r));
    write_json_file(path("progress.json"), progress);
  }

  const run_record* find_record(const std::string& name) const {
    for (const run_record& r : records_) {
      if (r.name == name) return &r;
    }
    return nullptr;
  }

  /// Without --size the students have the teacher's, or the named layers of it. E1 looks at the teacher's inside alone,
  /// so it may lack a head; whatever else uses the teacher refuses one without.
  void load_teacher(const std::string& folder) {
    const bool needs_head = o_.has_stage("e2") || o_.has_stage("teacher") || !o_.has_stage("e1");
    const loaded_model<float> stored = read_model_folder<float>(folder);
    std::vector<index_t> order;
    teacher_has_head_ = inhibitor::detail::head_problem(stored, data_.task.labels, order).empty();
    teacher_ = teacher_model{load_classifier(folder, data_.task, o_.seed, !needs_head).tensors, {}};
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
                  folder, c.n_layers, c.dim, c.n_heads, c.intermediate_dim, o_.size, base_.n_layers, base_.dim, base_.n_heads,
                  base_.intermediate_dim);
            });
    }
    check(c.vocab_size >= tokenizer_.size(), [&] {
      return fmt::format("{}: the model has {} words; {} has {}", folder, c.vocab_size, vocab_file_, tokenizer_.size());
    });
    base_ = c;
  }

  void run_teacher() {
    encoder_config config = base_;
    config.set_attention("dot_product");
    classifier_model model = new_classifier(config, data_.task, o_.seed);
    const stage_inputs in{o_, data_.train.front().tokens, text_, workers_};
    train_run("E0", model, {named_label_stage(in, "train")});
    teacher_ = teacher_model{std::move(model.tensors), {}};
    teacher_has_head_ = true;
  }

  void run_student(const std::string& name, const std::vector<training_stage>& stages) {
    if (find_record(name) != nullptr) return;
    encoder_config config = base_;
    config.set_attention("inhibitor");
    std::optional<classifier_model> start;
    if (!o_.student.empty()) {
      start = load_classifier(o_.student, data_.task, o_.seed, true);
      const encoder_config& c = start->tensors.config();
      check(c.n_layers == config.n_layers && c.dim == config.dim && c.intermediate_dim == config.intermediate_dim &&
                c.n_heads == config.n_heads && c.vocab_size == config.vocab_size &&
                c.max_position_embeddings == config.max_position_embeddings && c.family == config.family,
            [&] { return o_.student + ": the student must have the sizes and the family of the teacher"; });
      config.attention = c.attention;
      config.inhibitor = c.inhibitor;
    }
    classifier_model model = new_classifier(config, data_.task, o_.seed);
    const auto every = [](const std::string&) { return true; };
    if (start) {
      copy_tensors(model.tensors, start->tensors, every);
    } else if (name != "control" && o_.teacher_layers.empty()) {
      copy_tensors(model.tensors, teacher_->tensors, every);
    } else if (name != "control") {
      initialize_from(model.tensors, teacher_->tensors, o_.teacher_layers);
    }
    train_run(name, model, stages);
  }

  void train_run(const std::string& name, classifier_model& model, const std::vector<training_stage>& stages) {
    training_run run;
    run.name = name;
    run.settings = settings().dump();
    run.checkpoint = path("checkpoint.safetensors");
    run.resume = o_.resume;
    run.seed = o_.seed;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.epoch_record = [&](const std::string& stage, index_t epoch, double loss) -> nlohmann::json {
      const auto [metric, value] = main_metric(evaluate_dev(model.tensors, data_.validation.front()).metrics);
      fmt::print(stderr, "{} {}: epoch {}, loss {:.4f}, dev {} {:.4f}\n", name, stage, epoch, loss, metric, value);
      nlohmann::json record = {{"stage", stage}, {"epoch", epoch}, {"loss", loss}, {"value", json_number(value)}};
      if (metric == "accuracy") record["accuracy"] = value;
      return record;
    };
    const training_result result = train_stages(model.tensors, stages, run, workers_);
    save_classifier(path(name), model, vocab_file_, o_.teacher);
    add_record(record_of(name, model.tensors, result.position, result.epochs));
    remove_file(run.checkpoint);
  }

  evaluation evaluate_dev(const encoder_tensors<float>& model, const tokenized_split& split) const {
    return evaluate(run_model(model, split.tokens, workers_), split.tokens, data_.task.metric);
  }

  run_record record_of(const std::string& name, const encoder_tensors<float>& model, const stage_position& position,
                       const nlohmann::json& epochs) const {
    run_record r;
    r.name = name;
    r.attention = model.config().layer_attention(0);
    for (const tokenized_split& split : data_.validation) {
      const evaluation e = evaluate_dev(model, split);
      if (r.metric.empty()) {
        std::tie(r.metric, r.value) = main_metric(e.metrics);
        r.loss = e.loss;
        r.examples_per_second = e.examples_per_second();
      }
      for (const auto& [metric, value] : e.metrics) r.metrics[metric + split.suffix] = json_number(value);
    }
    r.train_seconds = position.seconds;
    r.train_examples_per_second = position.seconds > 0 ? static_cast<double>(position.examples) / position.seconds : 0;
    r.epochs = epochs;
    return r;
  }

  void add_record(run_record r) {
    records_.push_back(std::move(r));
    write_progress();
  }

  distill_options o_;
  std::string command_;
  executor workers_;
  std::string vocab_file_;
  wordpiece tokenizer_;
  tokenized_task data_;
  token_dataset text_;
  encoder_config base_;
  std::optional<teacher_model> teacher_;
  bool teacher_has_head_ = false;
  std::vector<run_record> records_;
};

}  // namespace inhibitor::examples
