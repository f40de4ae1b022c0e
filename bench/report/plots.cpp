// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "report/results.hpp"

namespace inhibitor {
namespace bench {
namespace {

struct curve {
  std::string title;
  std::vector<std::pair<double, const series*>> points;
};

/// Draws curves with their spread as error bars.
bool plot(const std::string& file, const std::string& x_label, bool logarithmic, const std::vector<curve>& curves) {
  FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return false;
  std::string script = "set terminal svg size 820,480 font 'sans,12' background '#ffffff'\nset output '" + file +
                       "'\nset xlabel '" + x_label +
                       "'\nset ylabel 'GFLOP/s-equivalent (4 H L S D / time)'\nset key outside right\nset grid\n"
                       "set yrange [0:*]\n";
  if (logarithmic) script += "set logscale x 2\n";
  script += "plot";
  const char* separator = " ";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    script +=
        fmt::format("{}'-' using 1:2:3:4 with yerrorlines lw 1.5 pt 7 ps 0.5 title '{}'", separator, curves[i].title);
    separator = ", ";
  }
  script += "\n";
  for (const curve& c : curves) {
    for (const auto& [x, s] : c.points)
      script += fmt::format("{} {} {} {}\n", x, s->median(), s->lowest(), s->highest());
    script += "e\n";
  }
  const bool written = std::fwrite(script.data(), 1, script.size(), gnuplot) == script.size();
  return pclose(gnuplot) == 0 && written;
}

template <class X, class What>
void add_curve(std::vector<curve>& curves, const run* r, const char* who, const char* type, const std::vector<X>& at,
               What&& what) {
  curve c{fmt::format("{} {}", who, type), {}};
  // gnuplot reads an underscore as the start of an index.
  for (std::size_t i = 0; (i = c.title.find('_', i)) != std::string::npos;) c.title.replace(i, 1, " ");
  for (const X x : at) {
    const series* s = r == nullptr ? nullptr : r->find("forward", who, type, what(x));
    if (s != nullptr) c.points.emplace_back(static_cast<double>(x), s);
  }
  if (!c.points.empty()) curves.push_back(c);
}

}  // namespace

std::string plots_section(const results& r, const std::string& folder, const std::string& link) {
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) return "No plots: gnuplot is not installed.\n";
  std::string text;
  const auto draw = [&](const std::string& name, const std::string& x_label, const std::string& caption,
                        bool logarithmic, const std::vector<curve>& curves) {
    if (curves.empty()) return;
    if (plot(folder + "/" + name, x_label, logarithmic, curves)) {
      text += fmt::format("![{}]({}/{})\n\n", caption, link, name);
    } else {
      text += fmt::format("gnuplot could not draw {}.\n\n", name);
    }
  };
  const std::vector<long> lengths{32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  const run* sweep = r.suite("lengths");
  std::vector<curve> by_length;
  const auto plain = [](long n) { return square(n); };
  const std::pair<const char*, const char*> contenders[] = {{"inhibitor", "u8"},     {"inhibitor", "f32"},
                                                            {"softmax", "f32"},      {"softmax_eigen", "f32"},
                                                            {"softmax_blas", "f32"}, {"softmax_onednn", "f32"}};
  for (const auto& [who, type] : contenders) add_curve(by_length, sweep, who, type, lengths, plain);
  add_curve(by_length, sweep, "softmax_onednn", "s8", lengths, [](long n) { return square(n, "/prepared:1"); });
  draw("lengths.svg", "L = S", "Speed by length", true, by_length);

  std::vector<curve> by_share;
  for (const char* type : {"u8", "f32"}) {
    for (const char* who : {"inhibitor", "inhibitor_skip"}) {
      add_curve(by_share, r.suite("skipping"), who, type, std::vector<int>{20, 40, 60, 80, 95},
                [](int share) { return square(512, fmt::format("/inhibited:{}", share)); });
    }
  }
  draw("skipping.svg", "per cent of the keys fully inhibited, L = S = 512", "Exact skipping", false, by_share);
  return text;
}

}  // namespace bench
}  // namespace inhibitor
