// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

#include "support/cli11.hpp"

// Completion of a program's command line by bash, from its options:
//
//   source <(distill --completion bash)

namespace inhibitor::examples {

/// Spellings of the options of `app`, separated by blanks; those with underscores are for those who know them, and options
/// without a group are hidden.
inline std::string option_words(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) {
      if (name.find('_') == std::string::npos) words += (words.empty() ? "--" : " --") + name;
    }
  }
  return words;
}

/// A script for bash: options where a word begins with a dash, the commands of a program as its first word, else files.
inline std::string bash_completion(const CLI::App& app) {
  std::string function = app.get_name(), commands, cases;
  for (char& c : function) c = c == '-' ? '_' : c;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    commands += (commands.empty() ? "" : " ") + command->get_name();
    cases += fmt::format("    {}) options=\"{}\" ;;\n", command->get_name(), option_words(*command));
  }
  std::string body = fmt::format("  local word=${{COMP_WORDS[COMP_CWORD]}} options=\"{}\"\n", option_words(app));
  if (!commands.empty()) {
    body += "  case ${COMP_WORDS[1]} in\n" + cases + "  esac\n";
    body += fmt::format(
        "  if [[ $COMP_CWORD = 1 && $word != -* ]]; then\n    COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))\n    "
        "return\n  fi\n",
        commands);
  }
  body += "  COMPREPLY=()\n  [[ $word != -* ]] || COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n";
  return fmt::format(
      "# bash completion of {0}\n_inhibitor_{1}() {{\n{2}}}\ncomplete -o default -F _inhibitor_{1} {0}\n",
      app.get_name(), function, body);
}

}  // namespace inhibitor::examples
