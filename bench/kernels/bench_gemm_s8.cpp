// SPDX-License-Identifier: Apache-2.0

// Matrix products in bytes beside those in float, on the shapes of a DistilBERT-base: ours, Eigen's, oneDNN's, and the
// loop in registers that none can beat. One thread; everybody takes turns, and is checked against ours in float first.
//
//   bench_gemm_s8 [--seconds S] [--out FILE]        prints a table; docs/integers.md shows one

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "inhibitor/measure/machine.hpp"
#include "inhibitor/measure/time.hpp"
#include "kernels/gemm_contenders.hpp"
#include "support/build_info.hpp"
#include "support/compiler.hpp"
#include "support/libraries.hpp"

namespace {

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::bench;

struct measured {
  std::string name;
  double products, difference;
  std::vector<double> seconds;

  double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

/// Largest difference from the truth relative to its largest magnitude. Throws when a result is off.
double verify(const gemm_contender& c, const std::vector<float>& truth, const gemm_problem& p) {
  if (c.y == nullptr) return 0;
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    difference = std::fmax(difference, std::fabs(static_cast<double>((*c.y)[i]) - static_cast<double>(truth[i])));
    magnitude = std::fmax(magnitude, std::fabs(static_cast<double>(truth[i])));
  }
  if (!(difference <= c.tolerance * magnitude)) {
    throw std::runtime_error(
        fmt::format("{} on {}: the result is off by {:.2g} of the largest magnitude, allowed is {}", c.name, p.name(),
                    difference / magnitude, c.tolerance));
  }
  return difference / magnitude;
}

std::vector<measured> measure(const gemm_problem& p, double seconds) {
  const std::vector<gemm_contender> all = make_gemm_contenders(p);
  std::vector<measured> results;
  double round = 0;
  std::vector<int> repeats;
  for (const gemm_contender& c : all) {
    c.run();
    const double difference = verify(c, *all.front().y, p);
    const double from = seconds_now(1);
    c.run();
    const double once = std::max(seconds_now(1) - from, 1e-7);
    repeats.push_back(std::max(1, static_cast<int>(1e-3 / once)));  // the clock is read once a millisecond
    round += once * repeats.back();
    results.push_back({c.name, c.products, difference, {}});
  }
  const int rounds = std::max(5, static_cast<int>(seconds / round)) | 1;
  for (int r = 0; r < rounds; ++r) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double from = seconds_now(1);
      for (int n = 0; n < repeats[i]; ++n) all[i].run();
      results[i].seconds.push_back((seconds_now(1) - from) / repeats[i]);
    }
  }
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  settle_libraries(argv);
  double seconds = 5;
  std::string out;
  CLI::App app("Matrix products in bytes and in float side by side");
  app.add_option("--seconds", seconds, "to spend on one shape, about")->capture_default_str();
  app.add_option("--out", out, "write all times here, as JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    nlohmann::json report = {{"cpu", cpu_description()},
                             {"compiler", compiler_description()},
                             {"commit", build_commit()},
                             {"load", load_average()},
                             {"shapes", nlohmann::json::array()}};
    std::string table =
        "| rows x inputs x outputs | contender | microseconds | G products/s | weights, GB/s | off by |\n"
        "|---|---|---|---|---|---|\n";
    const index_t shapes[][3] = {{128, 768, 768}, {128, 768, 3072}, {128, 3072, 768}, {16, 768, 3072},
                                 {4, 768, 3072},  {1, 768, 3072},   {1, 3072, 768}};
    for (const auto& shape : shapes) {
      const gemm_problem problem(shape[0], shape[1], shape[2]);
      nlohmann::json contenders;
      for (const measured& m : measure(problem, seconds)) {
        const double t = m.median();
        const bool bytes = m.name.find("int8") != std::string::npos;
        const double weights = static_cast<double>(shape[1] * shape[2]) * (bytes ? 1 : 4);
        table += fmt::format("| {} | {} | {:.1f} | {:.1f} |", problem.name(), m.name, 1e6 * t, 1e-9 * m.products / t);
        table += m.name.find("limit") == 0 ? " | |\n"
                                           : fmt::format(" {:.1f} | {:.2g} |\n", 1e-9 * weights / t, m.difference);
        contenders[m.name] = {{"seconds", m.seconds}, {"difference", m.difference}};
      }
      report["shapes"].push_back({{"shape", problem.name()}, {"contenders", contenders}});
    }
    report["contenders"] = gemm_contenders_description();
    fmt::print("{}; {}\n{}; load {:.1f}\n\n{}", cpu_description(), compiler_description(),
               gemm_contenders_description(), load_average(), table);
    if (!out.empty()) std::ofstream(out) << report << '\n';
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_gemm_s8: {}\n", e.what());
    return 1;
  }
}
