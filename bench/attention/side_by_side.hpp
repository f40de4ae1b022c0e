// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace inhibitor {
namespace bench {

/// Prints the medians as one table: a row per contender, a column per length, each with its speed against our softmax.
class side_by_side : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  struct cell {
    std::vector<double> rates;  // GFLOP/s-equivalent of the repetitions
  };
  std::vector<std::string> contenders_, lengths_;              // in the order of their first appearance
  std::map<std::pair<std::string, std::string>, cell> cells_;  // by contender and length
};

}  // namespace bench
}  // namespace inhibitor
