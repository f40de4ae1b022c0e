// SPDX-License-Identifier: Apache-2.0
// Speed of the WordPiece tokenizer on one core, in bytes of text per second. Without arguments it reads the corpus and
// the vocabulary of this repository; `bench_tokenizer VOCABULARY FILE...` reads others. A file is cut at its line ends,
// as programs read it.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/read_file.hpp"
#include "inhibitor/text/wordpiece.hpp"

namespace {

void tokenize_lines(benchmark::State& state, const inhibitor::wordpiece& tokenizer, const std::string& text) {
  std::size_t tokens = 0;
  for (auto _ : state) {
    tokens = 0;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      tokens += tokenizer.tokenize(rest.substr(0, end)).size();
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    benchmark::DoNotOptimize(tokens);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(text.size()));
  state.counters["tokens"] = static_cast<double>(tokens);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<std::string> files(argv + 1, argv + argc);
  if (files.empty()) files = {INHIBITOR_EMBEDDED_DATA "/vocab.txt", INHIBITOR_EMBEDDED_DATA "/train.tsv"};
  try {
    const auto tokenizer = inhibitor::wordpiece::load(files.front());
    std::vector<std::string> texts;
    for (std::size_t i = 1; i < files.size(); ++i) texts.push_back(inhibitor::read_file(files[i]));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string name = "tokenize/" + files[i + 1].substr(files[i + 1].find_last_of('/') + 1);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [&, i](benchmark::State& state) { tokenize_lines(state, tokenizer, texts[i]); });
    }
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_tokenizer: %s\n", e.what());
    return 2;
  }
  return 0;
}
