// SPDX-License-Identifier: Apache-2.0
#include "models/model_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "inhibitor/kernels/rows/fused_rows.hpp"
#include "inhibitor/measure/time.hpp"

namespace inhibitor {
namespace bench {
namespace {

/// "8 x 384, 2 threads"
std::string heading(const model_problem& p) {
  return fmt::format("{} x {}{}", p.batch, p.length, p.threads == 1 ? "" : fmt::format(", {} thr.", p.threads));
}

std::string times(const model_run& run) {
  std::string head = "| milliseconds, batch x length |", rule = "|---|";
  for (const problem_result& p : run.problems) {
    head += " " + heading(p.problem) + " |";
    rule += "---|";
  }
  std::string text = head + "\n" + rule + "\n";
  for (std::size_t i = 0; i < run.problems.front().contenders.size(); ++i) {
    text += "| " + run.problems.front().contenders[i].name + " |";
    for (const problem_result& p : run.problems) text += fmt::format(" {:.4g} |", 1e3 * p.contenders[i].median());
    text += "\n";
  }
  return text;
}

/// One ratio for all problems: time of `slow` over time of `fast`.
struct goal {
  const char *slow, *fast;
  const char* wanted;
};

const goal goals[] = {
    {"PyTorch, dot product", "ours on Eigen, dot product", "at least 1"},
    {"PyTorch, dot product", "ours, dot product", "at least 1.25"},
    {"oneDNN encoder, dot product", "ours, dot product", "at least 0.95"},
    {"ours, dot product", "ours, inhibitor u8", "1 at 128, above 1 at 384"},
    {"ours, dot product", "ours, inhibitor", ""},
    {"PyTorch, cdist inhibitor", "ours, inhibitor", ""},
    {"PyTorch, cdist inhibitor", "PyTorch, dot product", "(the thesis: 1.9 and 4.0)"},
};

std::string ratios(const model_run& run) {
  std::string head = "| time of / time of |", rule = "|---|";
  for (const problem_result& p : run.problems) {
    head += " " + heading(p.problem) + " |";
    rule += "---|";
  }
  std::string text = head + " goal |\n" + rule + "---|\n";
  for (const goal& g : goals) {
    std::string row = fmt::format("| {} / {} |", g.slow, g.fast);
    bool any = false;
    for (const problem_result& p : run.problems) {
      const double slow = p.median_of(g.slow), fast = p.median_of(g.fast);
      any = any || (slow > 0 && fast > 0);
      row += slow > 0 && fast > 0 ? fmt::format(" {:.2f} |", slow / fast) : " |";
    }
    if (any) text += row + " " + g.wanted + " |\n";
  }
  return text;
}

std::string shares(const model_run& run) {
  std::string text =
      "| milliseconds of one call | products | of these GELU | attention | residual and norm | embeddings | all |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const problem_result& p : run.problems) {
    if (p.problem.threads != 1) continue;
    for (const contender_result& c : p.contenders) {
      const inference_profile& t = c.profile;
      const double products = t.projections + t.feed_forward;
      if (products <= 0) continue;
      const double gelu = run.gelu_seconds * static_cast<double>(p.problem.rows()) * 3072 * 6;
      text += fmt::format("| {}, {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |\n", heading(p.problem),
                          c.name, 1e3 * products, 1e3 * gelu, 1e3 * t.attention, 1e3 * t.norms, 1e3 * t.embeddings,
                          1e3 * (products + t.attention + t.norms + t.embeddings));
    }
  }
  return text;
}

}  // namespace

double contender_result::median() const {
  std::vector<double> x = seconds;
  std::sort(x.begin(), x.end());
  return x.empty() ? 0 : x[x.size() / 2];
}

double problem_result::median_of(const std::string& name) const {
  for (const contender_result& c : contenders) {
    if (c.name == name) return c.median();
  }
  return 0;
}

double gelu_seconds_per_number() {
  constexpr index_t rows = 64, cols = 192;
  aligned_buffer<float> x(rows * cols);
  double shortest = 1e300;
  for (int i = 0; i < 200; ++i) {
    for (index_t k = 0; k < x.size(); ++k) x[k] = static_cast<float>(k % 801) / 200 - 2;
    const double from = seconds_now(1);
    activate_rows(x.data(), cols, rows, cols, activation::gelu);
    shortest = std::min(shortest, seconds_now(1) - from);
  }
  return shortest / static_cast<double>(x.size());
}

std::string to_json(const model_run& run) {
  using nlohmann::ordered_json;
  ordered_json problems;
  for (const problem_result& p : run.problems) {
    ordered_json contenders;
    for (const contender_result& c : p.contenders) {
      ordered_json one{{"name", c.name}, {"median", c.median()}, {"seconds", c.seconds}, {"difference", c.difference}};
      if (!c.details.empty()) one["details"] = c.details;
      const inference_profile& t = c.profile;
      if (t.feed_forward > 0) {
        one["profile"] = {{"embeddings", t.embeddings},
                          {"projections", t.projections},
                          {"attention", t.attention},
                          {"feed_forward", t.feed_forward},
                          {"norms", t.norms}};
      }
      contenders.push_back(std::move(one));
    }
    problems.push_back({{"batch", p.problem.batch},
                        {"length", p.problem.length},
                        {"threads", p.problem.threads},
                        {"contenders", std::move(contenders)}});
  }
  return ordered_json{{"cpu", run.cpu},     {"compiler", run.compiler},         {"commit", run.commit},
                      {"notes", run.notes}, {"gelu_seconds", run.gelu_seconds}, {"problems", problems}}
      .dump(1);
}

std::string markdown(const model_run& run) {
  std::string text = fmt::format("{}; {}; commit {}.\n\n", run.cpu, run.compiler, run.commit);
  for (const std::string& note : run.notes) text += "- " + note + "\n";
  return text + "\n" + times(run) + "\n" + ratios(run) + "\n" + shares(run);
}

}  // namespace bench
}  // namespace inhibitor
