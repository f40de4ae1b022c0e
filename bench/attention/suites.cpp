// SPDX-License-Identifier: Apache-2.0
#include "attention/suites.hpp"

#include <set>
#include <stdexcept>

#include "inhibitor/kernels/dispatch/dispatch.hpp"

namespace inhibitor {
namespace bench {
namespace {

/// Collects the measurements of one suite.
class plan {
 public:
  plan(const contender_list& list, int alive, std::vector<measurement>& to) : list_(list), to_(to) {
    base.alive = alive;
  }

  problem base;

  /// Adds `who`, written "name/type", on p; of our byte kernels only the active instruction set unless all_isas.
  void add(const problem& p, std::initializer_list<const char*> who, bool all_isas = false) {
    for (const char* wanted : who) {
      for (const contender_entry& entry : list_.entries) {
        if (entry.name + "/" + entry.type != wanted || !entry.takes(p)) continue;
        const bool bytes = entry.type == "u8";
        if (bytes && !all_isas && entry.isa != active_isa()) continue;
        to_.push_back({&entry, p});
      }
    }
  }

  problem square(index_t length) const {
    problem p = base;
    p.queries = p.keys = length;
    if (length > 2048) p.heads = 2;  // 12 heads would take seconds a call
    return p;
  }

 private:
  const contender_list& list_;
  std::vector<measurement>& to_;
};

constexpr index_t target_lengths[] = {128, 512, 2048};

void quick(plan& s) {
  for (const index_t length : {128, 512, 1024}) {
    s.add(s.square(length), {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32",
                             "softmax_onednn/f32"});
  }
}

void targets(plan& s) {
  for (const index_t length : target_lengths) {
    for (const masking mask : {masking::none, masking::padding}) {
      problem p = s.square(length);
      p.mask = mask;
      s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32",
                "softmax_onednn/f32", "softmax_onednn/s8"});
      p.prepared = true;
      s.add(p, {"inhibitor/u8", "softmax_onednn/s8"});
    }
    // What a library does that is told the length instead of a mask.
    problem shorter = s.square(length);
    shorter.keys = length - length / 4;
    s.add(shorter, {"softmax_blas/f32", "softmax_onednn/f32"});
    shorter.prepared = true;
    s.add(shorter, {"softmax_onednn/s8"});
    s.add(s.square(length), {"inhibitor_broadcast/f32"});
  }
}

void skipping(plan& s) {
  for (const index_t length : target_lengths) {
    for (const bool scattered : {false, true}) {
      problem p = s.square(length);
      p.inhibited = 60;
      p.scattered = scattered;
      s.add(p, {"inhibitor/u8", "inhibitor_skip/u8", "inhibitor/f32", "inhibitor_skip/f32"});
      if (!scattered) s.add(p, {"softmax/f32", "softmax_eigen/f32", "softmax_blas/f32", "softmax_onednn/f32"});
    }
  }
  for (const int inhibited : {20, 40, 80, 95}) {
    problem p = s.square(512);
    p.inhibited = inhibited;
    s.add(p, {"inhibitor/u8", "inhibitor_skip/u8", "inhibitor/f32", "inhibitor_skip/f32"});
  }
}

void backward(plan& s) {
  for (const index_t length : target_lengths) {
    problem p = s.square(length);
    p.backward = true;
    s.add(p, {"inhibitor/f32", "softmax/f32"});
  }
}

void decode(plan& s) {
  problem p = s.base;
  p.queries = 1;
  for (const index_t keys : {512, 4096}) {
    p.keys = keys;
    p.prepared = false;
    s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32",
              "softmax_onednn/f32"});
    p.prepared = true;
    s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_onednn/s8"});
  }
}

void threads(plan& s) {
  for (const index_t length : {128, 512, 2048}) {
    for (const int n : {1, 2}) {
      problem p = s.square(length);
      p.threads = n;
      s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_blas/f32"});
      p.backward = true;
      s.add(p, {"inhibitor/f32", "softmax/f32"});
    }
  }
}

void lengths(plan& s) {
  for (const index_t length : {32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}) {
    problem p = s.square(length);
    s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32",
              "softmax_onednn/f32"});
    p.prepared = true;
    s.add(p, {"softmax_onednn/s8"});
  }
}

void causal(plan& s) {
  for (const index_t length : target_lengths) {
    problem p = s.square(length);
    p.mask = masking::causal;
    s.add(p, {"inhibitor/u8", "inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32",
              "softmax_onednn/f32"});
  }
}

void alive(plan& s) {
  for (const int share : {5, 20, 50, 80, 95}) {
    s.base.alive = share;
    s.add(s.square(512), {"inhibitor/u8", "inhibitor_skip/u8", "inhibitor/f32", "inhibitor_skip/f32"});
  }
}

void isas(plan& s) {
  s.add(s.square(512), {"inhibitor/u8"}, true);
  s.add(s.square(512), {"inhibitor/f32", "inhibitor/f64", "softmax/f32", "softmax/f64"});
}

/// For a program compiled for an older instruction set, with the libraries held to it.
void held(plan& s) {
  for (const index_t length : target_lengths) {
    s.add(s.square(length),
          {"inhibitor/f32", "softmax/f32", "softmax_eigen/f32", "softmax_blas/f32", "softmax_onednn/f32"});
    s.add(s.square(length), {"inhibitor/u8"}, true);
  }
}

/// For CPUs with matrix tiles: oneDNN as it comes, which then uses them.
void unlimited(plan& s) {
  for (const index_t length : target_lengths) {
    problem p = s.square(length);
    s.add(p, {"inhibitor/u8", "softmax_onednn/f32", "softmax_onednn/s8"});
    p.prepared = true;
    s.add(p, {"inhibitor/u8", "softmax_onednn/s8"});
  }
}

struct suite_entry {
  const char* name;
  void (*fill)(plan&);
};
constexpr suite_entry all_suites[] = {{"quick", quick},       {"targets", targets}, {"skipping", skipping},
                                      {"backward", backward}, {"decode", decode},   {"threads", threads},
                                      {"lengths", lengths},   {"causal", causal},   {"alive", alive},
                                      {"isas", isas},         {"held", held},       {"unlimited", unlimited}};

}  // namespace

const char* const suites_help =
    "  quick     the two attentions side by side (default)\n"
    "  targets   every contender, with and without padding, L = 128, 512, 2048\n"
    "  skipping  most keys fully inhibited, in runs and scattered\n"
    "  backward  gradients\n"
    "  decode    one query against 512 and 4096 keys\n"
    "  threads   one and two threads\n"
    "  lengths   L = 32 ... 8192 (two heads beyond 2048)\n"
    "  causal    causal mask\n"
    "  alive     share of values that are not inhibited\n"
    "  isas      every instruction set compiled in, and double\n"
    "  held      for bench_attention_avx2: everybody held to AVX2\n"
    "  unlimited oneDNN int8 with whatever the CPU has, where the other suites are run without matrix tiles\n"
    "  all       all of these\n";

std::string measurement::name() const {
  return std::string(what.backward ? "backward" : "forward") + "/" + who->name + "/" + who->type + "/" + who->isa +
         "/" + what.name();
}

std::vector<measurement> measurements_of(const std::string& suite, int alive_share, const contender_list& list) {
  std::vector<measurement> all;
  std::size_t start = 0;
  while (start <= suite.size()) {
    const std::size_t comma = std::min(suite.find(',', start), suite.size());
    const std::string name = suite.substr(start, comma - start);
    bool known = false;
    for (const suite_entry& entry : all_suites) {
      if (name != "all" && name != entry.name) continue;
      plan s(list, alive_share, all);
      entry.fill(s);
      known = true;
    }
    if (!known) throw std::invalid_argument("--suite: there is no suite \"" + name + "\". Suites:\n" + suites_help);
    start = comma + 1;
  }
  std::set<std::string> seen;
  std::vector<measurement> unique;
  for (const measurement& m : all) {
    if (seen.insert(m.name()).second) unique.push_back(m);
  }
  return unique;
}

}  // namespace bench
}  // namespace inhibitor
