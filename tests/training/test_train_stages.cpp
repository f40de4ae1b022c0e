// SPDX-License-Identifier: Apache-2.0

#include <cstring>
#include <random>

#include "inhibitor/training/train_stages.hpp"
#include "support/catch.hpp"
#include "support/small_config.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using Catch::Matchers::WithinAbs;

namespace {

token_dataset small_data(std::uint32_t seed) {
  std::mt19937 bits(seed);
  token_dataset data;
  for (int i = 0; i < 18; ++i) {
    data.ids.push_back({2, static_cast<std::int32_t>(5 + bits() % 6), 3});
    if (i % 3 == 0) data.ids.back().push_back(3);
    data.first_lengths.push_back(static_cast<std::int32_t>(data.ids.back().size()));
    data.labels.push_back(static_cast<std::int32_t>(bits() % 3));
  }
  return data;
}

/// Stands for SIGKILL: nothing of the library catches it.
struct killed {};

/// A training of two stages, two epochs each, of five steps each.
class small_training {
 public:
  static constexpr int steps = 20;

  explicit small_training(const std::string& checkpoint) : data_(small_data(1)) {
    run.name = "E0";
    run.identity.settings = {{"epochs", 2}, {"seed", 7}};
    run.identity.inputs = {{"train.tsv", fingerprint(data_)}};
    run.checkpoint = checkpoint;
    run.seed = 7;
    run.checkpoint_seconds = 1e9;
    run.hooks.log = [this](const std::string& message) { log += message + "\n"; };
  }

  /// Trains from a new model. Interruptions pass through.
  void train() {
    encoder_tensors<float> model(small_config("dot_product", "inhibitor"));
    initialize(model, 3);
    stage_plan plan{"first", 2, 4, 1e-2};
    training_stage first = label_stage(plan, data_, workers_);
    plan.name = "second";
    plan.schedule = schedule_kind::cosine;
    training_stage second = label_stage(plan, data_, workers_);
    second.trainable = [](const std::string& name) { return name.find("layer.1") != std::string::npos; };
    const training_progress done = train_stages(model, {first, second}, run, workers_);
    tensors.assign(model.data(), model.data() + model.size());
    epochs = done.epochs.dump();
    examples = done.examples;
  }

  /// Lets the training stop, or be killed, after `step` more steps.
  void stop_after(int step) {
    run.hooks.stop_requested = [step, seen = 0]() mutable { return ++seen == step; };
  }
  void kill_after(int step) {
    run.hooks.step_done = [step, seen = 0](const step_report&) mutable {
      if (++seen == step) throw killed{};
    };
  }
  void go_on() {
    run.resume = true;
    run.hooks.stop_requested = nullptr;
    run.hooks.step_done = nullptr;
  }
  void use_other_data() { data_ = small_data(2); }
  const token_dataset& data() const { return data_; }

  bool is_like(const small_training& other) const {
    return tensors.size() == other.tensors.size() &&
           std::memcmp(tensors.data(), other.tensors.data(), tensors.size() * sizeof(float)) == 0 &&
           epochs == other.epochs && examples == other.examples;
  }

  training_run run;
  std::string log;
  std::vector<float> tensors;
  std::string epochs;
  index_t examples = 0;

 private:
  token_dataset data_;
  executor workers_;
};

small_training whole_training() {
  small_training whole("");
  whole.train();
  return whole;
}

void flip_byte(const std::string& file, std::size_t from_end) {
  std::string content = read_file(file);
  content[content.size() - from_end] = static_cast<char>(content[content.size() - from_end] ^ 1);
  write_file_atomically(file, content);
}

}  // namespace

TEST_CASE("train_stages: interrupted after any step, a run ends as if it had not been") {
  const small_training whole = whole_training();
  CHECK(nlohmann::json::parse(whole.epochs).size() == 4);
  CHECK(whole.examples == 4 * 18);
  for (int step = 1; step <= small_training::steps; ++step) {
    INFO("step " << step);
    temp_folder folder;
    small_training cut(folder.file("checkpoint"));
    cut.stop_after(step);
    CHECK_THROWS_AS(cut.train(), interrupted_error);
    cut.go_on();
    cut.train();
    CHECK(cut.is_like(whole));
  }
}

TEST_CASE("train_stages: interrupted again and again, a run ends as if it had not been") {
  const small_training whole = whole_training();
  temp_folder folder;
  small_training cut(folder.file("checkpoint"));
  for (int step = 1; step <= small_training::steps; ++step) {
    cut.stop_after(1);
    CHECK_THROWS_AS(cut.train(), interrupted_error);
    cut.go_on();
  }
  cut.train();
  CHECK(cut.is_like(whole));
}

TEST_CASE("train_stages: killed after any step, a run ends as if it had not been") {
  const small_training whole = whole_training();
  for (const double seconds : {-1.0, 1e9}) {  // a checkpoint after every step, and none
    for (int step = 1; step <= small_training::steps; ++step) {
      INFO("step " << step << ", checkpoints every " << seconds << " s");
      temp_folder folder;
      small_training cut(folder.file("checkpoint"));
      cut.run.checkpoint_seconds = seconds;
      cut.kill_after(step);
      CHECK_THROWS_AS(cut.train(), killed);
      cut.go_on();
      cut.train();
      CHECK(cut.is_like(whole));
    }
  }
}

TEST_CASE("train_stages: killed while an epoch is evaluated, its record is there once") {
  const small_training whole = whole_training();
  temp_folder folder;
  small_training cut(folder.file("checkpoint"));
  cut.run.checkpoint_seconds = -1;
  cut.run.hooks.epoch_record = [](const std::string&, index_t, double) -> nlohmann::json { throw killed{}; };
  CHECK_THROWS_AS(cut.train(), killed);
  cut.run.hooks.epoch_record = nullptr;
  cut.go_on();
  cut.train();
  CHECK(cut.is_like(whole));
}

TEST_CASE("train_stages: an epoch's loss is the mean of its steps'") {
  small_training training("");
  std::vector<double> losses;
  training.run.hooks.step_done = [&](const step_report& s) { losses.push_back(s.loss); };
  training.train();
  REQUIRE(losses.size() == small_training::steps);
  const nlohmann::json epochs = nlohmann::json::parse(training.epochs);
  for (std::size_t e = 0; e < 4; ++e) {
    double sum = 0;
    for (std::size_t i = 0; i < 5; ++i) sum += losses[5 * e + i];
    CHECK_THAT(epochs[e].at("loss").get<double>(), WithinAbs(sum / 5, 1e-15));
  }
}

TEST_CASE("train_stages: other data and other settings are refused with their names") {
  temp_folder folder;
  small_training cut(folder.file("checkpoint"));
  cut.stop_after(3);
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  cut.go_on();
  const run_identity right = cut.run.identity;
  cut.use_other_data();
  cut.run.identity.inputs = {{"train.tsv", fingerprint(cut.data())}};
  CHECK_THROWS_WITH(cut.train(), contains_text("checkpoint: made with other data") && contains_text("train.tsv"));
  cut.run.identity = right;
  cut.run.identity.settings["epochs"] = 3;
  cut.run.identity.settings["batch-size"] = 8;
  CHECK_THROWS_WITH(cut.train(), contains_text("checkpoint: made with other settings (batch-size: not set, now 8; "
                                               "epochs: 2, now 3)"));
}

TEST_CASE("train_stages: a checkpoint of another run in the folder is left alone") {
  temp_folder folder;
  small_training cut(folder.file("checkpoint"));
  cut.stop_after(3);
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  cut.go_on();
  cut.run.name = "E1";
  cut.train();
  CHECK(cut.is_like(whole_training()));
}

TEST_CASE("checkpoint_store: damage is found, and the checkpoint before is used") {
  const small_training whole = whole_training();
  temp_folder folder;
  const std::string newest = folder.file("checkpoint"), previous = newest + ".previous";
  small_training cut(newest);
  cut.run.checkpoint_seconds = -1;
  cut.stop_after(7);
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  cut.go_on();
  const std::string good = read_file(newest), good_previous = read_file(previous);

  SECTION("a bit of a tensor") { flip_byte(newest, 5); }
  SECTION("a cut file") { write_file_atomically(newest, good.substr(0, good.size() / 2)); }
  SECTION("a digit of the state") {
    std::string bad = good;
    const std::size_t at = bad.find("step\\\":6");
    const std::size_t found = at == std::string::npos ? bad.find("step\\\":7") : at;
    REQUIRE(found != std::string::npos);
    bad[found + 7] = '5';
    write_file_atomically(newest, bad);
  }
  SECTION("no file, as after a kill between two renames") { std::filesystem::remove(newest); }
  const bool is_there = std::filesystem::exists(newest);
  // Stopped again at once: the damaged file must not have taken the good one's place.
  cut.stop_after(1);
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  if (is_there) {
    CHECK_THAT(cut.log, contains_text("checkpoint: ") && contains_text("going on from the checkpoint before it"));
    CHECK(read_file(previous) == good_previous);
  }
  cut.go_on();
  cut.train();
  CHECK(cut.is_like(whole));
}

TEST_CASE("checkpoint_store: when all are damaged, the message says so") {
  temp_folder folder;
  small_training cut(folder.file("checkpoint"));
  cut.run.checkpoint_seconds = -1;
  cut.stop_after(2);
  CHECK_THROWS_AS(cut.train(), interrupted_error);
  flip_byte(folder.file("checkpoint"), 5);
  flip_byte(folder.file("checkpoint.previous"), 5);
  cut.go_on();
  CHECK_THROWS_WITH(cut.train(), contains_text("checkpoint: is damaged") && contains_text("no older one"));
}

TEST_CASE("checkpoint_file: files of other kinds and versions are refused") {
  temp_folder folder;
  safetensors_writer writer;
  const float value = 1;
  writer.add("model.a", dtype::f32, {1}, &value);
  writer.write(folder.file("model"));
  CHECK_THROWS_WITH(checkpoint_file(folder.file("model")), contains_text("model: is no checkpoint"));
  writer.metadata("version", "1000");
  writer.write(folder.file("newer"));
  CHECK_THROWS_WITH(checkpoint_file(folder.file("newer")), contains_text("version 1000"));
}

TEST_CASE("fingerprint: every part of a data set counts") {
  const token_dataset data = small_data(1);
  const auto changed = [&](auto&& change) {
    token_dataset other = data;
    change(other);
    return fingerprint(other) != fingerprint(data);
  };
  CHECK(fingerprint(data) == fingerprint(small_data(1)));
  CHECK(changed([](token_dataset& d) { d.ids[3][1] ^= 1; }));
  CHECK(changed([](token_dataset& d) { std::swap(d.ids[0], d.ids[1]); }));
  CHECK(changed([](token_dataset& d) { d.first_lengths[2] -= 1; }));
  CHECK(changed([](token_dataset& d) { d.labels[17] = (d.labels[17] + 1) % 3; }));
  CHECK(changed([](token_dataset& d) { d.scores.assign(18, 0.5f); }));
  CHECK(changed([](token_dataset& d) {
    d.ids.pop_back();
    d.first_lengths.pop_back();
    d.labels.pop_back();
  }));
  CHECK(changed_input({{"a", "1"}, {"b", "2"}}, {{"a", "1"}, {"b", "2"}}).empty());
  CHECK(changed_input({{"a", "1"}, {"b", "2"}}, {{"a", "1"}, {"b", "3"}}) == "b");
  CHECK(changed_input({{"a", "1"}}, {{"a", "1"}, {"b", "3"}}) == "b");
  CHECK(changed_input({{"a", "1"}, {"b", "2"}}, {{"a", "1"}}) == "b");
}

TEST_CASE("run_stage: nothing to train on is refused") {
  stage_steps none;
  training_progress progress;
  CHECK_THROWS_WITH(run_stage(
                        "E0 train", {}, none, progress, {}, [] {}, 1),
                    contains_text("nothing to train on"));
}
