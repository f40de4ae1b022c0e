// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "inhibitor/training/training_progress.hpp"
#include "inhibitor/version.hpp"
#include "support/cli11.hpp"
#include "support/completion.hpp"
#include "support/option_page.hpp"
#include "support/wait_policy.hpp"

namespace inhibitor::examples {

/// What the command line, an input or the machine made impossible, and a training that --resume goes on with
/// (docs/programs.md).
inline constexpr int exit_refused = 2, exit_interrupted = 130;

/// "inspect dump" where a command was given, else the program's name.
inline std::string full_name(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app.get_name() : app.get_name() + " " + commands.front()->get_name();
}

/// Options that every program has: the version, and for tools the page of options and completion.
inline void declare_common_options(CLI::App& app, const option_mark& changes_numbers) {
  app.set_version_flag("--version",
                       fmt::format("{} (inhibitor) {}.{}.{}", app.get_name(), INHIBITOR_VERSION_MAJOR,
                                   INHIBITOR_VERSION_MINOR, INHIBITOR_VERSION_PATCH),
                       "Print the version and exit");
  app.add_flag_callback("--help-markdown",
                        [&app, changes_numbers] {
                          fmt::print("{}", option_page(app, changes_numbers));
                          throw CLI::Success();
                        })
      ->group("");
  app.add_option_function<std::string>(
         "--completion",
         [&app](const std::string&) {
           fmt::print("{}", bash_completion(app));
           throw CLI::Success();
         },
         "Print a script that completes this program's options in that shell, and exit: bash")
      ->check(CLI::IsMember({"bash"}))
      ->trigger_on_parse();
  app.failure_message([](const CLI::App* a, const CLI::Error& e) {
    const std::string name = full_name(*a);
    return fmt::format("{}: {}\nRun {} --help for its options.\n", name, e.what(), name);
  });
}

/// The body of a program's `main`: parses the command line into what `app`, which has the program's name, has bound,
/// runs `body`, which returns the exit code, and turns every exception into one line on stderr that begins with that name.
template <class Body>
int run_program(CLI::App& app, const std::vector<std::string>& arguments, char** argv, Body&& body,
                const option_mark& changes_numbers = {}) {
  wait_passively(argv);
  declare_common_options(app, changes_numbers);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_refused;
  }
  const std::string name = full_name(app);
  try {
    const int code = body();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "{}: writing to standard output failed\n", name);
  } catch (const interrupted_error& e) {
    fmt::print(stderr, "\n{}: interrupted in {}; the same command with --resume goes on\n", name, e.what());
    return exit_interrupted;
  } catch (const diverged_error& e) {
    fmt::print(stderr, "\n{}: {}\n", name, e.what());
    return 1;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory\n", name);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
  }
  return exit_refused;
}

template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body&& body, const option_mark& changes_numbers = {}) {
  return run_program(app, std::vector<std::string>(argv + 1, argv + argc), argv, body, changes_numbers);
}

}  // namespace inhibitor::examples
