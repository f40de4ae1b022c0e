// SPDX-License-Identifier: Apache-2.0

// Encoders of DistilBERT-base's size side by side: ours with either attention and on every product that was found, one
// composed of oneDNN primitives, and PyTorch's, with dot products and with the inhibitor as the thesis ran it.
// Everybody computes the last hidden states of the same tokens with the same random weights, takes turns with the
// others, and is checked against ours first.
//
//   bench_model --help        bench/run_model calls it and puts the tables into docs/model-performance.md

#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "inhibitor/measure/machine.hpp"
#include "models/contenders.hpp"
#include "models/model_report.hpp"
#include "support/build_info.hpp"
#include "support/compiler.hpp"
#include "support/libraries.hpp"

namespace {

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::bench;

struct settings {
  std::string out, table, only;
  std::string python = "/usr/bin/python3", script = INHIBITOR_BENCH_SCRIPT;
  double seconds = 40;  // for one problem
  index_t rounds = 15;  // at most
  std::vector<index_t> batches{1, 8}, lengths{128, 384};
  std::vector<int> threads{1, 2};
};

struct participant {
  model_entry entry;
  std::unique_ptr<model_contender> contender;
};

bench_models make_models() {
  encoder_config c;
  bench_models models;
  models.dot = encoder_tensors<float>(c);
  c.set_attention("inhibitor");
  models.inhibitor = encoder_tensors<float>(c);
  initialize(models.dot, 1);
  initialize(models.inhibitor, 1);
  return models;
}

/// Largest difference of a result from the reference, relative to the largest magnitude.
double relative_difference(const std::vector<float>& a, const std::vector<float>& reference) {
  if (a.size() != reference.size()) return HUGE_VAL;
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(reference[i]));
    if (!(d <= difference)) difference = std::isnan(d) ? HUGE_VAL : d;
    magnitude = std::fmax(magnitude, std::fabs(static_cast<double>(reference[i])));
  }
  return difference / magnitude;
}

/// Everybody's times on one problem. Throws when somebody computes something else.
problem_result measure(std::vector<participant>& all, const model_problem& problem, const settings& s) {
  problem_result result;
  result.problem = problem;
  std::map<std::string, std::vector<float>> references;
  double round = 0;
  std::vector<double> turns;
  for (participant& p : all) {
    p.contender->prepare(problem);
    const auto from = std::chrono::steady_clock::now();
    p.contender->run();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    turns.push_back(seconds < 0.5 ? 2 * seconds : seconds);
    round += turns.back();
    const std::vector<float> hidden = p.contender->result();
    const auto reference = references.emplace(p.entry.mechanism, hidden).first;
    contender_result one;
    one.name = p.entry.name;
    one.difference = relative_difference(hidden, reference->second);
    if (!(one.difference <= p.entry.tolerance)) {
      throw std::runtime_error(fmt::format("{} on {}: the result is off by {:.2g}, allowed is {:.2g}", p.entry.name,
                                           problem.name(), one.difference, p.entry.tolerance));
    }
    one.details = p.contender->details();
    result.contenders.push_back(std::move(one));
  }
  const index_t wanted = static_cast<index_t>(s.seconds / round) | 1;  // odd: the median is one of them
  const index_t rounds = std::clamp<index_t>(wanted, 3, s.rounds);
  fmt::print(stderr, "{}: {} rounds of {:.1f} s\n", problem.name(), rounds, round);
  for (index_t r = 0; r < rounds; ++r) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (turns[i] > round / 4 && r % 3 != 0) continue;  // whoever is very slow sits out two rounds of three
      // The others have taken caches and, for a moment, waiting threads; where a call is short that shows.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      const double first = all[i].contender->run();
      result.contenders[i].seconds.push_back(first < 0.5 ? all[i].contender->run() : first);
    }
  }
  const auto total = [](const inference_profile& t) {
    return t.embeddings + t.projections + t.attention + t.feed_forward + t.norms;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    // Of wall times the shortest call tells most.
    inference_profile& best = result.contenders[i].profile;
    best = all[i].contender->profile();
    for (int again = 0; again < 2 && total(best) > 0; ++again) {
      const inference_profile other = all[i].contender->profile();
      if (total(other) < total(best)) best = other;
    }
  }
  return result;
}

int run(const settings& s) {
  const bench_models models = make_models();
  std::vector<model_entry> entries;
  model_run report;
  add_own(entries, report.notes, models);
  add_own_libraries(entries, report.notes, models);
#if INHIBITOR_BENCH_ONEDNN
  add_onednn_encoder(entries, report.notes, models);
#else
  report.notes.push_back("oneDNN encoder: absent (needs oneDNN 2.6 or 2.7)");
#endif
  add_pytorch(entries, report.notes, models, s.python, s.script);
  std::vector<participant> all;
  for (const model_entry& entry : entries) {
    // The first of a mechanism is what results are compared with.
    const bool reference = entry.name == "ours, dot product" || entry.name == "ours, inhibitor";
    if (reference || entry.name.find(s.only) != std::string::npos) all.push_back({entry, entry.make()});
  }
  report.cpu = cpu_description();
  report.compiler = compiler_description();
  report.commit = build_commit();
  if (load_average() >= 0)
    report.notes.push_back(fmt::format("load of the machine at the start: {:.1f}", load_average()));
  report.gelu_seconds = gelu_seconds_per_number();
  for (const index_t batch : s.batches) {
    for (const index_t length : s.lengths) {
      for (const int threads : s.threads) {
        report.problems.push_back(measure(all, {batch, length, threads}, s));
        // After every problem, so that a run that is cut short leaves what it has.
        if (!s.out.empty()) std::ofstream(s.out) << to_json(report) << '\n';
        if (!s.table.empty()) std::ofstream(s.table) << markdown(report);
      }
    }
  }
  fmt::print("{}", markdown(report));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settle_libraries(argv);
  settings s;
  CLI::App app("Encoders of DistilBERT-base's size side by side: milliseconds to the last hidden states");
  app.add_option("--out", s.out, "write all times here, as JSON");
  app.add_option("--table", s.table, "write the tables here, as Markdown");
  app.add_option("--only", s.only, "contenders whose name contains this");
  app.add_option("--seconds", s.seconds, "to spend on one problem, about")->capture_default_str();
  app.add_option("--batches", s.batches, "sequences per call")->delimiter(',')->capture_default_str();
  app.add_option("--lengths", s.lengths, "tokens per sequence")->delimiter(',')->capture_default_str();
  app.add_option("--threads", s.threads, "numbers of threads")->delimiter(',')->capture_default_str();
  app.add_option("--rounds", s.rounds, "at most")->capture_default_str();
  app.add_option("--python", s.python, "an interpreter that has PyTorch")->capture_default_str();
  app.add_option("--script", s.script, "the encoder in PyTorch")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(s);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_model: {}\n", e.what());
    return 1;
  }
}
