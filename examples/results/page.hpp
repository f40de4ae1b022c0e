// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "results/score_table.hpp"
#include "support/progress.hpp"

// The Markdown page: notes by hand around tables by the program.

namespace inhibitor::examples {

/// Below a table that has published columns.
inline const char* published_note() {
  return "Published scores are of other models: E0 is the pretrained DistilBERT-base (arXiv 1910.01108), E1 and E2 "
         "the\n"
         "InhibiDistilbert made from it (arXiv 2503.15983; per task, the means of the runs its first author noted in "
         "the\n"
         "notebooks of the repository tonytonfisk2/MSc2024; that paper's means of nine are 77.0 for E0 and 74.5 for "
         "E1).\n";
}

/// The tables of all groups, each below a heading, with an image where `images` has one for the group.
inline std::string scores_section(const std::vector<score_table>& tables,
                                  const std::map<std::string, std::string>& images) {
  std::string out;
  for (const score_table& table : tables) {
    out += "### " + table.group + "\n\n" + markdown(table) + "\n";
    const auto image = images.find(table.group);
    if (image != images.end()) out += fmt::format("![{}]({})\n\n", table.group, image->second);
  }
  out +=
      "Dev scores in percent, mean and sample standard deviation over seeds, last epoch: nothing was chosen by its "
      "dev\n"
      "score. A mean over tasks is over those that every column of ours has.\n\n";
  return out + published_note();
}

/// Every run with every metric, its time and the commit of its program.
inline std::string runs_section(const result_set& results) {
  aligned_table table({{"task"},
                       {"run"},
                       {"seed", true},
                       {"metrics"},
                       {"train / dev examples", true},
                       {"training time", true},
                       {"train examples/s", true},
                       {"eval examples/s", true},
                       {"threads", true},
                       {"commit"}});
  for (const result_record& r : results.records) {
    std::string metrics;
    for (const auto& [name, value] : r.metrics) {
      metrics +=
          (metrics.empty() ? "" : ", ") + name + " " + (std::isnan(value) ? "undefined" : fmt::format("{:.4f}", value));
    }
    const bool is_trained = r.train_seconds > 0;
    table.add({task_title(r.task), r.name, std::to_string(r.seed), metrics,
               fmt::format("{} / {}", r.train_examples, r.dev_examples),
               is_trained ? format_duration(r.train_seconds) : "",
               is_trained ? fmt::format("{:.0f}", r.train_examples_per_second) : "",
               fmt::format("{:.0f}", r.examples_per_second), std::to_string(r.threads), r.commit});
  }
  std::string out = table.markdown();
  if (!results.failures.empty()) out += "\n";
  for (const failed_task& f : results.failures) out += fmt::format("- {} failed: {}\n", f.title, f.reason);
  return out;
}

/// The commands, each once, and the machines they ran on.
inline std::string commands_section(const result_set& results) {
  std::vector<std::pair<std::string, std::string>> commands;  // machine, command
  for (const result_record& r : results.records) {
    const std::pair<std::string, std::string> item{r.machine, r.command};
    if (std::find(commands.begin(), commands.end(), item) == commands.end()) commands.push_back(item);
  }
  std::string out;
  std::string machine;
  for (const auto& [where, command] : commands) {
    if (where != machine) out += fmt::format("{}On {}:\n\n", out.empty() ? "" : "\n", where);
    machine = where;
    out += "    " + command + "\n";
  }
  return out;
}

/// The page: `notes`, a text from the file `notes_name` ("" for none), with each marker on a line of its own replaced,
/// and what has no marker appended in order.
/// Markers are <!-- scores -->, <!-- runs --> and <!-- commands -->.
inline std::string results_page(const std::string& notes, const std::string& notes_name,
                                const std::vector<std::pair<std::string, std::string>>& sections) {
  std::string out = "<!-- Written by the program results" +
                    (notes_name.empty() ? std::string() : " around the text of " + notes_name + ": edit that file") +
                    ". -->\n\n";
  std::string rest = notes;
  if (!rest.empty() && rest.back() != '\n') rest += "\n";
  std::vector<bool> is_placed(sections.size(), false);
  for (std::size_t begin = 0; begin < rest.size();) {
    const std::size_t end = rest.find('\n', begin);
    const std::string line = rest.substr(begin, end - begin);
    begin = end + 1;
    bool is_marker = false;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (line != "<!-- " + sections[i].first + " -->") continue;
      out += sections[i].second;
      is_marker = is_placed[i] = true;
    }
    if (!is_marker) out += line + "\n";
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (!is_placed[i]) out += "\n" + sections[i].second;
  }
  return out;
}

}  // namespace inhibitor::examples
