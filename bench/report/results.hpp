// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

// What bench_attention wrote, put in order: runs (processes) with their measurements. Only figures of one run may be
// compared with each other.

namespace inhibitor {
namespace bench {

/// One benchmark of one run over its repetitions; rates in GFLOP/s-equivalent.
struct series {
  std::string name;                        // forward/inhibitor/u8/avx512_vnni/B:1/H:12/L:512/S:512/D:64/threads:1
  std::string pass, who, type, isa, what;  // what: "B:1/.../threads:1"
  std::string details;                     // what the contender said about itself
  std::vector<double> rates;
  std::map<std::string, double> counters;  // of the last repetition

  double median() const;
  double lowest() const;
  double highest() const;
  /// "123 (119-126)"
  std::string text() const;
};

/// One process.
struct run {
  std::string file;
  std::map<std::string, std::string> context;
  std::vector<series> all;
  std::vector<std::string> failures;  // "name: message"

  /// The first measurement of pass/who/type with this problem, whatever the instruction set.
  const series* find(const std::string& pass, const std::string& who, const std::string& type,
                     const std::string& what) const;
};

/// "B:1/H:12/L:512/S:512/D:64" + extra + "/threads:1", heads 2 beyond L = 2048 as in the suites.
std::string square(long length, const std::string& extra = "", int threads = 1);

/// Reads the file of --benchmark_out. Throws std::runtime_error with the file's name.
run read_run(const std::string& file);

/// Rewrites such a file without aggregates, running numbers and repeated counters, a line per repetition. Times are
/// nanoseconds.
void compact(const std::string& file);

/// All runs that a report is made of.
struct results {
  std::vector<run> runs;

  /// The run that has this measurement, or null.
  const run* with(const std::string& pass, const std::string& who, const std::string& type,
                  const std::string& what) const;
  const run* suite(const std::string& name) const;
};

std::string targets_section(const results& r);
std::string tables_section(const results& r);
std::string machine_section(const results& r);
/// Writes SVG files with gnuplot into `folder`; returns Markdown that shows them, or says that gnuplot is missing.
std::string plots_section(const results& r, const std::string& folder, const std::string& link);

}  // namespace bench
}  // namespace inhibitor
