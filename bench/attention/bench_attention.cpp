// SPDX-License-Identifier: Apache-2.0
// Times inhibitor attention and softmax attention, ours and other libraries', on the same numbers. Every contender is
// checked against a double-precision reference before it is timed.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "attention/side_by_side.hpp"
#include "attention/suites.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"
#include "inhibitor/measure/machine.hpp"
#include "inhibitor/measure/memory.hpp"
#include "inhibitor/measure/time.hpp"
#include "inhibitor_bench_commit.hpp"
#include "support/compiler.hpp"
#include "support/libraries.hpp"

namespace {

using namespace inhibitor;
using namespace inhibitor::bench;

/// A measurement that has been set up: its inputs and its contender live until the program ends.
struct prepared_measurement {
  std::shared_ptr<const inputs> numbers;
  std::unique_ptr<contender> who;
  double error = 0;
};

std::shared_ptr<const inputs> inputs_of(const problem& p) {
  static std::map<std::string, std::shared_ptr<const inputs>> known;
  auto& numbers = known[(p.backward ? "backward/" : "forward/") + p.name()];
  if (numbers == nullptr) numbers = std::make_shared<const inputs>(draw_inputs(p));
  return numbers;
}

prepared_measurement& prepare(const measurement& m) {
  static std::map<std::string, prepared_measurement> known;
  prepared_measurement& prepared = known[m.name()];
  if (prepared.who == nullptr) {
    prepared.numbers = inputs_of(m.what);
    prepared.who = m.who->make(*prepared.numbers);
    prepared.who->clear();
    prepared.who->run();
    prepared.error = error_against_reference(*prepared.numbers, m.who->is_softmax, prepared.who->result());
  }
  return prepared;
}

double error_limit(exactness limit) {
  switch (limit) {
    case exactness::float64:
      return 1e-9;
    case exactness::float32:
      return 1e-3;
    case exactness::bytes:
      break;
  }
  return 0.5;
}

void measure(benchmark::State& state, const measurement& m) {
  prepared_measurement* prepared = nullptr;
  try {
    prepared = &prepare(m);
  } catch (const std::exception& e) {
    state.SkipWithError((std::string("cannot be set up: ") + e.what()).c_str());
    return;
  }
  if (!(prepared->error <= error_limit(m.who->limit))) {
    state.SkipWithError(("wrong result: relative error " + std::to_string(prepared->error)).c_str());
    return;
  }
  reset_peak_resident_bytes();
  contender& who = *prepared->who;
  const double start = seconds_now(m.what.threads);
  for (auto _ : state) {
    who.run();
    benchmark::ClobberMemory();
  }
  const double seconds = (seconds_now(m.what.threads) - start) / static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = 4e-9 * m.what.elements() / seconds;
  state.counters["elements/s"] = m.what.elements() / seconds;
  state.counters["workspace_bytes"] = static_cast<double>(who.workspace_bytes());
  state.counters["peak_rss_bytes"] = static_cast<double>(peak_resident_bytes());
  state.counters["error"] = prepared->error;
  if (!m.who->is_softmax) {
    state.counters["alive"] = prepared->numbers->alive_share;
    state.counters["inhibited"] = prepared->numbers->inhibited_share;
  }
  state.SetLabel(who.details());
}

contender_list all_contenders() {
  contender_list list;
  add_own_u8(list);
  add_own_f32(list);
  add_own_f64(list);
  add_broadcast(list);
  add_eigen(list);
#if INHIBITOR_BENCH_OPENBLAS
  add_openblas(list);
#else
  list.notes.emplace_back("openblas", "absent: not found when this program was configured (libopenblas-dev)");
#endif
#if INHIBITOR_BENCH_ONEDNN
  add_onednn(list);
#else
  list.notes.emplace_back("onednn", "absent: not found when this program was configured (libdnnl-dev)");
#endif
  return list;
}

/// Takes "--<name>=<value>" out of the arguments; false if it is not there.
bool take(std::vector<char*>& arguments, const char* name, std::string& value) {
  const std::string start = std::string("--") + name + "=";
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (std::strncmp(arguments[i], start.c_str(), start.size()) != 0) continue;
    value = arguments[i] + start.size();
    arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  return false;
}

bool has(const std::vector<char*>& arguments, const char* start) {
  for (const char* argument : arguments) {
    if (std::strncmp(argument, start, std::strlen(start)) == 0) return true;
  }
  return false;
}

int run(std::vector<char*> arguments) {
  if (has(arguments, "--help")) {
    std::printf(
        "bench_attention [--suite=<name>[,<name>]...] [--alive=<per cent of the values>] [--benchmark_...]\n\n%s\n",
        suites_help);
  }
  std::string suite = has(arguments, "--benchmark_filter") ? "all" : "quick", alive = "50";
  take(arguments, "suite", suite);
  take(arguments, "alive", alive);
  const bool quick = suite == "quick";

  // Few and short repetitions in turn are enough to see the order; whoever wants more says so.
  std::vector<std::string> defaults;
  if (quick && !has(arguments, "--benchmark_")) {
    defaults = {"--benchmark_repetitions=3", "--benchmark_min_time=0.05",
                "--benchmark_enable_random_interleaving=true"};
  }
  for (std::string& flag : defaults) arguments.push_back(flag.data());
  const bool table = !defaults.empty();

  const contender_list list = all_contenders();
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::AddCustomContext("cpu", cpu_description());
  benchmark::AddCustomContext("compiler", compiler_description());
  benchmark::AddCustomContext("commit", INHIBITOR_COMMIT);
  benchmark::AddCustomContext("suite", suite);
  benchmark::AddCustomContext("active_isa", active_isa());
  for (const auto& [library, note] : list.notes) benchmark::AddCustomContext(library, note);

  const std::vector<measurement> all = measurements_of(suite, std::atoi(alive.c_str()), list);
  for (const measurement& m : all) {
    benchmark::RegisterBenchmark(m.name().c_str(), [m](benchmark::State& state) { measure(state, m); });
  }
  if (table) {
    side_by_side reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
  benchmark::Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settle_libraries(argv);
  try {
    return run({argv, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_attention: %s\n", e.what());
    return 1;
  }
}
