// SPDX-License-Identifier: Apache-2.0
#include "report/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace inhibitor {
namespace bench {
namespace {

using nlohmann::json;

json read_json(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + ": cannot be opened");
  std::stringstream text;
  text << in.rdbuf();
  std::string all = text.str();
  // The library writes the variation of counters that are 0 as NaN, which JSON does not know.
  for (std::size_t i = 0; (i = all.find(": NaN", i)) != std::string::npos; i += 2) all.replace(i, 5, ": 0.0");
  try {
    return json::parse(all);
  } catch (const json::exception& e) {
    throw std::runtime_error(file + ": not JSON of bench_attention: " + e.what());
  }
}

bool is_repetition(const json& entry) { return entry.value("run_type", "") == "iteration"; }

/// Splits "pass/who/type/isa/what".
void split_name(series& s) {
  std::string* parts[] = {&s.pass, &s.who, &s.type, &s.isa};
  std::size_t start = 0;
  for (std::string* part : parts) {
    const std::size_t slash = s.name.find('/', start);
    if (slash == std::string::npos) throw std::runtime_error("not a name of bench_attention: " + s.name);
    *part = s.name.substr(start, slash - start);
    start = slash + 1;
  }
  s.what = s.name.substr(start);
}

}  // namespace

double series::median() const {
  std::vector<double> x = rates;
  std::sort(x.begin(), x.end());
  const std::size_t n = x.size();
  return n % 2 == 1 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}
double series::lowest() const { return *std::min_element(rates.begin(), rates.end()); }
double series::highest() const { return *std::max_element(rates.begin(), rates.end()); }
std::string series::text() const {
  const int digits = median() < 10 ? 1 : 0;
  return fmt::format("{:.{}f} ({:.{}f}-{:.{}f})", median(), digits, lowest(), digits, highest(), digits);
}

const series* run::find(const std::string& pass, const std::string& who, const std::string& type,
                        const std::string& what) const {
  const series* found = nullptr;
  const auto active = context.find("active_isa");
  for (const series& s : all) {
    if (s.pass != pass || s.who != who || s.type != type || s.what != what) continue;
    // Where a run has our bytes in several instruction sets, the active one stands for them.
    if (found == nullptr || (active != context.end() && s.isa == active->second)) found = &s;
  }
  return found;
}

std::string square(long length, const std::string& extra, int threads) {
  return fmt::format("B:1/H:{}/L:{}/S:{}/D:64{}/threads:{}", length > 2048 ? 2 : 12, length, length, extra, threads);
}

run read_run(const std::string& file) {
  const json data = read_json(file);
  run r;
  r.file = file.substr(file.find_last_of('/') + 1);
  for (const auto& [key, value] : data.at("context").items()) {
    r.context[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  for (const json& entry : data.at("benchmarks")) {
    if (!is_repetition(entry)) continue;
    const auto name = entry.at("name").get<std::string>();
    if (!entry.contains("GFLOP/s")) {
      r.failures.push_back(name + ": " + entry.value("error_message", "no result"));
      continue;
    }
    auto place = std::find_if(r.all.begin(), r.all.end(), [&](const series& s) { return s.name == name; });
    if (place == r.all.end()) {
      series s;
      s.name = name;
      split_name(s);
      place = r.all.insert(r.all.end(), s);
    }
    place->rates.push_back(entry.at("GFLOP/s").get<double>());
    if (entry.contains("label")) place->details = entry.at("label").get<std::string>();
    for (const char* counter : {"alive", "inhibited", "error", "workspace_bytes", "peak_rss_bytes"}) {
      if (entry.contains(counter)) place->counters[counter] = entry.at(counter).get<double>();
    }
  }
  // Interleaving shuffles; the order of the program is that of the families.
  return r;
}

void compact(const std::string& file) {
  const json data = read_json(file);
  json context = data.at("context");
  context.erase("host_name");
  std::string text = "{\"context\": " + context.dump() + ",\n\"benchmarks\": [\n";
  bool first = true;
  for (const json& entry : data.at("benchmarks")) {
    if (!is_repetition(entry)) continue;
    json kept = entry;
    for (const char* key : {"family_index", "per_family_instance_index", "run_name", "repetitions", "threads",
                            "elements/s", "time_unit"}) {
      kept.erase(key);
    }
    if (entry.value("repetition_index", 0) > 0) {  // the same for every repetition
      for (const char* key : {"label", "alive", "inhibited", "error", "workspace_bytes", "peak_rss_bytes"}) {
        kept.erase(key);
      }
    }
    for (const char* key : {"real_time", "cpu_time", "GFLOP/s"}) {
      if (kept.contains(key)) kept[key] = std::strtod(fmt::format("{:.6g}", kept[key].get<double>()).c_str(), nullptr);
    }
    text += (first ? "" : ",\n") + kept.dump();
    first = false;
  }
  std::ofstream out(file);
  out << text << "\n]}\n";
  if (!out.flush()) throw std::runtime_error(file + ": cannot be written");
}

const run* results::with(const std::string& pass, const std::string& who, const std::string& type,
                         const std::string& what) const {
  for (const run& r : runs) {
    if (r.find(pass, who, type, what) != nullptr) return &r;
  }
  return nullptr;
}

const run* results::suite(const std::string& name) const {
  for (const run& r : runs) {
    const auto suites = r.context.find("suite");
    if (suites != r.context.end() && ("," + suites->second + ",").find("," + name + ",") != std::string::npos)
      return &r;
  }
  return nullptr;
}

}  // namespace bench
}  // namespace inhibitor
