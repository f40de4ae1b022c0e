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
result_file distill_file(const std::string& task, std::uint64_t seed, const std::string& metric, double value,
                         const std::vector<std::string>& runs) {
  result_file f = new_result_file("distill", "distill", 2);
  for (const std::string& run : runs) {
    run_record r;
    r.name = run;
    r.task = task;
    r.seed = seed;
    r.size = "tiny";
    r.metric = metric;
    r.metrics = {{metric, value}, {"combined_score", 0.5}};
    f.runs.push_back(r);
    value += 0.01;
  }
  return f;
}

void write_run(const temp_folder& folder, const std::string& name, const result_file& content) {
  std::filesystem::create_directories(folder.file(name));
  write_result_file(folder.file(name + "/results.json"), content);
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

TEST_CASE("result_file: everything written is read again", "[results]") {
  temp_folder folder;
  result_file f = new_result_file("distill", "distill --out \"a\"", 3);
  run_record r;
  r.name = "E1";
  r.task = "stsb";
  r.seed = 18446744073709551615u;
  r.size = "2x128";
  r.attention = "inhibitor";
  r.folder = "E1";
  r.metric = "pearson";
  r.value = std::nan("");
  r.metrics = {{"pearson", std::nan("")}, {"spearmanr", 0.1}};
  r.loss = 1.0 / 3;
  r.train_examples = 5;
  r.dev_examples = 6;
  r.train_seconds = 0.7;
  r.train_examples_per_second = 8.5;
  r.examples_per_second = 9.5;
  r.epochs = {{{"stage", "a"}, {"epoch", 1}, {"loss", 0.1}}};
  r.settings = {{"epochs", 3}};
  r.details = {{"eval_loss", 0.25}};
  f.runs = {r};
  f.failures = {{"RTE", "no file"}};
  f.not_found = {"CoLA"};
  write_result_file(folder.file("1.json"), f);
  const result_file again = read_result_file(folder.file("1.json"));
  write_result_file(folder.file("2.json"), again);
  CHECK(read_json_file(folder.file("1.json")) == read_json_file(folder.file("2.json")));
  CHECK(to_json(again.runs.at(0)) == to_json(r));
  CHECK(std::isnan(again.runs[0].value));
  for (const char* key : {"commit", "compiler", "flags", "instruction_set", "eigen", "xsimd"}) {
    INFO(key);
    CHECK_FALSE(again.build.at(key).get<std::string>().empty());
  }
}

TEST_CASE("result_file: the summary is over seeds", "[results]") {
  temp_folder folder;
  result_file f = distill_file("sst2", 1, "accuracy", 0.5, {"E0", "E1"});
  for (run_record& r : f.runs) r.value = 0.5;
  f.runs.push_back(f.runs[0]);
  f.runs.back().value = 0.7;
  write_result_file(folder.file("1.json"), f);
  const nlohmann::json summary = read_json_file(folder.file("1.json")).at("summary");
  REQUIRE(summary.size() == 2);
  CHECK_THAT(summary[0].at("mean").get<double>(), WithinAbs(0.6, 1e-12));
  CHECK_THAT(summary[0].at("standard_deviation").get<double>(), WithinAbs(0.1 * std::sqrt(2.0), 1e-12));
  CHECK(summary[1].at("standard_deviation").is_null());
}

TEST_CASE("collect_results: undefined values, predictions alone, failed tasks", "[results]") {
  temp_folder folder;
  result_file f = new_result_file("glue", "glue", 1);
  run_record r;
  r.name = "runs/a|b";
  r.task = "stsb";
  r.metric = "pearson";
  r.metrics = {{"pearson", std::nan("")}};
  f.runs.push_back(r);
  r.task = "ax";
  r.metrics.clear();
  f.runs.push_back(r);
  f.failures = {{"RTE", "no file"}};
  write_run(folder, "g", f);
  const result_set results = collect_results({folder.path()});
  REQUIRE(results.records.size() == 1);
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
  std::filesystem::create_directories(folder.file("bad"));
  for (const char* bad : {"[]", "{}", "{", R"({"program": "glue"})", R"({"format": 2, "runs": [{"name": 1}]})"}) {
    INFO(bad);
    folder.write("bad/results.json", bad);
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
