// SPDX-License-Identifier: Apache-2.0
#include "attention/side_by_side.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "inhibitor/measure/machine.hpp"
#include "support/compiler.hpp"

namespace inhibitor {
namespace bench {
namespace {

double median_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const std::size_t n = x.size();
  return n % 2 == 1 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

void note(std::vector<std::string>& list, const std::string& x) {
  if (std::find(list.begin(), list.end(), x) == list.end()) list.push_back(x);
}

}  // namespace

bool side_by_side::ReportContext(const Context&) {
  std::printf("%s\n%s\n", cpu_description().c_str(), compiler_description().c_str());
  std::printf(
      "One thread, 12 heads of size 64, L queries against L keys; 10^9 operations per second of the dot-product\n"
      "formula (4 H L L D / time), in brackets against our own softmax attention. u8 includes quantizing.\n\n");
  std::fflush(stdout);
  return true;
}

void side_by_side::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    const auto rate = run.counters.find("GFLOP/s");
    if (run.run_type == Run::RT_Aggregate || rate == run.counters.end()) continue;
    const std::string name = run.benchmark_name();  // forward/inhibitor/u8/avx512_vnni/B:1/H:12/L:512/...
    const std::size_t first = name.find('/') + 1, shape = name.find("/B:"), length = name.find("/L:") + 1;
    const std::string who = name.substr(first, shape - first);
    const std::string column = name.substr(length, name.find('/', length) - length);
    note(contenders_, who);
    note(lengths_, column);
    cells_[{who, column}].rates.push_back(rate->second.value);
  }
}

void side_by_side::Finalize() {
  const auto by_size = [](const std::string& a, const std::string& b) {
    return std::atol(a.c_str() + 2) < std::atol(b.c_str() + 2);
  };
  std::sort(lengths_.begin(), lengths_.end(), by_size);
  std::sort(contenders_.begin(), contenders_.end());
  const auto ours = std::find_if(contenders_.begin(), contenders_.end(),
                                 [](const std::string& x) { return x.compare(0, 12, "softmax/f32/") == 0; });
  std::printf("%-32s", "");
  for (const std::string& length : lengths_) std::printf("%18s", length.c_str());
  std::printf("\n");
  for (const std::string& who : contenders_) {
    std::printf("%-32s", who.c_str());
    for (const std::string& length : lengths_) {
      const auto found = cells_.find({who, length});
      if (found == cells_.end()) {
        std::printf("%18s", "-");
        continue;
      }
      const double rate = median_of(found->second.rates);
      const double base = ours == contenders_.end() ? rate : median_of(cells_[{*ours, length}].rates);
      std::printf("%10.0f (%4.2fx)", rate, rate / base);
    }
    std::printf("\n");
  }
}

}  // namespace bench
}  // namespace inhibitor
