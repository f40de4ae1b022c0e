// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/build_info.hpp"
#include "common/classifier_model.hpp"
#include "common/evaluate.hpp"
#include "common/glue_reader.hpp"
#include "common/train_stages.hpp"
#include "distill/options.hpp"
#include "distill/report.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/io/model_folder.hpp"

// The whole job: teacher E0, students E1 and E2, control; each run is a list of stages. Finished runs are model folders
// and a record in progress.json, the run in work is checkpoint.safetensors, so that --resume can go on from either.

namespace inhibitor {

/// One call of `distill`: reads the inputs, trains and evaluates what --stages names, writes the report.
class distill_job {
 public:
  /// Reads everything the job needs. Throws file_error or std::invalid_argument for anything missing or malformed.
  distill_job(const distill_options& options, std::string command, const executor& workers)
      : o_(options),
        command_(std::move(command)),
        workers_(workers),
        data_folder_(o_.embedded() ? embedded_data_folder() : o_.data),
        vocab_file_(o_.vocab.empty() ? embedded_data_folder() + "/vocab.txt" : o_.vocab),
        tokenizer_(wordpiece::load(vocab_file_)) {
    check(o_.embedded() || !o_.vocab.empty(),
          std::string("--data needs --vocab, the vocabulary its text is split with"));
    labelled_examples train = read_task_file(find_task(o_.task), data_folder_ + "/train.tsv");
    if (o_.max_train_samples > 0) train.truncate(o_.max_train_samples);
    train_ = tokenize(tokenizer_, train, o_.max_seq_length, workers_);
    dev_ = tokenize(tokenizer_, read_task_file(find_task(o_.task), data_folder_ + "/dev.tsv"), o_.max_seq_length,
                    workers_);
    for (const auto* set : {&train_, &dev_}) {
      check(is_labelled(*set), [&] { return data_folder_ + ": train.tsv and dev.tsv need labels"; });
    }
    text_ = o_.text.empty() ? train_ : tokenize(tokenizer_, read_text_lines(o_.text), o_.max_seq_length, workers_);

    base_ = config_of_size(o_.size);
    base_.vocab_size = tokenizer_.size();
    base_.pad_token_id = tokenizer_.pad_id();
    base_.dropout = o_.dropout;
    base_.attention_dropout = o_.attention_dropout;
    prepare_output();
    if (!o_.teacher.empty()) load_teacher(o_.teacher);
  }

  /// Runs what --stages asks for and is not finished yet, then writes the report. Throws interrupted_error.
  void run() {
    if (o_.has_stage("teacher") && !teacher_) run_teacher();
    if (teacher_ && find_record("E0") == nullptr) add_record(record_of("E0", *teacher_, {}, nlohmann::json::array()));
    if ((o_.has_stage("e1") || o_.has_stage("e2")) && !teacher_) {
      throw std::invalid_argument("e1 and e2 need a teacher: add \"teacher\" to --stages or give --teacher DIR");
    }
    if (o_.has_stage("e1")) run_student("E1", e1_stages());
    if (o_.has_stage("e2")) run_student("E2", e2_stages());
    if (o_.has_stage("control")) run_student("control", {named_label_stage("train")});
    write_report(o_.out, facts(), records_);
    remove_file(path("progress.json"));
  }

  std::string table() const { return results_table(records_); }

 private:
  std::string path(const std::string& name) const { return o_.out + "/" + name; }
  static void remove_file(const std::string& file) { std::filesystem::remove(file); }

  static labelled_examples read_text_lines(const std::vector<std::string>& files) {
    labelled_examples lines;
    for (const std::string& file : files) {
      const std::string content = read_file(file);
      std::size_t begin = 0;
      while (begin < content.size()) {
        const std::size_t end = std::min(content.find('\n', begin), content.size());
        const std::string line = content.substr(begin, end - begin);
        if (line.find_first_not_of(" \t\r") != std::string::npos) lines.first.push_back(line);
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
            {"text", o_.text}};
  }

  nlohmann::json facts() const {
    nlohmann::json facts = {{"task", o_.embedded() ? "embedded" : o_.task},
                            {"size", o_.size},
                            {"seed", o_.seed},
                            {"commit", build_commit()},
                            {"compiler", build_compiler()},
                            {"cpu", cpu_model()},
                            {"threads", workers_.workers()},
                            {"peak_memory_mib", peak_memory_mib()},
                            {"command", command_},
                            {"train_examples", train_.size()},
                            {"dev_examples", dev_.size()},
                            {"settings", settings()}};
    return facts;
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

  void load_teacher(const std::string& folder) {
    teacher_ = load_model_folder<float>(folder);
    const encoder_config& c = teacher_->config();
    check(c.vocab_size == base_.vocab_size && c.n_layers == base_.n_layers && c.dim == base_.dim &&
              c.n_heads == base_.n_heads && c.hidden_dim == base_.hidden_dim,
          [&] {
            return fmt::format(
                "{}: the model has {} layers of width {} ({} heads, {} hidden) and {} words; --size {} with {} expects "
                "{} "
                "layers of width {} ({} heads, {} hidden) and {} words",
                folder, c.n_layers, c.dim, c.n_heads, c.hidden_dim, c.vocab_size, o_.size, vocab_file_, base_.n_layers,
                base_.dim, base_.n_heads, base_.hidden_dim, base_.vocab_size);
          });
    check(c.num_labels == base_.num_labels, [&] {
      return fmt::format("{}: the model has {} labels; task {} has {}", folder, c.num_labels, o_.task,
                         base_.num_labels);
    });
  }

  training_stage named_label_stage(const std::string& name) const {
    stage_plan plan{name, o_.label_epochs(), o_.batch_size, o_.learning_rate};
    plan.weight_decay = o_.weight_decay;
    return label_stage(plan, train_, workers_);
  }

  /// E1: one layer's attention at a time, bottom-up; then all layers on the hidden states; then the labels.
  std::vector<training_stage> e1_stages() {
    std::vector<training_stage> stages;
    for (index_t layer = 0; layer < base_.n_layers; ++layer) {
      training_stage s = named_label_stage(fmt::format("layer-{}", layer));
      s.plan.epochs = o_.layer_epochs;
      s.plan.schedule = schedule_kind::cosine;
      s.plan.layers = layer + 1;
      s.data = &text_;
      const std::string prefix = fmt::format("distilbert.transformer.layer.{}.attention.", layer);
      s.trainable = [prefix](const std::string& name) {
        return name.rfind(prefix, 0) == 0 && name.rfind(prefix + "out_lin", 0) != 0;
      };
      s.objective = [this, layer](const encoder_tensors<float>& p, training_state<float>& state, const token_batch&,
                                  const token_view& tokens, const dropout_mode& mode) {
        return layer_context_objective(state, p, teacher_state_, *teacher_, layer, tokens, mode, workers_);
      };
      stages.push_back(std::move(s));
    }
    training_stage full = named_label_stage("full-layer");
    full.plan.epochs = o_.full_epochs;
    full.plan.schedule = schedule_kind::cosine;
    full.data = &text_;
    full.trainable = [](const std::string& name) { return name.rfind("distilbert.", 0) == 0; };
    full.objective = [this](const encoder_tensors<float>& p, training_state<float>& state, const token_batch&,
                            const token_view& tokens, const dropout_mode& mode) {
      return hidden_state_objective(state, p, teacher_state_, *teacher_, tokens, mode, workers_);
    };
    stages.push_back(std::move(full));
    training_stage tuning = named_label_stage("fine-tune");
    tuning.plan.epochs = o_.fine_tune_epochs;
    tuning.plan.learning_rate = o_.fine_tune_learning_rate;
    stages.push_back(std::move(tuning));
    return stages;
  }

  std::vector<training_stage> e2_stages() {
    training_stage s = named_label_stage("distil");
    s.objective = [this](const encoder_tensors<float>& p, training_state<float>& state, const token_batch& batch,
                         const token_view& tokens, const dropout_mode& mode) {
      const distillation_weights weights{o_.kl_weight, o_.hidden_weight, o_.label_weight, o_.temperature};
      return task_distillation_objective(state, p, teacher_state_, *teacher_, weights, tokens, targets_of(batch), mode,
                                         workers_);
    };
    return {s};
  }

  void run_teacher() {
    encoder_config config = base_;
    config.set_attention(attention_kind::dot_product);
    encoder_tensors<float> model(config);
    initialize(model, o_.seed);
    train_run("E0", model, {named_label_stage("train")});
    teacher_ = std::move(model);
  }

  void run_student(const std::string& name, const std::vector<training_stage>& stages) {
    if (find_record(name) != nullptr) return;
    encoder_config config = base_;
    config.set_attention(attention_kind::inhibitor);
    encoder_tensors<float> model(config);
    initialize(model, o_.seed);
    if (name != "control") copy_tensors(model, *teacher_, [](const std::string&) { return true; });
    train_run(name, model, stages);
  }

  void train_run(const std::string& name, encoder_tensors<float>& model, const std::vector<training_stage>& stages) {
    training_run run;
    run.name = name;
    run.settings = settings().dump();
    run.checkpoint = path("checkpoint.safetensors");
    run.resume = o_.resume;
    run.seed = o_.seed;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.epoch_record = [&](const std::string& stage, index_t epoch, double loss) -> nlohmann::json {
      const double accuracy = main_metric(evaluate_dev(model).metrics).second;
      fmt::print(stderr, "{} {}: epoch {}, loss {:.4f}, dev accuracy {:.2f} %\n", name, stage, epoch, loss,
                 100 * accuracy);
      return {{"stage", stage}, {"epoch", epoch}, {"loss", loss}, {"accuracy", accuracy}};
    };
    const training_result result = train_stages(model, stages, run, workers_);
    model_config_file file;
    file.labels = {"negative", "positive"};
    save_model_folder(path(name), model, vocab_file_, file);
    add_record(record_of(name, model, result.position, result.epochs));
    remove_file(run.checkpoint);
  }

  evaluation evaluate_dev(const encoder_tensors<float>& model) const {
    return evaluate(run_model(model, dev_, workers_), dev_, find_task(o_.task).metric);
  }

  run_record record_of(const std::string& name, const encoder_tensors<float>& model, const stage_position& position,
                       const nlohmann::json& epochs) const {
    const evaluation e = evaluate_dev(model);
    run_record r;
    r.name = name;
    r.attention = model.config().layer_attention(0) == attention_kind::inhibitor ? "inhibitor" : "dot_product";
    r.accuracy = main_metric(e.metrics).second;
    r.loss = e.loss;
    r.train_seconds = position.seconds;
    r.train_examples_per_second = position.seconds > 0 ? static_cast<double>(position.examples) / position.seconds : 0;
    r.examples_per_second = e.examples_per_second();
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
  std::string data_folder_, vocab_file_;
  wordpiece tokenizer_;
  token_dataset train_, dev_, text_;
  encoder_config base_;
  std::optional<encoder_tensors<float>> teacher_;
  inference_state<float> teacher_state_;
  std::vector<run_record> records_;
};

}  // namespace inhibitor
