// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "report/results.hpp"

// The figures themselves: one table per question, a row per contender, medians with the lowest and highest repetition.

namespace inhibitor {
namespace bench {
namespace {

struct column {
  std::string title, what;
};

std::string title_of(const series& s) {
  return fmt::format("{} {}{}", s.who, s.type, s.isa == "external" ? "" : " " + s.isa);
}

/// Rows: every contender that has a figure in some column; bold: the fastest softmax and the fastest of all.
std::string table_of(const run* r, const std::string& pass, const std::vector<column>& columns,
                     const std::function<bool(const series&)>& wanted = {}) {
  if (r == nullptr) return "not measured\n";
  std::vector<std::string> rows;
  for (const series& s : r->all) {
    const bool has_column =
        std::any_of(columns.begin(), columns.end(), [&](const column& c) { return c.what == s.what; });
    if (s.pass != pass || !has_column || (wanted && !wanted(s))) continue;
    if (std::find(rows.begin(), rows.end(), title_of(s)) == rows.end()) rows.push_back(title_of(s));
  }
  std::sort(rows.begin(), rows.end());
  std::string text = "| contender |", line = "|---|";
  for (const column& c : columns) {
    text += " " + c.title + " |";
    line += "---|";
  }
  text += "\n" + line + "\n";
  for (const std::string& row : rows) {
    text += "| " + row + " |";
    for (const column& c : columns) {
      double top = 0;
      const series* found = nullptr;
      for (const series& s : r->all) {
        if (s.pass != pass || s.what != c.what || (wanted && !wanted(s))) continue;
        top = std::max(top, s.median());
        if (title_of(s) == row) found = &s;
      }
      if (found == nullptr) {
        text += " - |";
      } else {
        text += found->median() == top ? " **" + found->text() + "** |" : " " + found->text() + " |";
      }
    }
    text += "\n";
  }
  return text;
}

std::vector<column> target_columns(const std::string& extra) {
  std::vector<column> columns;
  for (const long n : {128, 512, 2048}) columns.push_back({fmt::format("L = S = {}", n), square(n, extra)});
  return columns;
}

/// Which softmax, at which length, is faster than which of our contenders.
std::string crossover(const run* r) {
  if (r == nullptr) return "";
  std::string text;
  for (const char* type : {"u8", "f32"}) {
    for (const bool int8 : {false, true}) {
      std::string lost, won;
      for (const long n : {32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}) {
        const series* mine = r->find("forward", "inhibitor", type, square(n));
        const series* fastest = nullptr;
        for (const series& s : r->all) {
          const bool candidate =
              s.who.compare(0, 7, "softmax") == 0 &&
              (int8 ? s.type == "s8" && s.what == square(n, "/prepared:1") : s.type == "f32" && s.what == square(n));
          if (s.pass == "forward" && candidate && (fastest == nullptr || s.median() > fastest->median())) fastest = &s;
        }
        if (mine == nullptr || fastest == nullptr) continue;
        const double ratio = mine->median() / fastest->median();
        std::string& list = ratio >= 1 ? won : lost;
        list += fmt::format("{}{} ({:.2f}, {})", list.empty() ? "" : ", ", n, ratio, fastest->who);
      }
      if (lost.empty() && won.empty()) continue;
      text += fmt::format("- Inhibitor {} against the fastest {} softmax: ", type, int8 ? "int8" : "fp32");
      text += lost.empty() ? "softmax wins nowhere" : "**softmax wins at L = " + lost + "**";
      text += won.empty() ? "; the inhibitor wins nowhere.\n" : "; the inhibitor wins at L = " + won + ".\n";
    }
  }
  return text;
}

std::string memory_table(const run* r) {
  if (r == nullptr) return "not measured\n";
  std::string text =
      "| contender | block and implementation | workspace, KiB | relative error | values alive "
      "|\n|---|---|---|---|---|\n";
  for (const series& s : r->all) {
    if (s.pass != "forward" || (s.what != square(512) && s.what != square(512, "/prepared:1"))) continue;
    const auto alive = s.counters.find("alive");
    text += fmt::format("| {}{} | {} | {:.0f} | {:.1e} | {} |\n", title_of(s),
                        s.what == square(512) ? "" : " (prepared)", s.details.empty() ? "-" : s.details,
                        s.counters.at("workspace_bytes") / 1024, s.counters.at("error"),
                        alive == s.counters.end() ? "-" : fmt::format("{:.0f} %", 100 * alive->second));
  }
  return text;
}

std::string sweep_table(const run* r, const std::string& key, const std::vector<int>& values) {
  std::vector<column> columns;
  for (const int value : values) {
    const bool plain = (key == "alive" && value == 50) || value == 0;
    columns.push_back({fmt::format("{} %", value), square(512, plain ? "" : fmt::format("/{}:{}", key, value))});
  }
  return table_of(r, "forward", columns, [&](const series& s) {
    const bool other_isa = s.type == "u8" && s.isa != r->context.at("active_isa");
    return !other_isa && s.type != "f64" && (s.who == "inhibitor" || s.who == "inhibitor_skip");
  });
}

}  // namespace

std::string machine_section(const results& r) {
  std::string text;
  if (!r.runs.empty()) {
    const auto& context = r.runs.front().context;
    const auto get = [&](const char* key) {
      const auto found = context.find(key);
      return found == context.end() ? std::string("unknown") : found->second;
    };
    text += fmt::format("- CPU: {}; {} logical CPUs\n- Compiler: {}\n- Instruction set of our kernels: {}\n",
                        get("cpu"), get("num_cpus"), get("compiler"), get("active_isa"));
  }
  text += "\n| file | suites | commit | date | load | Eigen | OpenBLAS | oneDNN |\n|---|---|---|---|---|---|---|---|\n";
  for (const run& one : r.runs) {
    const auto get = [&](const char* key) {
      const auto found = one.context.find(key);
      return found == one.context.end() ? std::string("-") : found->second;
    };
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", one.file, get("suite"), get("commit"),
                        get("date"), get("load_avg"), get("eigen"), get("openblas"), get("onednn"));
  }
  for (const run& one : r.runs) {
    for (const std::string& failure : one.failures)
      text += fmt::format("\nNot measured in {}: {}\n", one.file, failure);
  }
  return text;
}

std::string tables_section(const results& r) {
  std::string text;
  const auto section = [&](const std::string& title, const std::string& body) {
    text += "### " + title + "\n\n" + body + "\n";
  };
  const run* main = r.suite("targets");
  section("Forward, no mask", table_of(main, "forward", target_columns("")));
  section("Forward, keys and values prepared beforehand (int8 softmax: queries too)",
          table_of(main, "forward", target_columns("/prepared:1")));
  section("Forward, the last quarter of the keys masked", table_of(main, "forward", target_columns("/mask:padding")));
  section("The same, prepared beforehand", table_of(main, "forward", target_columns("/mask:padding/prepared:1")));
  std::vector<column> shorter;
  for (const long n : {128, 512, 2048}) {
    for (const char* prepared : {"", "/prepared:1"}) {
      shorter.push_back({fmt::format("L = {}, S = {}{}", n, n - n / 4, *prepared == 0 ? "" : ", prepared"),
                         fmt::format("B:1/H:12/L:{}/S:{}/D:64{}/threads:1", n, n - n / 4, prepared)});
    }
  }
  section("Libraries called with the true number of keys instead of a mask (times 4/3 to compare with the rows above)",
          table_of(main, "forward", shorter));
  std::vector<column> all_lengths;
  for (const long n : {32, 64, 128, 256, 512, 1024, 2048, 4096, 8192}) {
    all_lengths.push_back({fmt::format("{}", n), square(n)});
  }
  const run* sweep = r.suite("lengths");
  section("Length (12 heads; 2 from 4096 on)", table_of(sweep, "forward", all_lengths, [&](const series& s) {
            const bool other_isa = s.type == "u8" && s.isa != sweep->context.at("active_isa");
            return !other_isa && s.type != "f64" && s.who != "inhibitor_skip";
          }));
  for (column& c : all_lengths) c.what.replace(c.what.find("/threads"), 0, "/prepared:1");
  section("Length, int8 softmax quantized beforehand", table_of(sweep, "forward", all_lengths));
  section("Where softmax wins", crossover(sweep));
  section("Causal mask", table_of(r.suite("causal"), "forward", target_columns("/mask:causal")));
  const run* skip = r.suite("skipping");
  section("60 % of the keys fully inhibited, in runs of 64",
          table_of(skip, "forward", target_columns("/inhibited:60")));
  section("60 % of the keys fully inhibited, scattered",
          table_of(skip, "forward", target_columns("/inhibited:60/scattered:1")));
  section("Share of keys fully inhibited, L = S = 512", sweep_table(skip, "inhibited", {20, 40, 60, 80, 95}));
  section("Share of values alive, L = S = 512", sweep_table(r.suite("alive"), "alive", {5, 20, 50, 80, 95}));
  section("Backward", table_of(r.suite("backward"), "backward", target_columns("")));
  const std::string token = "B:1/H:12/L:1/S:";
  section("Decoding one token (12 heads, one query)",
          table_of(r.suite("decode"), "forward",
                   {{"512 keys", token + "512/D:64/threads:1"},
                    {"512, prepared", token + "512/D:64/prepared:1/threads:1"},
                    {"4096 keys", token + "4096/D:64/threads:1"},
                    {"4096, prepared", token + "4096/D:64/prepared:1/threads:1"}}));
  std::vector<column> threads;
  for (const long n : {128, 512, 2048}) {
    for (const int t : {1, 2})
      threads.push_back({fmt::format("L = {}, {} thread{}", n, t, t > 1 ? "s" : ""), square(n, "", t)});
  }
  const run* two = r.suite("threads");
  section("Threads, forward", table_of(two, "forward", threads));
  section("Threads, backward", table_of(two, "backward", threads));
  const run* held = r.suite("held");
  section("Everybody held to AVX2", table_of(held, "forward", target_columns("")));
  const run* isas = r.suite("isas");
  section("Instruction sets and double, L = S = 512",
          table_of(isas, "forward", {{"L = S = 512", square(512)}},
                   [](const series& s) { return s.isa != "external" && s.who != "inhibitor_skip"; }));
  for (const run& one : r.runs) {
    const auto suite = one.context.find("suite");
    if (suite == one.context.end() || suite->second != "unlimited") continue;
    std::vector<column> columns = target_columns("");
    for (const column& c : target_columns("/prepared:1")) columns.push_back({c.title + ", prepared", c.what});
    section("oneDNN as it comes, matrix tiles (AMX) included", table_of(&one, "forward", columns));
  }
  section("Memory, accuracy and implementation, L = S = 512", memory_table(main));
  return text;
}

}  // namespace bench
}  // namespace inhibitor
