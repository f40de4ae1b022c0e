// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "inhibitor/base/file_error.hpp"
#include "results/score_table.hpp"
#include "support/printable.hpp"

// Bars of a score table as SVG, drawn by gnuplot.

namespace inhibitor::examples {

/// Whether the program can be started.
inline bool has_gnuplot() { return std::system("command -v gnuplot >/dev/null 2>&1") == 0; }

namespace detail {

/// A gnuplot string. In single quotes nothing is special but the quote itself; in double quotes gnuplot would run what
/// stands between backquotes as a command.
inline std::string gnuplot_string(const std::string& text) {
  std::string out = "'";
  for (const char c : printable(text)) {
    if (c == '`') continue;  // Markdown's
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

}  // namespace detail

/// The gnuplot script that draws a table into `svg`: one cluster per task, one bar per column, the standard deviation
/// as whiskers. Titles must hold no double quotes.
inline std::string gnuplot_script(const score_table& table, const std::string& svg) {
  const auto tasks = table.tasks.size(), columns = table.columns.size();
  std::string out =
      fmt::format("set terminal svg size {},360 font \"sans-serif,12\" background \"white\"\nset output {}\n",
                  160 + 60 * tasks * columns + 60, detail::gnuplot_string(svg));
  out += "set style fill solid 0.8 noborder\nset boxwidth 0.8\nset grid ytics\nset ylabel \"percent\"\n";
  out += "set key outside right top\nset yrange [*<0:100]\n";
  out += fmt::format("set title {} noenhanced\nset xrange [-1:{}]\n", detail::gnuplot_string(table.group),
                     tasks * (columns + 1) - (tasks > 0 ? 1 : 0));
  out += "set xtics (";
  for (std::size_t t = 0; t < tasks; ++t) {
    out += fmt::format("{}{} {}", t == 0 ? "" : ", ", detail::gnuplot_string(task_title(table.tasks[t])),
                       static_cast<double>(t * (columns + 1)) + static_cast<double>(columns - 1) / 2);
  }
  out += ") scale 0 noenhanced\n";
  for (std::size_t c = 0; c < columns; ++c) {
    out += fmt::format("$c{} << EOD\n", c);
    for (std::size_t t = 0; t < tasks; ++t) {
      const score_cell& cell = table.cell(table.tasks[t], table.columns[c]);
      if (cell.is_empty() || std::isnan(cell.mean())) continue;
      const double deviation = std::isnan(cell.deviation()) ? 0 : cell.deviation();
      out += fmt::format("{} {:.4f} {:.4f}\n", t * (columns + 1) + c, cell.mean(), deviation);
    }
    out += "EOD\n";
  }
  out += "plot ";
  for (std::size_t c = 0; c < columns; ++c) {
    // Colors that people with color blindness tell apart (Okabe and Ito).
    static const char* const colors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
    out += fmt::format("{}$c{} using 1:2 with boxes lc rgb \"{}\" title {} noenhanced, ", c == 0 ? "" : ", ", c,
                       colors[c % 6], detail::gnuplot_string(table.columns[c]));
    out += fmt::format("$c{} using 1:2:3 with yerrorbars lc rgb \"black\" pt 0 notitle", c);
  }
  return out + "\n";
}

/// Draws a table into the file `svg`, whole or not at all. Throws file_error when gnuplot fails.
inline void draw_scores(const score_table& table, const std::string& svg) {
  const std::string temporary = svg + ".tmp-" + std::to_string(::getpid());
  std::FILE* gnuplot = ::popen("gnuplot >/dev/null 2>&1", "w");
  if (gnuplot == nullptr) throw file_error(svg, "gnuplot cannot be started");
  const std::string script = gnuplot_script(table, temporary);
  const bool is_written = std::fwrite(script.data(), 1, script.size(), gnuplot) == script.size();
  const bool is_done = ::pclose(gnuplot) == 0 && is_written && std::filesystem::exists(temporary);
  std::error_code error;
  if (is_done) std::filesystem::rename(temporary, svg, error);
  if (!is_done || error) {
    std::filesystem::remove(temporary, error);
    throw file_error(svg, "gnuplot could not draw it");
  }
}

}  // namespace inhibitor::examples
