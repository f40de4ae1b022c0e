// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

namespace inhibitor::examples {

/// The body of a program's `main`: parses the command line into what `app` has bound, runs `body`, which returns the
/// exit code, and turns every exception into one line on stderr and exit code 2. `--help` gives 0, a command line that
/// cannot be understood 2.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body&& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  const std::string name = app.get_name();
  try {
    const int code = body();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "{}: writing to standard output failed\n", name);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory\n", name);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
  }
  return 2;
}

}  // namespace inhibitor::examples
