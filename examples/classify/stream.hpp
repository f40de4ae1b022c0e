// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "classify/output.hpp"
#include "classify/token_rows.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/pretrained/finite.hpp"
#include "inhibitor/pretrained/text_model.hpp"
#include "support/build_info.hpp"
#include "support/number_checks.hpp"
#include "support/program.hpp"
#include "support/program_gemm.hpp"

// What `classify` and `encode` share: their options and the loop from lines to batches.

namespace inhibitor::examples {

/// Options that both programs have.
struct stream_options {
  std::string model, input = "-", input_format, output = "tsv", out;
  row_options rows;
  index_t max_seq_length = 0;  ///< 0: all positions of the model
  index_t batch_size = 64;
  int threads = 0;
  bool strict_utf8 = false, is_strict = false, no_header = false, verbose = false;

  void declare(CLI::App& app) {
    app.option_defaults()->always_capture_default();
    app.add_option("INPUT", input,
                   "File: .txt with one text per line, or .tsv, .csv, .json, .jsonl; -: standard input");
    app.add_option("--model", model, "Model folder: config.json, model.safetensors, vocab.txt")->required();
    app.add_option("--input", input_format, "Format of the input; default: by its ending, .gz left out; - is text")
        ->check(CLI::IsMember(std::vector<std::string>(row_format_names.begin(), row_format_names.end())));
    app.add_option(
        "--text-column", rows.text_column,
        "Column or key of the text; default: as glue takes them, sentence1 and sentence2 or the first one or "
        "two that are no label or row number");
    app.add_option("--pair-column", rows.pair_column, "Column or key of the second text of a pair");
    app.add_option("--output", output, "tsv, jsonl or safetensors")
        ->check(CLI::IsMember({"tsv", "jsonl", "safetensors"}));
    app.add_option("--out", out, "File to write; default: standard output. Appears when everything is done");
    app.add_option(
           "--max-seq-length", max_seq_length,
           "Tokens per text, special ones included; longer texts are cut; 0: as many as the folder says, or the "
           "model has positions")
        ->check(non_negative());
    app.add_option("--batch-size", batch_size, "Texts per batch; fewer when no more input is there yet")
        ->check(CLI::Range(index_t{1}, index_t{1 << 16}));
    app.add_option("--threads", threads, "OpenMP threads; 0: all. Results do not depend on it")->check(non_negative());
    app.add_flag("--strict", is_strict, "Refuse texts that are too long instead of cutting them");
    app.add_flag("--strict-utf8", strict_utf8, "Refuse text that is not valid UTF-8 instead of dropping the bad bytes");
    app.add_flag("--no-header", no_header, "Leave out the header of tsv output");
    app.add_flag("--verbose", verbose, "Say on stderr how it is computed and how fast");
  }

  output_format format() const {
    return output == "tsv" ? output_format::tsv : output == "jsonl" ? output_format::jsonl : output_format::safetensors;
  }
};

/// What a model wants done to texts before the tokenizer sees them.
struct text_preparation {
  index_t max_seq_length = 0;  ///< unless the options name one; 0: all positions
  bool lower_case = false;
  std::string prompt;  ///< put before every text

  void apply(text_row& row) const {
    if (!prompt.empty()) row.text.insert(0, prompt);
    if (!lower_case) return;
    row.text = unicode::lower_case(row.text);
    if (row.pair) row.pair = unicode::lower_case(*row.pair);
  }
};

/// A model ready to answer a stream of rows.
class text_stream {
 public:
  /// Throws file_error and std::invalid_argument for a model or options that do not fit.
  text_stream(const stream_options& o, const head_names& heads, text_preparation preparation = {})
      : o_(o),
        preparation_(std::move(preparation)),
        model_(load(o, heads)),
        positions_(model_.sizes().max_position_embeddings),
        workers_(program_executor(o.threads)),
        inference_(model_.tensors) {
    check(o_.format() != output_format::safetensors || !o_.out.empty(), "--output safetensors needs --out FILE");
    check(o_.max_seq_length <= positions_, [&] {
      return fmt::format("--max-seq-length is {}; the model has {} positions", o_.max_seq_length, positions_);
    });
    const index_t least = o_.rows.pair_column.empty() ? 2 : 3;
    check(o_.max_seq_length == 0 || o_.max_seq_length >= least,
          [&] { return fmt::format("--max-seq-length is {}; the special tokens take {}", o_.max_seq_length, least); });
    const index_t usual = preparation_.max_seq_length;
    if (o_.max_seq_length == 0) o_.max_seq_length = usual > 0 ? std::min(usual, positions_) : positions_;
    const auto format = std::find(row_format_names.begin(), row_format_names.end(), o_.input_format);
    o_.rows.format = format == row_format_names.end() ? format_of_file(o_.input)
                                                      : static_cast<row_format>(format - row_format_names.begin());
    if (o_.verbose) {
      fmt::print(stderr, "{}: {} layers of width {}, linear layers by {}, {} threads\n", o_.model,
                 model_.sizes().n_layers, model_.sizes().dim, gemm_name(), workers_.workers());
      fmt::print(stderr, "{}", model_.report.text());
    }
  }

  const text_model& model() const { return model_; }
  const executor& workers() const { return workers_; }
  encoder_inference<float, program_gemm>& inference() { return inference_; }

  /// Gives back the memory of model().tensors, of which the inference has its own packed copy.
  void forget_tensors() { model_.tensors = encoder_tensors<float>(); }

  /// Hands on the rows of `values` (batch.size(), width) that stand before the first with a number that is not finite,
  /// by add(rows). Throws file_error with the line of that one.
  template <class Add>
  void add_finite(const float* values, index_t width, const token_rows& batch, Add&& add) const {
    const index_t bad = find_non_finite(values, batch.size() * width);
    add(bad < 0 ? batch.size() : bad / width);
    if (bad < 0) return;
    throw file_error(input_name(o_.input), batch.lines[static_cast<std::size_t>(bad / width)],
                     fmt::format("the model gives {} for this text; expected finite numbers", values[bad]));
  }

  /// Calls answer(tokens) for batch after batch until the input ends; a batch is what is there already, at most
  /// --batch-size rows, so that a pipe gets its answers line by line. Returns false after an interrupt.
  template <class Answer>
  bool run(Answer&& answer) {
    const auto start = std::chrono::steady_clock::now();
    catch_interrupts();
    row_reader rows(o_.input, o_.rows);
    const index_t max_length = o_.max_seq_length;
    row_tokenizer tokenizer(model_.tokenizer, max_length, o_.is_strict);
    token_rows batch;
    text_row row;
    index_t count = 0, tokens = 0;
    std::exception_ptr error;
    bool has_more = true;
    while (has_more) {
      batch.clear();
      try {
        do {
          has_more = !interrupt_requested() && rows.next(row);
          if (has_more && count + batch.size() == 0 && !rows.guess().empty()) {
            fmt::print(stderr, "{}: {}\n", rows.name(), rows.guess());
          }
          preparation_.apply(row);
          if (has_more) tokenizer.append(batch, row, rows.name());
        } while (has_more && batch.size() < o_.batch_size && batch.tokens() < most_tokens && rows.ready());
      } catch (...) {
        // The rows before the one that cannot be used get their answers all the same.
        error = std::current_exception();
        has_more = false;
      }
      if (batch.size() > 0) answer(batch);
      count += batch.size();
      tokens += batch.tokens();
    }
    if (error) std::rethrow_exception(error);
    if (tokenizer.truncated() > 0) {
      fmt::print(stderr, "{} of {} texts had more than {} tokens and were cut\n", tokenizer.truncated(), count,
                 max_length);
    }
    if (o_.verbose) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      fmt::print(stderr, "{} texts, {} tokens in {:.2f} s: {:.0f} texts/s, {:.0f} tokens/s\n", count, tokens, seconds,
                 static_cast<double>(count) / seconds, static_cast<double>(tokens) / seconds);
    }
    return !interrupt_requested();
  }

 private:
  // Long texts make a batch of fewer rows: the buffers of a forward pass stay a few tens of megabytes.
  static constexpr index_t most_tokens = 8192;

  static text_model load(const stream_options& o, const head_names& heads) {
    wordpiece_options tokenizer;
    tokenizer.strict_utf8 = o.strict_utf8;
    text_model model = load_text_model(o.model, heads, tokenizer);
    require_finite(model.tensors, o.model);
    return model;
  }

  stream_options o_;
  text_preparation preparation_;
  text_model model_;
  index_t positions_;
  executor workers_;
  encoder_inference<float, program_gemm> inference_;
};

}  // namespace inhibitor::examples
