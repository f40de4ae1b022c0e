// SPDX-License-Identifier: Apache-2.0

// Masked-LM pretraining: plan, objective, metrics, and runs that are cut off.

#include "inhibitor/training/pretrain.hpp"

#include <cmath>
#include <cstring>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/training/masked_lm_start.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"
#include "support/small_config.hpp"
#include "support/temp_folder.hpp"
#include "support/threads.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using Catch::Matchers::Contains;
using Catch::Matchers::WithinAbs;

namespace {

const wordpiece& words() {
  static const wordpiece tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "d", "e", "f"});
  return tokenizer;
}

encoder_config config_of(const std::string& first, const std::string& second) {
  encoder_config c = small_config(first, second);
  c.max_position_embeddings = 12;
  return c;
}

/// Stands for SIGKILL: nothing of the library catches it.
struct killed {};

/// A pretraining of twelve steps in two phases, with everything that has a state.
class small_pretraining {
 public:
  explicit small_pretraining(const temp_folder& folder) {
    std::string text;
    for (std::uint32_t i = 0; i < 400; ++i) {
      text += std::string(1, "abdef"[random_bits(3, i) % 5]) + (i % 7 == 0 ? "c " : " ");
      if (i % 23 == 0) text += "\n\n";
    }
    corpus_source source;
    source.files = {folder.write("text.txt", text)};
    source.held_out_every = 4;
    corpus.emplace(pack_corpus(folder.path(), source, words(), {}));
    plan.optimizer.name = "pretrain";
    plan.optimizer.learning_rate = 1e-2;
    plan.steps = 12;
    plan.accumulate = 2;
    plan.phases = {{0.4, 8, 3, mask_unit::piece}, {0.6, 12, 2, mask_unit::word}};
    plan.first_mask_rate = 0.4;
    run.name = "pretrain";
    run.identity.settings = {{"seed", 7}};
    run.checkpoint = folder.file("checkpoint");
    run.metrics = folder.file("metrics.jsonl");
    run.seed = 7;
    run.checkpoint_seconds = 1e9;
    run.average_decay = 0.9;
    run.held_out_interval = 5;
    run.snapshot_interval = 4;
    run.snapshot = [this](index_t step, const encoder_tensors<float>&) { snapshots.push_back(step); };
    run.hooks.log = [this](const std::string& message) { log += message + "\n"; };
  }

  void train(const executor& workers = {}) {
    encoder_tensors<float> model(config_of("dot_product", "inhibitor"), {"masked_lm"});
    initialize(model, 3);
    if (change) change(model);
    const pretraining_result done = pretrain(model, *corpus, words(), plan, run, workers);
    tensors.assign(model.data(), model.data() + model.size());
    average.assign(done.average->data(), done.average->data() + model.size());
    epochs = done.progress.epochs;
  }

  /// metrics.jsonl without times.
  std::vector<nlohmann::json> metrics() const {
    std::vector<nlohmann::json> lines;
    const std::string content = read_file(run.metrics);
    for (std::size_t begin = 0; begin < content.size();) {
      const std::size_t end = content.find('\n', begin);
      lines.push_back(nlohmann::json::parse(content.substr(begin, end - begin)));
      lines.back().erase("seconds");
      begin = end + 1;
    }
    return lines;
  }

  bool is_like(const small_pretraining& other) const {
    const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    return same(tensors, other.tensors) && same(average, other.average) && epochs == other.epochs &&
           metrics() == other.metrics();
  }

  std::optional<packed_corpus> corpus;
  pretraining_plan plan;
  pretraining_run run;
  std::function<void(encoder_tensors<float>&)> change;
  std::string log;
  std::vector<index_t> snapshots;
  std::vector<float> tensors, average;
  nlohmann::json epochs;
};

struct double_batch {
  std::vector<std::int32_t> ids{2, 5, 4, 8, 3, 2, 4, 3, 0, 0};
  std::vector<std::uint8_t> key_mask{1, 1, 1, 1, 1, 1, 1, 1, 0, 0};
  std::vector<index_t> positions{2, 6};
  std::vector<std::int32_t> labels{7, 9};
  token_view tokens() const { return {ids.data(), key_mask.data(), 2, 5}; }
};

}  // namespace

TEST_CASE("masked_lm_objective: gradients agree with finite differences, weight and dropout included") {
  encoder_config config = config_of("dot_product", "inhibitor");
  config.initializer_range = 0.4;
  encoder_tensors<double> p(config, {"masked_lm"});
  initialize(p, 3);
  for (index_t i = 0; i < p.size(); ++i) p.data()[i] += 0.01 * std::sin(static_cast<double>(i));
  const double_batch b;
  const dropout_mode mode{true, {1, 2, 0}};
  masked_lm_state<double> state(p);
  const auto loss = [&] {
    return 0.5 * masked_lm_objective(state, p, b.tokens(), b.positions, b.labels, 0.5, mode, {});
  };
  loss();
  const encoder_tensors<double> gradients = state.gradients;
  // The padding row of the lookup gets no gradient, by convention.
  const index_t skip = config.dim;
  CHECK(gradient_error(loss, p.data() + skip, gradients.data() + skip, p.size() - skip, 1e-6) < 1e-6);
  state.gradients.fill_zero();
  const double sum = masked_lm_objective(state, p, b.tokens(), b.positions, b.labels, 1, {}, {});
  CHECK(masked_lm_loss(state, p, b.tokens(), b.positions, b.labels, {}) == sum);
}

TEST_CASE("masked_lm_objective: batches of a step add up to the step cut otherwise") {
  encoder_config config = config_of("dot_product", "inhibitor");
  config.initializer_range = 0.4;
  encoder_tensors<double> p(config, {"masked_lm"});
  initialize(p, 3);
  const double_batch b;
  masked_lm_state<double> whole(p), parts(p);
  const double loss = masked_lm_objective(whole, p, b.tokens(), b.positions, b.labels, 0.5, {}, {});
  double sum = 0;
  for (std::size_t row = 0; row < 2; ++row) {
    const token_view tokens{b.ids.data() + 5 * row, b.key_mask.data() + 5 * row, 1, 5};
    sum += masked_lm_objective(parts, p, tokens, {b.positions[row] - static_cast<index_t>(5 * row)}, {b.labels[row]},
                               0.5, {}, {});
  }
  CHECK_THAT(sum, WithinAbs(loss, 1e-12));
  for (index_t i = 0; i < p.size(); ++i) {
    CHECK_THAT(parts.gradients.data()[i], WithinAbs(whole.gradients.data()[i], 1e-12));
  }
}

TEST_CASE("pretraining_plan: phases, masking rate and tokens are functions of the step") {
  pretraining_plan plan;
  plan.steps = 11;
  plan.accumulate = 2;
  plan.phases = {{0.25, 64, 8, mask_unit::piece}, {0.75, 128, 4, mask_unit::word}};
  plan.first_mask_rate = 0.4;
  plan.last_mask_rate = 0.2;
  CHECK(plan.first_step(1) == 3);
  CHECK(plan.first_step(2) == 11);
  CHECK(plan.at(2).phase == 0);
  CHECK(plan.at(2).how.unit == mask_unit::piece);
  CHECK(plan.at(3).phase == 1);
  CHECK(plan.at(3).step_in_phase == 0);
  CHECK(plan.at(10).length == 128);
  CHECK(plan.at(10).batch == 4);
  CHECK(plan.at(0).how.rate == 0.4);
  CHECK_THAT(plan.at(5).how.rate, WithinAbs(0.3, 1e-15));
  CHECK_THAT(plan.at(10).how.rate, WithinAbs(0.2, 1e-15));
  CHECK(plan.tokens_before(0) == 0);
  CHECK(plan.tokens_before(4) == 3 * 1024 + 1024);
  CHECK(plan.tokens_before(11) == 11 * 1024);
  CHECK_NOTHROW(plan.validate());
  plan.phases[0].share = 0.5;
  CHECK_THROWS_WITH(plan.validate(), Contains("add up to 1.25"));
}

TEST_CASE("metrics_log: resumed, the file ends at the step that training goes on from") {
  const temp_folder folder;
  const std::string path =
      folder.write("m", "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"x\":1}\n{\"step\":3}\n{\"st");
  { metrics_log(path, 2).write({{"step", 3}, {"y", 0.1}}); }
  CHECK(read_file(path) == "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n{\"step\":2,\"x\":1}\n{\"step\":3,\"y\":0.1}\n");
  CHECK_THROWS_WITH(metrics_log(path, 4), Contains("ends at step 3"));
  CHECK_THROWS_WITH(metrics_log(folder.write("bad", "{\"step\":1}\nnonsense\n"), 2), Contains("bad"));
  CHECK_THROWS_WITH(metrics_log(folder.write("other", "{\"loss\":1}\n"), 2), Contains("other:1: has no \"step\""));
  metrics_log(path, 0);
  CHECK(read_file(path).empty());
}

TEST_CASE("start_output_bias: a model of no context has the unigram cross-entropy as its loss") {
  encoder_tensors<double> p(config_of("dot_product", "inhibitor"), {"masked_lm"});
  initialize(p, 3);
  p.embeddings.word_embeddings.rows = 11;
  std::fill_n(p.embeddings.word_embeddings.data, p.embeddings.word_embeddings.size(), 0.0);
  const std::vector<index_t> counts{0, 0, 0, 0, 0, 5, 9, 1, 0, 3, 2};
  start_output_bias(p, counts);
  const double_batch b;
  masked_lm_state<double> state(p);
  const std::vector<double> log_frequency = log_frequencies(counts);
  CHECK_THAT(masked_lm_loss(state, p, b.tokens(), b.positions, b.labels, {}),
             WithinAbs(-log_frequency[7] - log_frequency[9], 1e-12));
  CHECK_THROWS_AS(start_output_bias(p, {1, 2}), std::invalid_argument);
}

TEST_CASE("scale_initial_weights: q and k, and what writes into the residual stream") {
  encoder_tensors<double> p(config_of("dot_product", "inhibitor"), {"masked_lm"});
  initialize(p, 3);
  encoder_tensors<double> scaled = p;
  scale_initial_weights(scaled, 4, 0.5);
  std::map<std::string, double> factors;
  const double* before = p.data();
  scaled.visit([&](const std::string& name, tensor<double>& t) {
    const double* old = before + (t.data - scaled.data());
    const std::string layer = "distilbert.transformer.layer.1.";
    if (t.rank == 2 && name.rfind(layer, 0) == 0) factors[name.substr(layer.size())] = t.data[5] / old[5];
  });
  CHECK(factors == std::map<std::string, double>{{"attention.q_lin.weight", 4},
                                                 {"attention.k_lin.weight", 4},
                                                 {"attention.v_lin.weight", 1},
                                                 {"attention.out_lin.weight", 0.5},
                                                 {"ffn.lin1.weight", 1},
                                                 {"ffn.lin2.weight", 0.5}});
}

TEST_CASE("read_word_embeddings: one table of the model's shape") {
  const temp_folder folder;
  encoder_tensors<float> p(config_of("dot_product", "inhibitor"), {"masked_lm"});
  std::vector<float> table(11 * 8);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i);
  safetensors_writer good, bad;
  good.add("embeddings", dtype::f32, {11, 8}, table.data());
  bad.add("embeddings", dtype::f32, {8, 11}, table.data());
  good.write(folder.file("good"));
  bad.write(folder.file("bad"));
  read_word_embeddings(p, folder.file("good"));
  CHECK(p.embeddings.word_embeddings.data[87] == 87);
  CHECK_THROWS_WITH(read_word_embeddings(p, folder.file("bad")), Contains("shape [11, 8]"));
}

TEST_CASE("pretrain: killed and resumed after any step, or on more threads, a run ends as if it had not been") {
  const temp_folder folder;
  small_pretraining whole(folder);
  whole.train();
  CHECK(whole.snapshots == std::vector<index_t>{4, 8, 12});
  CHECK(whole.metrics().size() == 12 + 4);
  CHECK(whole.metrics().front().at("step") == 0);
  CHECK(whole.epochs.back().at("held_out_loss") == whole.metrics().back().at("held_out_loss"));
  CHECK(whole.tensors != whole.average);
  {
    const temp_folder other;
    small_pretraining two(other);
    two.train(thread_executor(2));
    CHECK(two.is_like(whole));
  }
  for (int step = 1; step <= 12; ++step) {
    INFO("step " << step);
    const temp_folder other;
    small_pretraining cut(other);
    cut.run.checkpoint_seconds = step % 2 == 0 ? 0 : 1e9;
    cut.run.hooks.step_done = [step](const step_report& s) {
      if (s.step == step) throw killed{};
    };
    CHECK_THROWS_AS(cut.train(), killed);
    cut.run.resume = true;
    cut.run.hooks.step_done = nullptr;
    cut.train();
    CHECK(cut.is_like(whole));
  }
}

TEST_CASE("pretrain: goes on from the checkpoint before a damaged one, and with its own settings only") {
  const temp_folder folder;
  small_pretraining whole(folder);
  whole.train();
  const temp_folder other;
  small_pretraining cut(other);
  cut.run.checkpoint_seconds = 0;
  cut.run.hooks.stop_requested = [steps = 0]() mutable { return ++steps == 7; };
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  std::string content = read_file(cut.run.checkpoint);
  content[content.size() - 4] ^= 1;
  write_file_atomically(cut.run.checkpoint, content);
  cut.run.resume = true;
  cut.run.hooks.stop_requested = nullptr;
  cut.run.identity.settings = {{"seed", 8}};
  CHECK_THROWS_WITH(cut.train(), Contains("seed: 7, now 8"));
  cut.run.identity.settings = {{"seed", 7}};
  cut.train();
  CHECK_THAT(cut.log, Contains("is damaged"));
  CHECK(cut.is_like(whole));
}

TEST_CASE("pretrain: stops where numbers are no longer finite, naming step and place, with its checkpoint kept") {
  const temp_folder folder;
  small_pretraining training(folder);
  training.change = [](encoder_tensors<float>& p) { p.layer[1].ffn.lin1.bias.data[0] = NAN; };
  CHECK_THROWS_WITH(training.train(), Contains("at step 0") && Contains("in the output of layer 1"));
  training.change = [](encoder_tensors<float>& p) { p.head<masked_lm_head>().vocab_layer_norm.bias.data[0] = NAN; };
  CHECK_THROWS_WITH(training.train(), Contains("in the head"));
  training.change = nullptr;
  training.plan.optimizer.learning_rate = 1e30;
  training.run.checkpoint_seconds = 0;
  CHECK_THROWS_AS(training.train(), diverged_error);
  CHECK(std::filesystem::exists(training.run.checkpoint));
}

TEST_CASE("pretrain: warns of a loss that stays at word frequencies, once") {
  const temp_folder folder;
  small_pretraining training(folder);
  training.run.unigram_cross_entropy = 0.1;
  training.train();
  const std::string text = "word frequencies alone give 0.1";
  const std::size_t first = training.log.find(text);
  CHECK(first != std::string::npos);
  CHECK(training.log.find(text, first + 1) == std::string::npos);
  training.log.clear();
  training.run.unigram_cross_entropy = 100;
  training.train();
  CHECK(training.log.find("word frequencies") == std::string::npos);
}

TEST_CASE("pretrain: learns what can be known") {
  const temp_folder folder;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "a b d e f ";
  corpus_source source;
  source.files = {folder.write("cycle.txt", text)};
  source.held_out_every = 0;
  const packed_corpus corpus = pack_corpus(folder.path(), source, words(), {});
  for (const char* attention : {"dot_product", "inhibitor"}) {
    INFO(attention);
    encoder_config config = config_of(attention, attention);
    config.dropout = config.attention_dropout = 0;
    config.initializer_range = 0.3;
    encoder_tensors<float> model(config, {"masked_lm"});
    initialize(model, 1);
    pretraining_plan plan;
    plan.steps = 600;
    plan.optimizer.learning_rate = 1e-2;
    plan.phases = {{1, 12, 8, mask_unit::piece}};
    plan.short_share = 0;
    double last = 0;  // mean of the last 50 steps
    pretraining_run run;
    run.name = "cycle";
    run.hooks.step_done = [&](const step_report& s) { last += s.step > 550 ? s.loss / 50 : 0; };
    pretrain(model, corpus, words(), plan, run, {});
    CHECK(last < 1);  // token frequencies alone give ln 5 = 1.6
  }
}
