// SPDX-License-Identifier: Apache-2.0

// What it takes to load a checkpoint of DistilBERT-base's size: bench_load makes one with random weights in a temporary
// folder, loads it several times, each in a process of its own, and prints seconds of processor time and peak memory
// beside the goals.
//
//   bench_load [FOLDER]      default: makes a folder and removes it
//
// "load" is read_model_folder alone; "ready" goes on to a packed encoder_inference that gave one answer.

#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/measure/time.hpp"
#include "inhibitor/models/bert/inference.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "support/build_info.hpp"

namespace {

using namespace inhibitor;
using namespace inhibitor::examples;

struct measured {
  double load = 0, ready = 0;                // seconds from the start
  double load_memory = 0, ready_memory = 0;  // MiB, peak of the process
};

measured load_here(const std::string& folder) {
  measured m;
  // Nothing here waits, since the file is in the system's cache: processor time is what a quiet machine's wall would
  // show.
  const auto now = [] { return seconds_now(1); };
  const double from = now();
  const encoder_tensors<float> tensors = load_model_folder<float>(folder);
  m.load = now() - from;
  m.load_memory = peak_memory_mib();
  encoder_inference<float> model(tensors);
  const std::int32_t ids[] = {101, 7592, 102};
  const index_t starts[] = {0, 3};
  model.classify({ids, nullptr, starts, 1}, {});
  m.ready = now() - from;
  m.ready_memory = peak_memory_mib();
  return m;
}

/// load_here in a child process, whose peak memory is its own.
measured load_in_child(const std::string& folder) {
  int ends[2];
  measured m;
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const ::pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    m = load_here(folder);
    ::_exit(::write(ends[1], &m, sizeof m) == static_cast<::ssize_t>(sizeof m) ? 0 : 1);
  }
  ::close(ends[1]);
  const bool complete = ::read(ends[0], &m, sizeof m) == static_cast<::ssize_t>(sizeof m);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!complete || status != 0) throw std::runtime_error("loading failed in the child process");
  return m;
}

void make_folder(const std::string& folder) {
  // In a child as well, so that this process stays small: its children start with what it has.
  const ::pid_t child = ::fork();
  if (child == 0) {
    encoder_tensors<float> p{encoder_config{}};
    initialize(p, 1);
    save_model_folder(folder, p);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (child < 0 || status != 0) throw std::runtime_error("making " + folder + " failed");
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

int run(const std::string& given) {
  namespace fs = std::filesystem;
  const std::string folder =
      given.empty() ? (fs::temp_directory_path() / ("bench_load-" + std::to_string(::getpid()))).string() : given;
  if (given.empty()) make_folder(folder);
  const double size = static_cast<double>(fs::file_size(folder + "/model.safetensors"));
  load_in_child(folder);  // warms the file cache
  std::vector<double> load, ready, load_memory, ready_memory;
  for (int i = 0; i < 7; ++i) {
    const measured m = load_in_child(folder);
    load.push_back(m.load);
    ready.push_back(m.ready);
    load_memory.push_back(m.load_memory);
    ready_memory.push_back(m.ready_memory);
  }
  if (given.empty()) fs::remove_all(folder);
  const double mib = size / (1 << 20);
  fmt::print("checkpoint of {:.0f} MB, in the file cache, medians of {}\n", size / 1e6, load.size());
  fmt::print("load   {:.3f} s (goal 0.3), peak memory {:.2f} times the file (goal 1.3)\n", median(load),
             median(load_memory) / mib);
  fmt::print("ready  {:.3f} s, peak memory {:.2f} times the file\n", median(ready), median(ready_memory) / mib);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "");
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_load: {}\n", e.what());
    return 1;
  }
}
