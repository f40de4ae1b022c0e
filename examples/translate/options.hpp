// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "inhibitor/base/check.hpp"
#include "inhibitor/models/beam_search.hpp"
#include "inhibitor/models/seq2seq/config.hpp"
#include "support/cli11.hpp"
#include "support/number_checks.hpp"
#include "support/option_table.hpp"

namespace inhibitor::examples {

/// Everything the command line of `translate` says.
struct translate_options {
  std::string model;  ///< folder to translate with, or to judge; empty: train a new one
  std::string train_source, train_target, dev_source, dev_target, test_source, test_target;
  std::string out;
  index_t merges = 8000;
  index_t layers = 4, d_model = 128, heads = 4, ffn_dim = 256, positions = 256;
  std::string norm = "post";
  std::string encoder_attention = "dot_product", decoder_attention = "dot_product", cross_attention = "dot_product";
  double dropout = 0.3;
  index_t epochs = 10, batch_tokens = 1500, warmup = 800;
  double learning_rate = 0;
  double label_smoothing = 0.1;
  double max_gradient_norm = 1;
  std::uint64_t seed = 42;
  index_t beams = 5;
  double length_penalty = 1;
  index_t batch_size = 64;
  int threads = 0;
  bool resume = false, overwrite = false;
  double checkpoint_seconds = 120;

  bool is_training() const { return !train_source.empty(); }
  beam_options search() const {
    beam_options o;
    o.beams = beams;
    o.alpha = length_penalty;
    return o;
  }
  /// The configuration of a new model for a joint vocabulary; its special tokens are still to be set.
  seq2seq_config new_config() const {
    seq2seq_config c;
    c.max_position_embeddings = positions;
    c.d_model = d_model;
    c.encoder_layers = c.decoder_layers = layers;
    c.encoder_heads = c.decoder_heads = heads;
    c.encoder_ffn_dim = c.decoder_ffn_dim = ffn_dim;
    c.norm = norm == "pre" ? norm_placement::pre : norm_placement::post;
    c.positions = norm == "pre" ? position_kind::fairseq : position_kind::halves;
    c.dropout = dropout;
    c.set_attention(mixing_place::encoder_self, encoder_attention);
    c.set_attention(mixing_place::decoder_self, decoder_attention);
    c.set_attention(mixing_place::cross, cross_attention);
    return c;
  }
};

/// Declares the options. Values land in `o` when the caller parses.
inline void declare_options(option_table& t, translate_options& o) {
  const auto numbers = option_effect::numbers, new_model = option_effect::new_model, none = option_effect::none;
  t.group("Model");
  auto* model = t.add({"model"}, o.model, numbers, "Model folder to translate with");
  t.add({"merges"}, o.merges, new_model, "New model: merges of its joint byte-pair encoding")->check(positive());
  t.add({"layers"}, o.layers, new_model, "New model: layers of encoder and decoder")->check(positive());
  t.add({"d-model"}, o.d_model, new_model, "New model: width")->check(positive());
  t.add({"heads"}, o.heads, new_model, "New model: attention heads")->check(positive());
  t.add({"ffn-dim"}, o.ffn_dim, new_model, "New model: width of the feed-forward networks")->check(positive());
  t.add({"positions"}, o.positions, new_model, "New model: the most units of a line, its end among them")
      ->check(CLI::Range(index_t{2}, index_t{100000}));
  t.add({"norm"}, o.norm, new_model,
        "New model: normalization after the sums (post, a Marian) or before (pre, an M2M100)")
      ->check(CLI::IsMember({"post", "pre"}));
  for (const auto& [name, place, what] :
       {std::tuple("encoder-attention", &o.encoder_attention, "the encoder"),
        std::tuple("decoder-attention", &o.decoder_attention, "the decoder's own past"),
        std::tuple("cross-attention", &o.cross_attention, "the decoder's look at the source")}) {
    t.add({name}, *place, new_model, std::string("New model: mechanism of ") + what)
        ->check(CLI::IsMember({"dot_product", "inhibitor"}));
  }
  t.add({"dropout"}, o.dropout, new_model, "New model: of embeddings and of what sublayers add")
      ->check(CLI::Range(0.0, 0.9));

  t.group("Data");
  auto* train =
      t.add({"train-source"}, o.train_source, numbers, "Lines to learn from, plain text or .gz")->excludes(model);
  t.add({"train-target"}, o.train_target, numbers, "Their translations, line by line")->needs(train);
  t.add({"dev-source"}, o.dev_source, numbers, "Lines whose BLEU chooses the best epoch")->needs(train);
  t.add({"dev-target"}, o.dev_target, numbers, "Their translations, untouched")->needs(train);
  t.add({"test-source"}, o.test_source, numbers, "Lines to judge --model by, instead of standard input")->needs(model);
  t.add({"test-target"}, o.test_target, numbers, "Their translations, untouched")->needs(model);

  t.group("Output");
  t.add({"out"}, o.out, none, "Folder for the model that is trained")->needs(train);
  t.add({"overwrite"}, o.overwrite, none, "Write into a folder that is not empty");
  t.add({"resume"}, o.resume, none, "Go on with an unfinished training in --out");
  t.add({"checkpoint-seconds"}, o.checkpoint_seconds, none, "Time between checkpoints")->check(positive());

  t.group("Training");
  t.add({"seed"}, o.seed, numbers, "Seed of initial values, order and dropout");
  t.add({"epochs"}, o.epochs, numbers, "Passes over the training data")->check(positive());
  t.add({"batch-tokens"}, o.batch_tokens, numbers, "Units of a step, of the longer side, padding counted")
      ->check(positive());
  t.add({"learning-rate"}, o.learning_rate, numbers, "Peak rate; 0: (d-model * warmup)^-0.5")->check(non_negative());
  t.add({"warmup"}, o.warmup, numbers, "Updates until the peak; then the rate falls with their inverse root")
      ->check(positive());
  t.add({"label-smoothing"}, o.label_smoothing, numbers, "Share of probability taken from the true unit")
      ->check(CLI::Range(0.0, 0.9));
  t.add({"max-gradient-norm"}, o.max_gradient_norm, numbers, "Gradients are scaled down to this norm; 0: never")
      ->check(non_negative());

  t.group("Decoding");
  t.add({"beams"}, o.beams, numbers, "Beams; 1: greedy")->check(positive());
  t.add({"length-penalty"}, o.length_penalty, numbers,
        "Scores are sums of log-probabilities / length^this: larger favors longer translations");
  t.add({"batch-size"}, o.batch_size, none, "Lines decoded together; no result depends on it")->check(positive());
  t.add({"threads"}, o.threads, none, "OpenMP threads; 0: all. Results do not depend on it")->check(non_negative());
}

/// Throws std::invalid_argument for options that do not go together.
inline void check_options(const translate_options& o) {
  check(o.is_training() != !o.model.empty(),
        std::string("give either --model, or --train-source, --train-target and --out for a new one"));
  check(!o.is_training() || (!o.train_target.empty() && !o.out.empty()),
        std::string("--train-source needs --train-target and --out"));
  check(o.dev_source.empty() == o.dev_target.empty(), std::string("--dev-source and --dev-target go together"));
  check(o.test_source.empty() == o.test_target.empty(), std::string("--test-source and --test-target go together"));
}

}  // namespace inhibitor::examples
