// SPDX-License-Identifier: Apache-2.0

// Trains a dot-product teacher, distills it into inhibitor students (E1, E2 of arXiv 2503.15983), trains the control,
// and compares them. `distill --help` lists the options.

#include "compiled_models/compiled_models.hpp"
#include "distill/series.hpp"
#include "support/program.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app(
      "Trains a dot-product teacher, distills it into inhibitor-attention students and evaluates all of them.\n"
      "Without --data it runs on a small embedded corpus and needs nothing else.",
      "distill");
  option_table table(app);
  distill_options options;
  declare_options(table, options);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return run_program(
      app, argc, argv,
      [&] {
        catch_interrupts();
        return run_series(options, command_text("distill", arguments), program_executor(options.threads));
      },
      [&](const CLI::Option* option) { return table.changes_numbers(option); });
}
