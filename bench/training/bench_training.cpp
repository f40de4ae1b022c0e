// SPDX-License-Identifier: Apache-2.0

// Speed of training: our trainer and the same model in PyTorch, on the same batches of real sentences, for both
// attentions. The losses of some steps without dropout are compared first, so that both are known to do the same work.
//
//   bench_training --data DIR/SST-2 --vocab vocab.txt [--size tiny] [--threads 1,2] [--steps 100] [--rounds 3]
//
// Times are CPU time with one thread, wall time with more; of the rounds, which take turns, the fastest counts.

#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/data/task_data.hpp"
#include "inhibitor/measure/time.hpp"
#include "inhibitor/models/sizes.hpp"
#include "inhibitor/optim/schedule.hpp"
#include "inhibitor/training/classifier_model.hpp"
#include "support/build_info.hpp"

namespace inhibitor {
namespace {

constexpr index_t checked_steps = 5;

struct training_job {
  std::string folder;  ///< of what PyTorch reads
  std::vector<token_batch> batches;
  encoder_tensors<float> start[2];  ///< dot product, inhibitor
  adamw_options optimizer;
  learning_rate_schedule schedule;
  double max_norm = 1;
};

const char* const mechanism_names[] = {"dot_product", "inhibitor"};

template <class T>
void write_numbers(const std::string& file, const std::vector<T>& numbers) {
  write_file_atomically(file, {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)});
}

/// Everything PyTorch needs, as pytorch_training.py describes it.
void write_job(const training_job& job) {
  std::vector<float> weights;
  nlohmann::json tensors;
  for (int m = 0; m < 2; ++m) {
    job.start[m].visit([&](const std::string& name, const tensor<const float>& t) {
      tensors[mechanism_names[m]].push_back({{"name", name}, {"shape", stored_shape(t)}, {"begin", weights.size()}});
      weights.insert(weights.end(), t.data, t.data + t.size());
    });
  }
  std::vector<std::int32_t> ids, lengths, labels;
  nlohmann::json shapes;
  for (const token_batch& b : job.batches) {
    shapes.push_back({b.batch, b.length});
    ids.insert(ids.end(), b.ids.begin(), b.ids.end());
    labels.insert(labels.end(), b.labels.begin(), b.labels.end());
    for (index_t row = 0; row < b.batch; ++row) {
      const auto first = b.key_mask.begin() + row * b.length;
      lengths.push_back(static_cast<std::int32_t>(std::count(first, first + b.length, std::uint8_t{1})));
    }
  }
  const encoder_config& c = job.start[0].config();
  write_json_file(job.folder + "/job.json", {{"n_layers", c.n_layers},
                                             {"n_heads", c.n_heads},
                                             {"pad_token_id", c.pad_token_id},
                                             {"dropout", c.dropout},
                                             {"attention_dropout", c.attention_dropout},
                                             {"seq_classif_dropout", c.seq_classif_dropout},
                                             {"tensors", tensors},
                                             {"batches", shapes},
                                             {"optimizer",
                                              {{"learning_rate", job.optimizer.learning_rate},
                                               {"weight_decay", job.optimizer.weight_decay},
                                               {"warmup", job.schedule.warmup_steps},
                                               {"total", job.schedule.total_steps},
                                               {"max_norm", job.max_norm}}}});
  write_numbers(job.folder + "/weights.bin", weights);
  write_numbers(job.folder + "/ids.bin", ids);
  write_numbers(job.folder + "/lengths.bin", lengths);
  write_numbers(job.folder + "/labels.bin", labels);
}

struct measured {
  std::vector<double> losses;
  double seconds = 0;
};

/// Our trainer's steps.
measured train(const training_job& job, int mechanism, index_t steps, bool dropout, const executor& workers) {
  encoder_tensors<float> model = job.start[mechanism];
  adamw<encoder_tensors<float>> optimizer(model, trainable_segments(model, [](const std::string&) { return true; }));
  training_state<float> state(model);
  measured out;
  const double start = seconds_now(static_cast<int>(workers.workers()));
  for (index_t step = 0; step < steps; ++step) {
    const token_batch& batch = job.batches[static_cast<std::size_t>(step)];
    const dropout_mode mode{dropout, {1, static_cast<std::uint64_t>(step), 0}};
    out.losses.push_back(classification_objective(state, model, view_of(batch), batch.labels.data(), mode, workers));
    adamw_options options = job.optimizer;
    options.learning_rate *= job.schedule.factor(step);
    optimizer.update(model, state.gradients, options, job.max_norm, workers);
  }
  out.seconds = seconds_now(static_cast<int>(workers.workers())) - start;
  return out;
}

/// PyTorch's, in a process of its own. Its threads wait passively: spinning, they starve those of its OpenBLAS.
measured train_pytorch(const training_job& job, const std::string& python, int mechanism, index_t steps, int threads) {
  const std::string command =
      fmt::format("OMP_WAIT_POLICY=passive '{}' '{}' '{}' {} {} {} {}", python, INHIBITOR_BENCH_SCRIPT, job.folder,
                  mechanism_names[mechanism], threads, checked_steps, steps);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start " + python);
  std::string answer;
  char block[4096];
  while (const std::size_t count = std::fread(block, 1, sizeof block, pipe)) answer.append(block, count);
  if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed");
  const nlohmann::json j = parse_json(answer, "the answer of PyTorch");
  return {j.at("losses"), j.at("seconds")};
}

void require_equal(const std::vector<double>& ours, const std::vector<double>& theirs) {
  for (std::size_t i = 0; i < ours.size(); ++i) {
    check(std::abs(ours[i] - theirs[i]) < 1e-3 * std::abs(theirs[i]), [&] {
      return fmt::format("step {} has the loss {} here and {} in PyTorch: the models differ", i, ours[i], theirs[i]);
    });
  }
}

}  // namespace
}  // namespace inhibitor

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  std::string data, vocab, size = "tiny", python = "/usr/bin/python3";
  std::vector<int> threads{1, 2};
  index_t steps = 100, rounds = 3, batch_size = 32, max_length = 128;
  CLI::App app("Training speed against PyTorch, on the same batches of a classification task");
  app.option_defaults()->always_capture_default();
  app.add_option("--data", data, "Folder of SST-2")->required();
  app.add_option("--vocab", vocab, "vocab.txt")->required();
  app.add_option("--size", size, "Model size")->check(CLI::IsMember(model_sizes()));
  app.add_option("--threads", threads, "Numbers of threads")->delimiter(',');
  app.add_option("--steps", steps, "Steps of a round")->check(CLI::Range(index_t{checked_steps}, index_t{100000}));
  app.add_option("--rounds", rounds, "Rounds; the fastest counts")->check(CLI::PositiveNumber);
  app.add_option("--batch-size", batch_size, "Examples per step")->check(CLI::PositiveNumber);
  app.add_option("--python", python, "Interpreter with PyTorch");
  CLI11_PARSE(app, argc, argv);
  const std::string folder =
      (std::filesystem::temp_directory_path() / fmt::format("bench_training-{}", ::getpid())).string();
  try {
    std::filesystem::create_directories(folder);
    const task_info& task = find_task("sst2");
    const wordpiece tokenizer = wordpiece::load(vocab);
    const token_dataset train_set =
        tokenize(tokenizer, read_task(task, data, {true, false, false}).train.front().examples, max_length);
    training_job job;
    job.folder = folder;
    for (const auto& rows : length_bucketed_batches(train_set, batch_size, 1).epoch(0)) {
      if (static_cast<index_t>(job.batches.size()) == steps) break;
      job.batches.push_back(make_batch(train_set, rows, tokenizer.pad_id()));
    }
    steps = static_cast<index_t>(job.batches.size());
    index_t examples = 0;
    for (const token_batch& batch : job.batches) examples += batch.batch;
    job.optimizer.learning_rate = 5e-4;
    job.optimizer.weight_decay = 0.01;
    job.schedule = {schedule_kind::linear, steps / 10 + 1, 10 * steps};
    for (int m = 0; m < 2; ++m) {
      encoder_config config = config_of_size(size);
      config.vocab_size = tokenizer.size();
      config.pad_token_id = tokenizer.pad_id();
      config.set_attention(m == 0 ? "dot_product" : "inhibitor");
      job.start[m] = new_classifier(config, task, 1).tensors;
    }
    write_job(job);

    fmt::print("{} of SST-2, batches of {}, {} steps, on {}\n\n", size, batch_size, steps, cpu_model());
    fmt::print("| attention   | threads | ours, examples/s | PyTorch, examples/s | ratio |\n");
    fmt::print("| ----------- | ------: | ---------------: | ------------------: | ----: |\n");
    for (int m = 0; m < 2; ++m) {
      for (const int count : threads) {
        const executor workers = count == 1 ? executor() : program_executor(count);
        double ours = std::numeric_limits<double>::infinity(), theirs = ours;
        for (index_t round = 0; round < rounds; ++round) {
          const measured check = train(job, m, checked_steps, false, workers);
          ours = std::min(ours, train(job, m, steps, true, workers).seconds);
          const measured other = train_pytorch(job, python, m, steps, count);
          theirs = std::min(theirs, other.seconds);
          require_equal(check.losses, other.losses);
        }
        fmt::print("| {:11} | {:>7} | {:>16.0f} | {:>19.0f} | {:>5.2f} |\n", mechanism_names[m], count,
                   static_cast<double>(examples) / ours, static_cast<double>(examples) / theirs, theirs / ours);
        std::fflush(stdout);
      }
    }
    std::filesystem::remove_all(folder);
    return 0;
  } catch (const std::exception& e) {
    std::filesystem::remove_all(folder);
    fmt::print(stderr, "bench_training: {}\n", e.what());
    return 2;
  }
}
