// SPDX-License-Identifier: Apache-2.0
// Turns JSON of bench_attention into Markdown and plots.
//
//   bench_report --compact <file>...                  drops what the report does not read
//   bench_report <page.md> <folder of plots> <file>...
//
// The page keeps its own text: what lies between "<!-- results -->" and "<!-- end of results -->" is replaced.
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "report/results.hpp"

namespace {

using namespace inhibitor::bench;

void write_page(const std::string& page, const std::string& plots, const std::vector<std::string>& files) {
  results r;
  for (const std::string& file : files) r.runs.push_back(read_run(file));
  const std::size_t slash = page.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "" : page.substr(0, slash + 1);
  const std::string link = plots.compare(0, folder.size(), folder) == 0 ? plots.substr(folder.size()) : plots;

  std::ifstream in(page);
  std::stringstream text;
  text << in.rdbuf();
  const std::string old = text.str(), begin = "<!-- results -->\n", end = "<!-- end of results -->";
  const std::size_t from = old.find(begin), to = old.find(end);
  if (!in || from == std::string::npos || to == std::string::npos) {
    throw std::runtime_error(page + ": has no place for results (<!-- results -->, <!-- end of results -->)");
  }
  const std::string body =
      "\n## Machine and runs\n\n" + machine_section(r) + "\n## Targets\n\n" +
      "Ratios of medians of one interleaved run; bold: missed.\n\n" + targets_section(r) + "\n## Plots\n\n" +
      plots_section(r, plots, link) +
      "## Figures\n\nGFLOP/s-equivalent, 4 H L S D / time: median (lowest-highest repetition). Masked "
      "and skipped work counts as if done. Bold: fastest of the column.\n\n" +
      tables_section(r) + "\n";
  std::ofstream out(page);
  out << old.substr(0, from + begin.size()) << body << old.substr(to);
  if (!out.flush()) throw std::runtime_error(page + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() > 1 && arguments[0] == "--compact") {
      for (std::size_t i = 1; i < arguments.size(); ++i) compact(arguments[i]);
    } else if (arguments.size() > 2) {
      write_page(arguments[0], arguments[1], {arguments.begin() + 2, arguments.end()});
    } else {
      fmt::print(
          "usage: bench_report --compact <file>...\n       bench_report <page.md> <folder of plots> <file>...\n");
      return 2;
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench_report: {}\n", e.what());
    return 1;
  }
  return 0;
}
