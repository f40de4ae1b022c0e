// SPDX-License-Identifier: Apache-2.0

// Trains translation models, translates with them and judges them. `translate --help` lists the options.

#include "compiled_models/translation_models.hpp"
#include "support/build_info.hpp"
#include "support/program.hpp"
#include "translate/job.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app(
      "Trains an encoder-decoder on sentence pairs, translates standard input to standard output with it, a line for\n"
      "every line, and judges it by BLEU and chrF.",
      "translate");
  option_table table(app);
  translate_options options;
  declare_options(table, options);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return run_program(
      app, arguments, argv,
      [&] {
        check_options(options);
        const executor workers = program_executor(options.threads);
        if (!options.is_training()) return translate_with(options, workers);
        catch_interrupts();
        return translation_training(options, command_text("translate", arguments), workers).run();
      },
      [&](const CLI::Option* option) { return table.changes_numbers(option); });
}
