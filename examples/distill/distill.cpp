// SPDX-License-Identifier: Apache-2.0

// Trains a dot-product teacher, distills it into inhibitor students (E1, E2 of arXiv 2503.15983), trains the control,
// and compares them. `distill --help` lists the options.

#include "compiled_models/compiled_models.hpp"
#include "distill/series.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  distill_options options;
  CLI::App app;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  std::string command;
  for (int i = 0; i < argc; ++i) command += (i > 0 ? " " : "") + std::string(i > 0 ? argv[i] : "distill");
  catch_interrupts();
  try {
    return run_series(options, command, program_executor(options.threads));
  } catch (const interrupted_error& e) {
    fmt::print(stderr, "\ndistill: interrupted in {}; the same command with --resume goes on\n", e.what());
    return 130;
  } catch (const diverged_error& e) {
    fmt::print(stderr, "\ndistill: {}\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "distill: {}\n", e.what());
    return 2;
  }
}
