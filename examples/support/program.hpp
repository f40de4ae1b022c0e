// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "inhibitor/training/training_progress.hpp"
#include "support/option_page.hpp"
#include "support/wait_policy.hpp"

namespace inhibitor::examples {

/// The body of a program's `main`: parses the command line into what `app`, which has the program's name, has bound,
/// runs `body`, which returns the exit code, and turns every exception into one line on stderr. Exit codes: 0 also for
/// --help; 1 for a training that diverged; 2 for a command line that cannot be understood and for every error; 130 for
/// a training that was interrupted and can be resumed.
template <class Body>
int run_program(CLI::App& app, const std::vector<std::string>& arguments, char** argv, Body&& body,
                const option_mark& changes_numbers = {}) {
  wait_passively(argv);
  app.add_flag_callback("--help-markdown",
                        [&] {
                          fmt::print("{}", option_page(app, changes_numbers));
                          throw CLI::Success();
                        })
      ->group("");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  const std::string name = app.get_name();
  try {
    const int code = body();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "{}: writing to standard output failed\n", name);
  } catch (const interrupted_error& e) {
    fmt::print(stderr, "\n{}: interrupted in {}; the same command with --resume goes on\n", name, e.what());
    return 130;
  } catch (const diverged_error& e) {
    fmt::print(stderr, "\n{}: {}\n", name, e.what());
    return 1;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory\n", name);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
  }
  return 2;
}

template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body&& body, const option_mark& changes_numbers = {}) {
  return run_program(app, std::vector<std::string>(argv + 1, argv + argc), argv, body, changes_numbers);
}

}  // namespace inhibitor::examples
