// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

#include "inhibitor/data/fingerprint.hpp"
#include "inhibitor/models/sizes.hpp"
#include "inhibitor/pretrained/text_model.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "inhibitor/training/masked_lm_start.hpp"
#include "inhibitor/training/pretrain.hpp"
#include "pretrain/plan.hpp"
#include "pretrain/time_budget.hpp"
#include "support/console.hpp"
#include "support/output_folder.hpp"
#include "support/run_record.hpp"

namespace inhibitor::examples {

/// One pretraining: reads and reports on the corpus, trains, saves.
class pretrain_job {
 public:
  /// Reads everything the job needs; `command` is the one that asks for it. Throws file_error or std::invalid_argument
  /// for anything missing or malformed.
  pretrain_job(pretrain_options options, const std::string& command, const executor& workers)
      : o_(std::move(options)), workers_(workers), plan_(plan_of(o_)), tokenizer_(make_tokenizer(o_)) {
    open_output(command);
    model_ = new_model();
    const corpus_source source{corpus_files(o_.corpus),
                               o_.held_out.empty() ? std::vector<std::string>{} : corpus_files(o_.held_out),
                               o_.held_out_every, o_.keep_duplicates};
    corpus_.emplace(pack_corpus(o_.cache.empty() ? o_.out : o_.cache, source, tokenizer_, workers_, log_to_stderr));
    const std::vector<index_t> counts = count_of(corpus_->training());
    const std::vector<double> frequencies = log_frequencies(counts);
    unigram_entropy_ = unigram_cross_entropy(counts, frequencies);
    const bool has_held_out = corpus_->held_out().size > 0;
    unigram_cross_entropy_ =
        has_held_out ? unigram_cross_entropy(count_of(corpus_->held_out()), frequencies) : unigram_entropy_;
    if (o_.model.empty()) start_model(counts);
    if (plan_.steps == 0) plan_.steps = steps_of_hours();
    for (const auto* files : {&source.files, &source.held_out}) {
      for (const std::string& file : *files) {
        content_hash hash;
        hash.add(read_file(file));
        identity_.inputs[file] = hash.text();
      }
    }
    identity_.inputs["--vocab"] = corpus_->vocabulary_hash();
    if (!o_.model.empty()) identity_.inputs[o_.model] = fingerprint(model_);
    if (!o_.word_embeddings.empty()) identity_.inputs[o_.word_embeddings] = fingerprint(model_);
    identity_.settings = settings_of(o_);
    // However the budget was given, it is a number of steps now.
    identity_.settings["steps"] = plan_.steps;
    identity_.settings["tokens"] = 0;
    identity_.settings["hours"] = 0.0;
  }

  /// Trains and saves. Throws interrupted_error and diverged_error.
  void run() {
    print_report();
    pretraining_run run;
    run.name = "pretrain";
    run.identity = identity_;
    run.checkpoint = path("checkpoint.safetensors");
    run.metrics = path("metrics.jsonl");
    run.resume = o_.resume;
    run.seed = o_.seed;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.held_out_interval = o_.held_out_interval;
    run.held_out_tokens = o_.held_out_tokens;
    run.average_decay = o_.average;
    run.unigram_cross_entropy = unigram_cross_entropy_;
    run.snapshot_interval = o_.snapshot_interval;
    run.snapshot = [&](index_t step, const encoder_tensors<float>& model) {
      save(path("step-" + std::to_string(step)), model);
    };
    run.hooks = console_hooks("pretrain");
    const pretraining_result result = [&] {
      const checkpoint_promise until_trained;
      return pretrain(model_, *corpus_, tokenizer_, plan_, run, workers_);
    }();
    save(o_.out, model_);
    if (result.average) save(path("average"), *result.average);
    write_results(result.progress);
    std::filesystem::remove(path("steps.json"));
    checkpoint_store(run.checkpoint).remove();
    fmt::print("Written: the model and results.json in {}\n", o_.out);
  }

 private:
  std::string path(const std::string& name) const { return o_.out + "/" + name; }

  static wordpiece make_tokenizer(const pretrain_options& o) {
    wordpiece_options options;
    options.lower_case = !o.cased;
    return o.vocab.empty() ? load_tokenizer(o.model, options) : load_tokenizer_file(o.vocab, options);
  }
  std::string vocab_file() const { return o_.vocab.empty() ? vocabulary_file(o_.model) : o_.vocab; }

  std::vector<index_t> count_of(const token_stream& stream) const {
    return count_tokens(stream.tokens, stream.size, tokenizer_.size());
  }

  /// Creates or reopens the output folder. Refuses to mix two jobs.
  void open_output(const std::string& command) {
    refuse_other_job(o_.out, "steps.json", o_.resume);
    std::filesystem::create_directories(o_.out);
    results_ = new_result_file("pretrain", begin_job(o_.out, command, o_.resume), workers_.workers());
    if (o_.resume) {
      const nlohmann::json stored = read_json_file(path("steps.json"));
      const auto steps = stored.find("steps");
      if (steps == stored.end() || !steps->is_number_integer())
        throw file_error(path("steps.json"), "has no \"steps\"");
      if (o_.hours > 0) plan_.steps = *steps;
    } else if (o_.hours == 0) {
      write_json_file(path("steps.json"), {{"steps", plan_.steps}});
    }
  }

  index_t steps_of_hours() {
    const index_t steps = steps_in_hours(o_.hours, plan_, model_, *corpus_, tokenizer_, workers_);
    write_json_file(path("steps.json"), {{"steps", steps}});
    return steps;
  }

  /// The model in the shape that the options say, of new weights, or those of --model where they fit.
  encoder_tensors<float> new_model() const {
    encoder_config c = config_of_size(o_.size);
    c.set_family(o_.family == "bert" ? model_family::bert : model_family::distilbert);
    if (c.family == model_family::bert) c.type_vocab_size = 2;
    c.vocab_size = tokenizer_.size();
    c.pad_token_id = tokenizer_.pad_id();
    c.initializer_range = o_.initializer_range;
    c.dropout = o_.dropout;
    c.attention_dropout = o_.attention_dropout;
    c.inhibitor.center = o_.center == "none"       ? centering::none
                         : o_.center == "all_keys" ? centering::all_keys
                                                   : centering::attended_keys;
    c.inhibitor.is_signed = !o_.is_unsigned;
    c.inhibitor.normalize_by_length = o_.normalize_by_length;
    c.tied_scalars = o_.tied_scalars;
    c.set_attention(o_.attention);
    for (const pretraining_phase& phase : plan_.phases) {
      check(phase.length <= c.max_position_embeddings, [&] {
        return "--length is " + std::to_string(phase.length) + "; the model has " +
               std::to_string(c.max_position_embeddings) + " positions";
      });
    }
    encoder_tensors<float> model(c, {masked_lm_head<float>::name});
    initialize(model, o_.seed);
    if (o_.model.empty()) return model;
    const loaded_model<float> stored = read_model_folder<float>(o_.model, {masked_lm_head<float>::name});
    const encoder_config& s = stored.tensors.config();
    check(s.vocab_size == c.vocab_size && s.n_layers == c.n_layers && s.dim == c.dim &&
              s.intermediate_dim == c.intermediate_dim && s.max_position_embeddings == c.max_position_embeddings &&
              s.type_vocab_size == c.type_vocab_size,
          [&] { return o_.model + ": the model has other sizes than --size, --family and --vocab say"; });
    const auto& missing = stored.report.missing;
    copy_tensors(model, stored.tensors, [&](const std::string& name) {
      return std::find(missing.begin(), missing.end(), checkpoint_tensor_name(name, s.family)) == missing.end();
    });
    if (!stored.report.text().empty()) log_to_stderr(o_.model + ":\n" + stored.report.text());
    return model;
  }

  void start_model(const std::vector<index_t>& counts) {
    scale_initial_weights(model_, o_.query_key_scale, o_.residual_scale);
    if (o_.initialize_output_bias) start_output_bias(model_, counts);
    if (!o_.word_embeddings.empty()) read_word_embeddings(model_, o_.word_embeddings);
  }

  void print_report() const {
    const corpus_report& r = corpus_->report();
    fmt::print(
        "corpus: {} documents, {} lines, {} tokens ({:.4f} % unknown); {} exact and {} near duplicates{}, {:.1f} % of "
        "lines repeated\n",
        r.documents, r.lines, r.tokens,
        100 * static_cast<double>(r.unknown_tokens) / static_cast<double>(std::max<index_t>(1, r.tokens)),
        r.exact_duplicates, r.near_duplicates, o_.keep_duplicates ? "" : " left out",
        100 * static_cast<double>(r.repeated_lines) / static_cast<double>(std::max<index_t>(1, r.lines)));
    fmt::print("to train on: {} tokens, unigram entropy {:.4f} nats; held out: {} tokens of {} documents\n",
               r.training_tokens, unigram_entropy_, r.held_out_tokens, r.held_out_documents);
    fmt::print("a model that knows nothing has a loss of {:.4f} (ln V), one that knows frequencies alone {:.4f}\n",
               std::log(static_cast<double>(tokenizer_.size())), unigram_cross_entropy_);
    if (10 * r.repeated_lines > r.lines) {
      fmt::print(stderr, "warning: {:.0f} % of the lines repeat earlier ones; on such text training stalls\n",
                 100 * static_cast<double>(r.repeated_lines) / static_cast<double>(r.lines));
    }
    fmt::print("{} parameters; {} steps, {} tokens, {:.2f} passes over the text\n", model_.size(), plan_.steps,
               plan_.tokens_before(plan_.steps),
               static_cast<double>(plan_.tokens_before(plan_.steps)) / static_cast<double>(r.training_tokens));
    std::fflush(stdout);
  }

  /// Saves a model that is fine-tuned with the dropout of new models, whatever it was pretrained with.
  void save(const std::string& folder, const encoder_tensors<float>& model) const {
    encoder_tensors<float> copy = model;
    encoder_config config = copy.config();
    config.dropout = encoder_config{}.dropout;
    config.attention_dropout = encoder_config{}.attention_dropout;
    copy.set_options(config);
    const bool is_json = std::filesystem::path(vocab_file()).extension() == ".json";
    save_model_folder(folder, copy, is_json ? "" : vocab_file());
    if (is_json) write_file_atomically(folder + "/tokenizer.json", read_file(vocab_file()));
    write_json_file(folder + "/tokenizer_config.json", {{"do_lower_case", tokenizer_.options().lower_case}});
  }

  void write_results(const training_progress& progress) {
    const nlohmann::json& last = progress.epochs.back();
    run_record r;
    r.name = "pretrained";
    r.task = "masked_lm";
    r.seed = o_.seed;
    r.size = o_.size;
    r.attention = o_.attention;
    r.folder = ".";
    if (last.contains("held_out_loss")) {
      r.metric = "perplexity";
      r.value = last.at("perplexity");
      r.metrics["perplexity"] = r.value;
      r.loss = last.at("held_out_loss");
    }
    r.train_examples = progress.examples;
    r.train_seconds = progress.seconds;
    r.train_examples_per_second = progress.seconds > 0 ? static_cast<double>(progress.examples) / progress.seconds : 0;
    r.epochs = progress.epochs;
    r.settings = identity_.settings;
    r.details = {{"corpus", to_json(corpus_->report())},
                 {"unigram_entropy", unigram_entropy_},
                 {"held_out_unigram_cross_entropy", unigram_cross_entropy_},
                 {"parameters", model_.size()},
                 {"tokens", plan_.tokens_before(plan_.steps)},
                 {"inputs", identity_.inputs}};
    results_.runs = {r};
    results_.peak_memory_mib = peak_memory_mib();
    write_result_file(path("results.json"), results_);
  }

  pretrain_options o_;
  executor workers_;
  pretraining_plan plan_;
  wordpiece tokenizer_;
  encoder_tensors<float> model_;
  std::optional<packed_corpus> corpus_;
  double unigram_entropy_ = 0, unigram_cross_entropy_ = 0;
  run_identity identity_;
  result_file results_;
};

}  // namespace inhibitor::examples
