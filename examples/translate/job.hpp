// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/content_hash.hpp"
#include "inhibitor/metrics/bleu.hpp"
#include "inhibitor/metrics/chrf.hpp"
#include "inhibitor/pretrained/seq2seq_folder.hpp"
#include "inhibitor/training/text_translator.hpp"
#include "inhibitor/training/train_translator.hpp"
#include "support/console.hpp"
#include "support/output_folder.hpp"
#include "translate/options.hpp"

// What `translate` does: train a model, translate standard input, or judge a model by a test set.

namespace inhibitor::examples {

/// A model folder with its tokenizer.
struct translation_model {
  bpe_tokenizer tokenizer;
  seq2seq_tensors<float> tensors;

  static translation_model load(const std::string& folder) {
    return {bpe_tokenizer::load(folder), load_seq2seq_folder<float>(folder)};
  }
  void save(const std::string& folder) const {
    save_seq2seq_folder(folder, tensors, {}, [&](const std::string& into) { tokenizer.save(into); });
  }
};

/// BLEU and chrF with their signatures, on stdout.
inline double print_scores(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  double cased = 0;
  for (const bool lower_case : {false, true}) {
    bleu_options options;
    options.lower_case = lower_case;
    const bleu_score bleu = corpus_bleu(hypotheses, {references}, options);
    if (!lower_case) cased = bleu.score;
    fmt::print("BLEU {:.2f} ({:.1f}/{:.1f}/{:.1f}/{:.1f}, BP {:.3f}) {}\n", bleu.score, bleu.precisions[0],
               bleu.precisions[1], bleu.precisions[2], bleu.precisions[3], bleu.brevity_penalty,
               bleu_signature(options));
  }
  fmt::print("chrF2 {:.2f} {}\n", corpus_chrf(hypotheses, {references}), chrf_signature({}));
  return cased;
}

/// Trains a new model into --out: the last epoch's, and under best/ that of the epoch with the best BLEU on dev.
class translation_training {
 public:
  translation_training(const translate_options& options, const std::string& command, const executor& workers)
      : o_(options), command_(command), workers_(workers) {}

  int run() {
    namespace fs = std::filesystem;
    const std::string model_file = o_.out + "/model.safetensors";
    const bool is_empty = !fs::exists(o_.out) || fs::is_empty(o_.out);
    check(is_empty || o_.resume || o_.overwrite, [&] {
      return o_.out + " is not empty; add --resume to go on with the training in it, --overwrite to replace it";
    });
    const parallel_text train = read_parallel_text(o_.train_source, o_.train_target);
    parallel_text dev;
    if (!o_.dev_source.empty()) dev = read_parallel_text(o_.dev_source, o_.dev_target);
    fs::create_directories(o_.out);
    if (!o_.resume) {
      checkpoint_store(checkpoint()).remove();
      fs::remove_all(best());
    }
    begin_job(o_.out, command_, o_.resume);

    word_counter words;
    for (const auto* side : {&train.source, &train.target}) {
      for (const std::string& line : *side) count_bpe_words(line, words);
    }
    bpe_learner_options learner;
    learner.merges = o_.merges;
    translation_model model{bpe_tokenizer(learn_bpe(words, learner), words), {}};
    seq2seq_config c = o_.new_config();
    c.vocab_size = model.tokenizer.size();
    c.pad_token_id = c.decoder_start_token_id = model.tokenizer.pad_id();
    c.eos_token_id = model.tokenizer.end_id();
    model.tensors = seq2seq_tensors<float>(c);
    initialize(model.tensors, o_.seed);
    const parallel_dataset pairs = tokenize_pairs(model.tokenizer, train, c.max_position_embeddings, log_to_stderr);
    fmt::print(stderr, "{} pairs, {} units, {} parameters\n", pairs.size(), c.vocab_size, model.tensors.size());

    train_translator(model.tensors, pairs, plan(), training(model, train, dev), workers_);
    model.save(o_.out);
    checkpoint_store(checkpoint()).remove();
    if (!dev.source.empty()) {
      fmt::print("best epoch on dev, in {}:\n", best());
      const translation_model best_model = translation_model::load(best());
      text_translator translator(best_model.tensors, best_model.tokenizer);
      print_scores(translate(translator, dev.source), dev.target);
    }
    return 0;
  }

 private:
  std::string checkpoint() const { return o_.out + "/checkpoint.safetensors"; }
  std::string best() const { return o_.out + "/best"; }

  translation_plan plan() const {
    translation_plan p;
    p.epochs = o_.epochs;
    p.batch_tokens = o_.batch_tokens;
    p.learning_rate = o_.learning_rate;
    p.warmup = o_.warmup;
    p.smoothing.epsilon = o_.label_smoothing;
    p.max_gradient_norm = o_.max_gradient_norm;
    return p;
  }

  training_run training(const translation_model& model, const parallel_text& train, const parallel_text& dev) {
    training_run run;
    run.name = "translate";
    run.identity.settings = settings_of(o_);
    const auto add_input = [&](const std::string& file, const std::vector<std::string>& lines) {
      if (file.empty()) return;
      content_hash hash;
      for (const std::string& line : lines) hash.add(line + "\n");
      run.identity.inputs[file] = hash.text();
    };
    add_input(o_.train_source, train.source);
    add_input(o_.train_target, train.target);
    add_input(o_.dev_source, dev.source);
    add_input(o_.dev_target, dev.target);
    run.checkpoint = checkpoint();
    run.resume = o_.resume;
    run.seed = o_.seed;
    run.checkpoint_seconds = o_.checkpoint_seconds;
    run.hooks = console_hooks(run.name);
    run.hooks.epoch_record = [this, &model, &dev](const std::string& stage, index_t epoch,
                                                  double loss) -> nlohmann::json {
      nlohmann::json record{{"stage", stage}, {"epoch", epoch}, {"loss", loss}};
      if (dev.source.empty()) {
        fmt::print(stderr, "epoch {} of {}, loss {:.4f}\n", epoch, o_.epochs, loss);
        return record;
      }
      text_translator translator(model.tensors, model.tokenizer);
      const double bleu = corpus_bleu(translate(translator, dev.source), {dev.target}).score;
      fmt::print(stderr, "epoch {} of {}, loss {:.4f}, BLEU on dev {:.2f}\n", epoch, o_.epochs, loss, bleu);
      record["bleu"] = bleu;
      // What the folder says, not what this process has seen: a resumed training chooses the same.
      const std::string file = best() + "/epoch.json";
      const bool is_first = !std::filesystem::exists(file);
      if (is_first || bleu > read_json_file(file).at("bleu").get<double>()) {
        model.save(best());
        write_json_file(file, record);
      }
      return record;
    };
    return run;
  }

  std::vector<std::string> translate(text_translator& translator, const std::vector<std::string>& lines) const {
    return translator.translate_lines(lines, o_.search(), o_.batch_size, 1, workers_, {});
  }

  const translate_options& o_;
  std::string command_;
  const executor& workers_;
};

/// Translates standard input to standard output, some batches at a time, or the test set.
inline int translate_with(const translate_options& o, const executor& workers) {
  const translation_model model = translation_model::load(o.model);
  text_translator translator(model.tensors, model.tokenizer);
  const auto all = [&](const std::vector<std::string>& lines, index_t first_line) {
    return translator.translate_lines(lines, o.search(), o.batch_size, first_line, workers, log_to_stderr);
  };
  if (!o.test_source.empty()) {
    const parallel_text test = read_parallel_text(o.test_source, o.test_target);
    print_scores(all(test.source, 1), test.target);
    return 0;
  }
  std::vector<std::string> lines;
  index_t first_line = 1;
  const auto flush = [&] {
    for (const std::string& line : all(lines, first_line)) fmt::print("{}\n", line);
    first_line += static_cast<index_t>(lines.size());
    lines.clear();
  };
  for (std::string line; std::getline(std::cin, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const index_t invalid = unicode::find_invalid_utf8(line);
    if (invalid >= 0) {
      throw file_error("standard input", first_line + static_cast<index_t>(lines.size()),
                       "byte " + std::to_string(invalid) + " of the line is not valid UTF-8");
    }
    lines.push_back(std::move(line));
    if (static_cast<index_t>(lines.size()) == 16 * o.batch_size) flush();
  }
  flush();
  return 0;
}

}  // namespace inhibitor::examples
