// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "support/aligned_table.hpp"
#include "support/cli11.hpp"

// The page of a program's options, docs/options.md, written by the hidden option --help-markdown.

namespace inhibitor::examples {

/// True for options whose value changes what a program computes.
using option_mark = std::function<bool(const CLI::Option*)>;

/// Options that every program has (docs/programs.md).
inline bool is_common(const CLI::Option* option) {
  return option->check_lname("help") || option->check_lname("version") || option->check_lname("completion");
}

/// Markdown: the program's description and one table per group of options, with a column for `mark` where there is one.
inline std::string option_page(const CLI::App& app, const option_mark& mark = {}, const std::string& program = "") {
  const std::string name = (program.empty() ? "" : program + " ") + app.get_name();
  std::string out = fmt::format("{} {}\n\n{}\n", program.empty() ? "##" : "###", name, app.get_description());
  for (const std::string& group : app.get_groups()) {
    std::vector<aligned_table::column> columns{{"option"}, {"default"}, {"meaning"}};
    if (mark) columns.push_back({"changes numbers"});
    aligned_table table(columns);
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() != group || group.empty() || is_common(option)) continue;
      // Spellings with underscores are for those who know them.
      std::string names = option->get_positional() ? "`" + option->get_name(true) + "`" : "";
      for (const std::string& spelling : option->get_lnames()) {
        if (spelling.find('_') == std::string::npos) names += (names.empty() ? "`--" : ", `--") + spelling + "`";
      }
      const std::string initial = option->get_required() ? "required" : option->get_default_str();
      std::vector<std::string> row{names, initial == "\"\"" || initial == "[]" ? "" : initial,
                                   option->get_description()};
      if (mark) row.push_back(mark(option) ? "yes" : "");
      table.add(std::move(row));
    }
    if (table.rows() == 0) continue;
    out += (group == "Options" ? "\n" : "\n" + group + ":\n\n") + table.markdown();
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    out += "\n" + option_page(*command, mark, name);
  }
  return out;
}

}  // namespace inhibitor::examples
