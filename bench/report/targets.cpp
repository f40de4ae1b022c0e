// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/results.hpp"

// The project's own targets, each a ratio of medians of one run, with its verdict.

namespace inhibitor {
namespace bench {
namespace {

constexpr long lengths[] = {128, 512, 2048};

double rate(const run* r, const std::string& pass, const std::string& who, const std::string& type,
            const std::string& what) {
  const series* s = r == nullptr ? nullptr : r->find(pass, who, type, what);
  return s == nullptr ? 0 : s->median();
}

/// Of our bytes in one of several instruction sets.
double rate_on(const run* r, const std::string& isa, const std::string& what) {
  if (r == nullptr) return 0;
  for (const series& s : r->all) {
    if (s.pass == "forward" && s.who == "inhibitor" && s.type == "u8" && s.isa == isa && s.what == what)
      return s.median();
  }
  return 0;
}

double best_public(const run* r, const std::string& what) {
  double best = 0;
  for (const char* who : {"softmax_eigen", "softmax_blas", "softmax_onednn"}) {
    best = std::max(best, rate(r, "forward", who, "f32", what));
  }
  return best;
}

/// One row: the ratios found and whether all of them reach the target.
class table {
 public:
  void row(const std::string& what, double target, const std::vector<double>& ratios, bool at_most = false) {
    std::string cells, verdict;
    bool known = false, met = true;
    for (const double ratio : ratios) {
      if (!(ratio > 0) || std::isinf(ratio)) {
        cells += " - |";
        continue;
      }
      known = true;
      const bool one_met = at_most ? ratio <= target : ratio >= target;
      met = met && one_met;
      cells += fmt::format(one_met ? " {:.2f} |" : " **{:.2f}** |", ratio);
    }
    for (std::size_t i = ratios.size(); i < 3; ++i) cells += " |";
    text_ += fmt::format("| {} | {} {:.2f} |{} {} |\n", what, at_most ? "at most" : "at least", target, cells,
                         !known ? "not measured"
                         : met  ? "met"
                                : "missed");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

template <class Ratio>
std::vector<double> at_lengths(Ratio&& ratio) {
  std::vector<double> all;
  for (const long length : lengths) all.push_back(ratio(length));
  return all;
}

/// Highest over lowest time per element from L = 512 to 8192.
double evenness(const run* r, const char* who, const char* type) {
  double low = 1e300, high = 0;
  for (const long length : {512, 1024, 2048, 4096, 8192}) {
    const double x = rate(r, "forward", who, type, square(length));
    if (x == 0) return 0;
    low = std::min(low, x);
    high = std::max(high, x);
  }
  return high / low;
}

double workspace_rows(const run* r, const char* type, long length) {
  const series* s = r == nullptr ? nullptr : r->find("forward", "inhibitor", type, square(length));
  if (s == nullptr) return 0;
  return s->counters.at("workspace_bytes") / (4.0 * static_cast<double>(length));
}

}  // namespace

std::string targets_section(const results& r) {
  const run* main = r.suite("targets");
  const run* skip = r.suite("skipping");
  const run* held = r.suite("held");
  const run* grads = r.suite("backward");
  const run* sweep = r.suite("lengths");
  const run* two = r.suite("threads");
  const run* one_token = r.suite("decode");
  const std::string padding = "/mask:padding", prepared = "/prepared:1", padded = padding + prepared,
                    inhibited = "/inhibited:60";
  table t;
  t.row("u8 (quantizing included) against the best public fp32 softmax", 2.0, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n)) / best_public(main, square(n));
        }));
  t.row("the same, keys and values packed beforehand", 2.0, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n, prepared)) / best_public(main, square(n));
        }));
  t.row("u8 against our own fp32 softmax", 1.75, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n)) /
                 rate(main, "forward", "softmax", "f32", square(n));
        }));
  t.row("u8 (quantizing included) against oneDNN int8 (quantized beforehand)", 1.15, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n)) /
                 rate(main, "forward", "softmax_onednn", "s8", square(n, prepared));
        }));
  t.row("u8 against oneDNN int8, both with quantizing", 1.15, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n)) /
                 rate(main, "forward", "softmax_onednn", "s8", square(n));
        }));
  t.row("with a key-padding mask: u8 against oneDNN int8 (quantized beforehand)", 1.4, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "u8", square(n, padding)) /
                 rate(main, "forward", "softmax_onednn", "s8", square(n, padded));
        }));
  for (const char* isa : {"avx2", "avx2_vnni"}) {
    t.row(fmt::format("everybody held to AVX2: u8 ({}) against the best public fp32 softmax", isa), 1.5,
          at_lengths([&](long n) { return rate_on(held, isa, square(n)) / best_public(held, square(n)); }));
  }
  t.row("f32 against our own fp32 softmax", 0.55, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "f32", square(n)) /
                 rate(main, "forward", "softmax", "f32", square(n));
        }));
  t.row("f32 against the best public fp32 softmax", 0.65, at_lengths([&](long n) {
          return rate(main, "forward", "inhibitor", "f32", square(n)) / best_public(main, square(n));
        }));
  t.row("f32 with skipping, 60 % of the keys inhibited, against the best public fp32 softmax", 1.0,
        at_lengths([&](long n) {
          return rate(skip, "forward", "inhibitor_skip", "f32", square(n, inhibited)) /
                 best_public(skip, square(n, inhibited));
        }));
  t.row("u8 with skipping against u8 without, 60 % of the keys inhibited (in runs)", 1.3, at_lengths([&](long n) {
          return rate(skip, "forward", "inhibitor_skip", "u8", square(n, inhibited)) /
                 rate(skip, "forward", "inhibitor", "u8", square(n, inhibited));
        }));
  t.row("the same, inhibited keys scattered", 1.3, at_lengths([&](long n) {
          const std::string what = square(n, inhibited + "/scattered:1");
          return rate(skip, "forward", "inhibitor_skip", "u8", what) / rate(skip, "forward", "inhibitor", "u8", what);
        }));
  t.row("our fp32 softmax against the best public one", 1.0, at_lengths([&](long n) {
          return rate(main, "forward", "softmax", "f32", square(n)) / best_public(main, square(n));
        }));
  t.row("backward: f32 against our softmax backward", 0.4, at_lengths([&](long n) {
          return rate(grads, "backward", "inhibitor", "f32", square(n)) /
                 rate(grads, "backward", "softmax", "f32", square(n));
        }));
  for (const char* type : {"u8", "f32"}) {
    t.row(fmt::format("two threads against one, {} forward", type), 1.8, at_lengths([&](long n) {
            return rate(two, "forward", "inhibitor", type, square(n, "", 2)) /
                   rate(two, "forward", "inhibitor", type, square(n));
          }));
  }
  t.row("two threads against one, f32 backward", 1.8, at_lengths([&](long n) {
          return rate(two, "backward", "inhibitor", "f32", square(n, "", 2)) /
                 rate(two, "backward", "inhibitor", "f32", square(n));
        }));
  std::string text = "| target | | L = S = 128 | 512 | 2048 | |\n|---|---|---|---|---|---|\n" + t.text() + "\n";

  table single;
  const std::string token = "B:1/H:12/L:1/S:4096/D:64";
  const double decoded = rate(one_token, "forward", "inhibitor", "u8", token + prepared + "/threads:1");
  const double own = std::max(rate(one_token, "forward", "softmax", "f32", token + "/threads:1"),
                              rate(one_token, "forward", "softmax", "f32", token + prepared + "/threads:1"));
  const double best = std::max(own, best_public(one_token, token + "/threads:1"));
  single.row("one token against 4096 cached keys: u8 against the fastest fp32 softmax", 2.5, {decoded / best});
  single.row("time per element, longest over shortest of L = 512 ... 8192, u8", 1.15,
             {evenness(sweep, "inhibitor", "u8")}, true);
  single.row("the same, f32", 1.15, {evenness(sweep, "inhibitor", "f32")}, true);
  single.row("workspace in rows of S floats, L = S = 2048, u8 (packed keys and values included)", 64,
             {workspace_rows(main, "u8", 2048)}, true);
  single.row("the same, f32", 64, {workspace_rows(main, "f32", 2048)}, true);
  return text + "| target | | found | | | |\n|---|---|---|---|---|---|\n" + single.text();
}

}  // namespace bench
}  // namespace inhibitor
