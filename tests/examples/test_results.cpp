// SPDX-License-Identifier: Apache-2.0

#include <cmath>

#include "results/page.hpp"
#include "results/plot.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;
using Catch::Matchers::WithinAbs;

namespace {

/// results.json of distill for one task and seed; every run scores `value` plus its place times 0.01.
std::string distill_file(const std::string& task, int seed, const std::string& metric, double value,
                         const std::vector<std::string>& runs) {
  nlohmann::json j = {{"program", "distill"}, {"task", task},          {"size", "tiny"},    {"seed", seed},
                      {"commit", "abc"},      {"compiler", "g++"},     {"cpu", "cpu"},      {"threads", 2},
                      {"command", "distill"}, {"train_examples", 100}, {"dev_examples", 20}};
  for (const std::string& run : runs) {
    j["runs"].push_back({{"name", run},
                         {"metric", metric},
                         {"metrics", {{metric, value}, {"combined_score", 0.5}}},
                         {"train_seconds", 1},
                         {"train_examples_per_second", 2},
                         {"examples_per_second", 3}});
    value += 0.01;
  }
  return j.dump();
}

void write_run(const temp_folder& folder, const std::string& name, const std::string& content) {
  std::filesystem::create_directories(folder.file(name));
  folder.write(name + "/results.json", content);
}

}  // namespace

TEST_CASE("score_tables: mean and sample deviation over seeds, in percent", "[results]") {
  temp_folder folder;
  write_run(folder, "a/1", distill_file("sst2", 1, "accuracy", 0.80, {"E0", "control"}));
  write_run(folder, "a/2", distill_file("sst2", 2, "accuracy", 0.82, {"E0", "control"}));
  write_run(folder, "a/3", distill_file("sst2", 3, "accuracy", 0.84, {"E0"}));
  const result_set results = collect_results({folder.path()});
  CHECK(results.records.size() == 5);
  const auto tables = score_tables(results.records);
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].columns == std::vector<std::string>{"E0", "control"});
  const score_cell& e0 = tables[0].cell("sst2", "E0");
  CHECK_THAT(e0.mean(), WithinAbs(82, 1e-9));
  CHECK_THAT(e0.deviation(), WithinAbs(2, 1e-9));
  CHECK(e0.text() == "82.00 ± 2.00");
  CHECK(tables[0].cell("sst2", "control").text() == "82.00 ± 1.41");
  CHECK(tables[0].cell("sst2", "E1").text().empty());
}

TEST_CASE("score_tables: the published metric is shown where a run has it", "[results]") {
  temp_folder folder;
  write_run(folder, "1", distill_file("mrpc", 1, "f1", 0.8, {"E0"}));
  write_run(folder, "2", distill_file("stsb", 1, "pearson", 0.7, {"E0"}));
  write_run(folder, "3", distill_file("embedded", 1, "accuracy", 0.9, {"E0"}));
  const auto table = score_tables(collect_results({folder.path()}).records).at(0);
  CHECK(table.tasks == std::vector<std::string>{"mrpc", "stsb", "embedded"});
  CHECK(table.metrics == std::vector<std::string>{"f1", "pearson", "accuracy"});
  CHECK(table.cell("stsb", "E0").text() == "70.00");
}

TEST_CASE("markdown: macro averages with and without WNLI, published ones over the same tasks", "[results]") {
  temp_folder folder;
  write_run(folder, "1", distill_file("cola", 1, "matthews_correlation", 0.10, {"E0", "E1"}));
  write_run(folder, "2", distill_file("sst2", 1, "accuracy", 0.80, {"E0", "E1"}));
  write_run(folder, "3", distill_file("wnli", 1, "accuracy", 0.50, {"E0", "E1"}));
  write_run(folder, "4", distill_file("rte", 1, "accuracy", 0.60, {"E0"}));         // no E1: in no average
  write_run(folder, "5", distill_file("imdb", 1, "accuracy", 0.99, {"E0", "E1"}));  // not GLUE
  const auto table = score_tables(collect_results({folder.path()}).records).at(0);
  const std::string text = markdown(table);
  const auto line = [&](const std::string& title) {
    const std::size_t at = text.find("\n| " + title + " ");
    REQUIRE(at != std::string::npos);
    std::string out = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    out.erase(std::unique(out.begin(), out.end(), [](char a, char b) { return a == ' ' && b == ' '; }), out.end());
    return out;
  };
  CHECK(line("mean of 3") == "| mean of 3 | | 46.67 | 47.67 | 66.3 | 62.3 | 64.9 |");
  CHECK(line("mean of 2, without WNLI") == "| mean of 2, without WNLI | | 45.00 | 46.00 | 71.3 | 65.3 | 69.2 |");
  std::filesystem::remove_all(folder.file("3"));
  const std::string rest = markdown(score_tables(collect_results({folder.path()}).records).at(0));
  CHECK_THAT(rest, contains_text("| mean of 2 ") && !contains_text("without WNLI"));
  CHECK(line("IMDB") == "| IMDB | accuracy | 99.00 | 100.00 | 92.8 | 92.8 | |");
}

TEST_CASE("published: the means of nine are those of the papers", "[results]") {
  double e0 = 0, e1 = 0;
  for (const published_scores& row : published()) {
    if (row.task == "imdb") continue;
    e0 += row.e0 / 9;
    e1 += row.e1 / 9;
  }
  CHECK_THAT(e0, WithinAbs(77.0, 0.05));
  CHECK_THAT(e1, WithinAbs(74.5, 0.05));
}

TEST_CASE("read_results_file: both metrics of MNLI, undefined values, failed tasks of glue", "[results]") {
  temp_folder folder;
  write_run(folder, "g", R"({"program": "glue", "command": "glue", "commit": "abc", "compiler": "g++", "cpu": "cpu",
    "threads": 1, "model": "runs/a|b", "tasks": [
    {"title": "MNLI", "task": "mnli", "metric": "accuracy", "runs": [{"seed": 1, "results": {"eval_accuracy": 0.5,
      "eval_accuracy_mm": 0.4, "eval_loss": 1, "eval_samples": 9, "eval_samples_mm": 9,
      "eval_samples_per_second": 2}}]},
    {"title": "STS-B", "task": "stsb", "metric": "pearson", "runs": [{"seed": 1, "results": {"eval_pearson": null,
      "eval_samples": 9, "eval_samples_per_second": 2, "train_samples": 5, "train_runtime": 3,
      "train_samples_per_second": 4}}]},
    {"title": "AX", "task": "ax", "metric": "", "runs": [{"seed": 1, "results": {}}]},
    {"title": "RTE", "task": "rte", "metric": "", "failure": "no file", "runs": []}]})");
  const result_set results = collect_results({folder.path()});
  REQUIRE(results.records.size() == 2);
  CHECK(results.records[0].metrics == std::map<std::string, double>{{"accuracy", 0.5}, {"accuracy-mm", 0.4}});
  CHECK(std::isnan(results.records[1].metrics.at("pearson")));
  CHECK(results.records[1].train_examples == 5);
  REQUIRE(results.failures.size() == 1);
  const auto table = score_tables(results.records).at(0);
  CHECK(table.cell("stsb", "runs/a|b").text() == "undefined");
  CHECK_THAT(runs_section(results),
             contains_text("pearson undefined") && contains_text("RTE failed: no file") && contains_text("runs/a\\|b"));
}

TEST_CASE("collect_results: refuses what it cannot tell apart or read", "[results]") {
  temp_folder folder;
  CHECK_THROWS_WITH(collect_results({folder.file("absent")}), contains_text("is not a folder"));
  CHECK_THROWS_WITH(collect_results({folder.path()}), contains_text("holds no results.json"));
  write_run(folder, "a", distill_file("sst2", 1, "accuracy", 0.8, {"E0"}));
  write_run(folder, "b", distill_file("sst2", 1, "accuracy", 0.8, {"E0"}));
  CHECK_THROWS_WITH(collect_results({folder.path()}),
                    contains_text("b/results.json") && contains_text("a/results.json"));
  for (const char* bad : {"[]", "{}", "{", R"({"program": "glue"})", R"({"runs": [{"name": 1}]})"}) {
    INFO(bad);
    write_run(folder, "bad", bad);
    CHECK_THROWS_WITH(collect_results({folder.file("bad")}), contains_text("bad/results.json"));
  }
}

TEST_CASE("results_page: markers are replaced, what has none is appended", "[results]") {
  const std::string page = results_page("# T\n<!-- runs -->\nend", "notes.md", {{"scores", "S\n"}, {"runs", "R\n"}});
  CHECK_THAT(page, contains_text("# T\nR\nend\n\nS\n") && contains_text("notes.md"));
  CHECK_THAT(results_page("", "", {{"scores", "S\n"}}), contains_text("S\n"));
}

TEST_CASE("gnuplot_script: text cannot become a command", "[results]") {
  score_table table;
  table.group = "`reboot` \"x\"\nset output";
  table.tasks = {"sst2"};
  table.metrics = {"accuracy"};
  table.columns = {"it's"};
  table.cells[{"sst2", "it's"}].values = {80, 82};
  const std::string script = gnuplot_script(table, "a'b.svg");
  CHECK_THAT(script, contains_text("set title 'reboot \"x\"?set output'") && contains_text("'it''s'") &&
                         contains_text("set output 'a''b.svg'") && contains_text("0 81.0000 1.4142"));
  CHECK(script.find('`') == std::string::npos);
}
