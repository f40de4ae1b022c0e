// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/models/sizes.hpp"
#include "inhibitor/nn/mixer.hpp"
#include "support/cli11.hpp"
#include "support/number_checks.hpp"
#include "support/option_table.hpp"

namespace inhibitor::examples {

/// Everything the command line of `pretrain` says.
struct pretrain_options {
  std::vector<std::string> corpus, held_out;
  index_t held_out_every = 200;
  bool keep_duplicates = false;
  std::string vocab;
  bool cased = false;
  std::string cache;  ///< folder of the packed corpus; empty: in --out
  std::string model;  ///< folder to start from; empty: a new model
  std::string family = "distilbert", size = "mini", attention = "dot_product";
  std::string center = "attended_keys";
  bool is_unsigned = false, normalize_by_length = false, tied_scalars = false;
  double initializer_range = 0.02, query_key_scale = 1, residual_scale = 1;
  bool initialize_output_bias = false;
  std::string word_embeddings;
  index_t steps = 0, tokens = 0;
  double hours = 0;
  std::vector<index_t> length{128}, batch{32};
  std::vector<std::string> masks{"words"};
  std::vector<double> shares, mask_rate{0.15};
  double short_share = 0.1;
  index_t accumulate = 1;
  double learning_rate = 5e-4, warmup_ratio = 0.06;
  std::string schedule = "linear";
  double weight_decay = 0.01, beta2 = 0.98, epsilon = 1e-6, max_gradient_norm = 1;
  double dropout = 0, attention_dropout = 0;
  double average = 0;
  std::uint64_t seed = 42;
  int threads = 0;
  index_t held_out_interval = 500, held_out_tokens = 65536, snapshot_interval = 0;
  std::string out;
  bool resume = false;
  double checkpoint_seconds = 120;
};

/// Declares the options. Values land in `o` when the caller parses.
inline void declare_options(option_table& t, pretrain_options& o) {
  const auto numbers = option_effect::numbers, none = option_effect::none;
  t.group("Data");
  t.add({"corpus"}, o.corpus, numbers,
        "Text to learn from: files, plain or .gz, or folders of them, separated by commas; blank lines between "
        "documents")
      ->required();
  t.add({"held-out"}, o.held_out, numbers, "Text to measure on; default: some documents of --corpus");
  t.add({"held-out-every"}, o.held_out_every, numbers,
        "Without --held-out: one document in so many is held out; 0: none")
      ->check(non_negative());
  t.add({"keep-duplicates"}, o.keep_duplicates, numbers, "Learn from documents that repeat earlier ones too");
  t.add({"vocab"}, o.vocab, numbers, "WordPiece vocabulary (vocab.txt); default: that of --model");
  t.add({"cased"}, o.cased, numbers, "Keep case and accents");
  t.add({"cache"}, o.cache, none, "Folder to keep the tokenized corpus in, for several runs; default: --out");

  t.group("Model");
  t.add({"model"}, o.model, numbers, "Model folder to start from: its weights, in the shape that the options say");
  t.add({"family"}, o.family, numbers, "distilbert or bert")->check(CLI::IsMember({"distilbert", "bert"}));
  t.add({"size"}, o.size, numbers,
        "tiny 2x128, mini 4x256, small 4x512, base 6x768, or LAYERSxWIDTH, a multiple of 64");
  t.add({"attention"}, o.attention, numbers, "Mechanism of every layer")->check(CLI::IsMember(mixer_names()));
  t.add({"inhibitor-center"}, o.center, numbers, "Inhibitor: over which keys scores are centered")
      ->check(CLI::IsMember({"none", "attended_keys", "all_keys"}));
  t.add({"inhibitor-unsigned"}, o.is_unsigned, numbers, "Inhibitor: max(v - z, 0) in place of the signed form");
  t.add({"inhibitor-normalize-by-length"}, o.normalize_by_length, numbers,
        "Inhibitor: outputs divided by the number of attended keys");
  t.add({"inhibitor-tied-scalars"}, o.tied_scalars, numbers,
        "Inhibitor: one scalar of each kind per layer, not per head");
  t.add({"initializer-range"}, o.initializer_range, numbers, "Standard deviation of new weights")->check(positive());
  t.add({"query-key-scale"}, o.query_key_scale, numbers, "Factor on new weights of queries and keys")
      ->check(positive());
  t.add({"residual-scale"}, o.residual_scale, numbers,
        "Factor on new weights of attention output and second feed-forward layer")
      ->check(positive());
  t.add({"initialize-output-bias"}, o.initialize_output_bias, numbers,
        "Start the output bias at the logarithm of token frequencies");
  t.add({"word-embeddings"}, o.word_embeddings, numbers, "safetensors file with the word embeddings to start from");
  t.add({"dropout"}, o.dropout, numbers, "Dropout of embeddings and feed-forward output while pretraining")
      ->check(CLI::Range(0.0, 0.9));
  t.add({"attention-dropout"}, o.attention_dropout, numbers, "Share of keys dropped while pretraining")
      ->check(CLI::Range(0.0, 0.9));

  t.group("Training");
  t.add({"steps"}, o.steps, numbers, "Updates to make; or give --tokens or --hours")->check(non_negative());
  t.add({"tokens"}, o.tokens, numbers, "Tokens to read, padding included")->check(non_negative());
  t.add({"hours"}, o.hours, numbers, "Time to train; becomes a number of steps at the start, by trial steps")
      ->check(non_negative());
  t.add({"length"}, o.length, numbers, "Tokens per sample, special ones included; several: phases, as 64,128");
  t.add({"batch-size", "batch"}, o.batch, numbers, "Samples per batch; one number, or one per phase");
  t.add({"masks"}, o.masks, numbers, "What is masked as one: words or pieces; one, or one per phase")
      ->check(CLI::IsMember({"words", "pieces"}));
  t.add({"shares"}, o.shares, numbers, "Share of the steps of each phase; default: equal ones");
  t.add({"mask-rate"}, o.mask_rate, numbers, "Share of tokens masked; two numbers: from the first step to the last");
  t.add({"short-share"}, o.short_share, numbers, "Share of samples that are shortened")->check(CLI::Range(0.0, 1.0));
  t.add({"accumulate"}, o.accumulate, numbers, "Batches per update")->check(positive());
  t.add({"learning-rate"}, o.learning_rate, numbers, "Peak rate")->check(positive());
  t.add({"warmup-ratio"}, o.warmup_ratio, numbers, "Share of the steps in which the rate rises")
      ->check(CLI::Range(0.0, 1.0));
  t.add({"schedule"}, o.schedule, numbers, "After that: constant, linear or cosine, the last two to 0")
      ->check(CLI::IsMember({"constant", "linear", "cosine"}));
  t.add({"weight-decay"}, o.weight_decay, numbers, "Decoupled weight decay; none on biases, norms and scalars")
      ->check(non_negative());
  t.add({"beta2"}, o.beta2, numbers, "AdamW: decay of the second moment")->check(CLI::Range(0.0, 0.999999));
  t.add({"epsilon"}, o.epsilon, numbers, "AdamW: added to the root")->check(positive());
  t.add({"max-gradient-norm"}, o.max_gradient_norm, numbers, "Gradients are clipped to this norm; 0: not")
      ->check(non_negative());
  t.add({"average"}, o.average, numbers, "Decay of a moving average of the weights, as 0.999, saved beside; 0: none")
      ->check(CLI::Range(0.0, 0.999999));
  t.add({"seed"}, o.seed, numbers, "Seed of initial weights, order, masks and dropout");
  t.add({"threads"}, o.threads, none, "OpenMP threads; 0: all. Results do not depend on it")->check(non_negative());

  t.group("Output");
  t.add({"out"}, o.out, none, "Folder for the model, metrics.jsonl and results.json")->required();
  t.add({"held-out-interval"}, o.held_out_interval, numbers, "Steps between looks at the held-out text")
      ->check(positive());
  t.add({"held-out-tokens"}, o.held_out_tokens, numbers, "Tokens of it that are read, at most")->check(non_negative());
  t.add({"snapshot-interval"}, o.snapshot_interval, numbers, "Steps between models saved as step-N; 0: none")
      ->check(non_negative());
  t.add({"resume"}, o.resume, none, "Go on from the checkpoint in --out");
  t.add({"checkpoint-seconds"}, o.checkpoint_seconds, none, "Time between checkpoints")->check(positive());
}

/// Throws std::invalid_argument for options that do not go together.
inline void check_options(const pretrain_options& o) {
  check((o.steps > 0 ? 1 : 0) + (o.tokens > 0 ? 1 : 0) + (o.hours > 0 ? 1 : 0) == 1,
        "give one of --steps, --tokens and --hours");
  check(!o.vocab.empty() || !o.model.empty(), "--vocab is missing, the vocabulary that the text is split with");
  check(o.mask_rate.size() == 1 || o.mask_rate.size() == 2, "--mask-rate takes one number or two");
  for (const double rate : o.mask_rate) check(rate > 0 && rate < 1, "--mask-rate: expected numbers between 0 and 1");
}

}  // namespace inhibitor::examples
