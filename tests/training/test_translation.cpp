// SPDX-License-Identifier: Apache-2.0

// train_translator and text_translator: batches by tokens, the objective, the optimizer and beam search together. Each alone:
// test_parallel_dataset.cpp, test_seq2seq.cpp, test_optim.cpp, test_beam_search.cpp.

#include <algorithm>
#include <string>
#include <vector>

#include "compiled_models/translation_models.hpp"
#include "inhibitor/metrics/bleu.hpp"
#include "inhibitor/training/text_translator.hpp"
#include "inhibitor/training/train_translator.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/temp_folder.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

parallel_dataset random_pairs(index_t count, index_t vocab) {
  parallel_dataset data;
  random_numbers random(1);
  const auto sentence = [&] {
    // No token twice in a row: how often it came is hard to learn for layers so few.
    std::vector<std::int32_t> ids;
    for (index_t i = 3 + random.index(6); i > 0; --i) {
      const auto id = static_cast<std::int32_t>(3 + random.index(vocab - 3));
      if (ids.empty() || ids.back() != id) ids.push_back(id);
    }
    return ids;
  };
  for (index_t i = 0; i < count; ++i) {
    data.source.push_back(sentence());
    data.target.push_back(sentence());
  }
  return data;
}

seq2seq_config tiny(const std::string& mixer, norm_placement norm, index_t width) {
  seq2seq_config c;
  c.vocab_size = 40;
  c.max_position_embeddings = 24;
  c.d_model = width;
  c.encoder_layers = c.decoder_layers = 1;
  c.encoder_ffn_dim = c.decoder_ffn_dim = 2 * width;
  c.norm = norm;
  c.decoder_start_token_id = 2;
  for (const mixing_place place : {mixing_place::encoder_self, mixing_place::decoder_self, mixing_place::cross}) {
    c.set_attention(place, mixer);
  }
  return c;
}

}  // namespace

TEST_CASE("train_translator: a hundred pairs are memorized and translated") {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const norm_placement norm = mixer == "inhibitor" ? norm_placement::post : norm_placement::pre;
  INFO(mixer << (norm == norm_placement::pre ? ", pre" : ", post"));
  seq2seq_config c = tiny(mixer, norm, 64);
  c.dropout = 0;
  const parallel_dataset data = random_pairs(100, c.vocab_size);
  seq2seq_tensors<float> p(c);
  initialize(p, 2);
  translation_plan plan;
  plan.epochs = 80;
  plan.batch_tokens = 250;
  plan.learning_rate = 2e-3;
  plan.warmup = 100;
  plan.max_gradient_norm = 1;
  const training_progress progress = train_translator(p, data, plan, training_run{}, {});

  CHECK(progress.epochs.back().at("loss").get<double>() < progress.epochs.front().at("loss").get<double>() / 3);
  seq2seq_inference<float> model(p);
  std::vector<std::int32_t> ids;
  std::vector<index_t> starts{0};
  for (const auto& source : data.source) {
    ids.insert(ids.end(), source.begin(), source.end());
    starts.push_back(static_cast<index_t>(ids.size()));
  }
  const auto found = translate(model, {ids.data(), starts.data(), 100}, {}, {});
  const auto line_of = [](const std::vector<std::int32_t>& tokens) {
    std::string line;
    for (const std::int32_t id : tokens) line += std::to_string(id) + " ";
    return line;
  };
  std::vector<std::string> hypotheses, references;
  for (std::size_t i = 0; i < 100; ++i) {
    hypotheses.push_back(line_of(found[i].at(0).tokens));
    references.push_back(line_of(data.target[i]));
  }
  CHECK(corpus_bleu(hypotheses, {references}).score > 99);
}

TEST_CASE("train_translator: interrupted and resumed is uninterrupted, to the bit, with any number of workers") {
  const seq2seq_config c = tiny("inhibitor", norm_placement::post, 16);
  const parallel_dataset data = random_pairs(30, c.vocab_size);
  translation_plan plan;
  plan.epochs = 3;
  plan.batch_tokens = 60;
  plan.warmup = 5;
  seq2seq_tensors<float> start(c);
  initialize(start, 3);
  seq2seq_tensors<float> whole = start;
  training_run run;
  run.name = "run";
  run.seed = 4;
  const training_progress uninterrupted = train_translator(whole, data, plan, run, {});

  const temp_folder folder;
  run.checkpoint = folder.file("checkpoint.safetensors");
  run.resume = true;
  index_t interruptions = 0;
  training_progress resumed;
  seq2seq_tensors<float> parts = start;
  for (bool is_done = false; !is_done;) {
    index_t made = 0;
    run.hooks.step_done = [&](const step_report&) { ++made; };
    run.hooks.stop_requested = [&] { return made == 4; };
    parts = start;
    try {
      resumed = train_translator(parts, data, plan, run, thread_executor(1 + interruptions % 3));
      is_done = true;
    } catch (const interrupted_error&) {
      ++interruptions;
    }
  }
  CHECK(interruptions > 2);
  CHECK(std::equal(whole.data(), whole.data() + whole.size(), parts.data()));
  CHECK(resumed.epochs == uninterrupted.epochs);
}

TEST_CASE("translation_plan: the rate without a peak of its own is Noam's") {
  translation_plan plan;
  plan.warmup = 4000;
  CHECK(plan.rate(123, 256) == noam_rate(123, 256, 4000));
  plan.learning_rate = 5e-3;
  CHECK(plan.rate(4000, 256) == 5e-3);
  CHECK(plan.rate(16000, 256) == 2.5e-3);
}

TEST_CASE("text_translator: a line for every line whatever the batch, blank for blank, cut ones told") {
  word_counter words;
  count_bpe_words("ein Hund rennt zwei Hunde rennen ein Mann", words);
  const bpe_tokenizer tokenizer({bpe_version::v0_2, {}}, words);
  seq2seq_config c = tiny("inhibitor", norm_placement::post, 16);
  c.vocab_size = tokenizer.size();
  c.max_position_embeddings = 12;
  seq2seq_tensors<float> p(c);
  initialize(p, 5);
  text_translator translator(p, tokenizer);
  const std::vector<std::string> lines{"ein Hund", "", "zwei Hunde rennen und rennen", "  ", "Mann", "ein Hund"};
  std::vector<std::string> told;
  const log_sink log = [&](const std::string& message) { told.push_back(message); };
  beam_options options;
  options.beams = 2;
  const std::vector<std::string> one = translator.translate_lines(lines, options, 1, 11, {}, log);
  REQUIRE(one.size() == 6);
  CHECK(one[1].empty());
  CHECK(one[3].empty());
  CHECK_FALSE(one[4].empty());
  CHECK(one[0] == one[5]);
  CHECK(told == std::vector<std::string>{"line 13 is cut to the model's 12 positions"});
  CHECK(translator.translate_lines(lines, options, 64, 11, {}, {}) == one);
  CHECK(translator.translate_lines({}, options, 64, 1, {}, {}).empty());
  c.vocab_size += 1;
  CHECK_THROWS_WITH(text_translator(seq2seq_tensors<float>(c), tokenizer),
                    contains_text("the vocabulary has " + std::to_string(tokenizer.size()) + " units; the model has " +
                                  std::to_string(c.vocab_size)));

  const parallel_text text{{"ein Hund", "", "zwei Hunde rennen"}, {"rennt", "ein", "zwei Hunde rennen"}};
  told.clear();
  const parallel_dataset pairs = tokenize_pairs(tokenizer, text, 12, log);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs.source[0].back() == tokenizer.end_id());
  CHECK(pairs.source[1].size() == 12);
  CHECK(pairs.target[1].size() == 11);
  CHECK(told.size() == 2);
}
