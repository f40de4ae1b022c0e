// SPDX-License-Identifier: Apache-2.0

// Collects the results of `distill` and `glue` into one Markdown page with plots. `results --help` lists the options.

#include <filesystem>

#include "support/program.hpp"
#include "results/page.hpp"
#include "results/plot.hpp"

namespace inhibitor::examples {
namespace {

/// Letters and digits of a title, the rest as single dashes: a file name.
std::string file_stem(const std::string& title) {
  std::string out;
  for (const char c : title) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain) out += c;
    if (!is_plain && !out.empty() && out.back() != '-') out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

/// Draws every table into `folder`; returns the images' paths as seen from the page. Without gnuplot it says so.
std::map<std::string, std::string> draw_all(const std::vector<score_table>& tables, const std::string& folder,
                                            const std::filesystem::path& page) {
  std::map<std::string, std::string> images;
  if (folder.empty()) return images;
  if (!has_gnuplot()) {
    fmt::print(stderr, "results: gnuplot is not installed: the page has no plots\n");
    return images;
  }
  std::filesystem::create_directories(folder);
  for (const score_table& table : tables) {
    const std::string file = folder + "/" + file_stem(table.group) + ".svg";
    draw_scores(table, file);
    const auto base = page.parent_path().empty() ? std::filesystem::path(".") : page.parent_path();
    images[table.group] = std::filesystem::proximate(file, base).generic_string();
  }
  return images;
}

}  // namespace
}  // namespace inhibitor::examples

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app("Collects the results of distill and glue into one Markdown page.", "results");
  std::vector<std::string> folders;
  std::string out, notes, plots;
  app.add_option("FOLDER", folders, "Run folders; every results.json in or below them is read")->required();
  app.add_option("--out", out, "Markdown file to write; default: standard output");
  app.add_option("--notes", notes,
                 "Markdown text to put the tables in, at the lines <!-- scores -->, <!-- runs -->, <!-- commands -->");
  app.add_option("--plots", plots, "Folder for SVG plots (needs gnuplot and --out)");
  return run_program(app, argc, argv, [&] {
    check(plots.empty() || !out.empty(), "--plots needs --out, the page that shows them");
    const std::string text = notes.empty() ? "# Results\n" : read_file(notes);
    const result_set results = collect_results(folders);
    const std::vector<score_table> tables = score_tables(results.records);
    const std::string page = results_page(text, notes.empty() ? "" : std::filesystem::path(notes).filename().string(),
                                          {{"scores", scores_section(tables, draw_all(tables, plots, out))},
                                           {"runs", runs_section(results)},
                                           {"commands", commands_section(results)}});
    if (out.empty()) {
      fmt::print("{}", page);
    } else {
      write_file_atomically(out, page);
      fmt::print("{}: {} runs\n", out, results.records.size());
    }
    return 0;
  });
}
