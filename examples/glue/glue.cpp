// SPDX-License-Identifier: Apache-2.0

// Fine-tunes, evaluates and predicts on GLUE, IMDB and a user's own data. `glue --help` lists the options;
// `glue job.json` takes all of them from a file.

#include "compiled_models/compiled_models.hpp"
#include "glue/job.hpp"
#include "inhibitor/base/ends_with.hpp"
#include "support/program.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app(
      "Fine-tunes, evaluates and predicts on the GLUE tasks, IMDB and your own data, with options and files as\n"
      "run_glue.py has them. Without --model a new model is trained from scratch.",
      "glue");
  option_table table(app);
  glue_options options;
  declare_options(table, options);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string command = command_text("glue", arguments);
  if (argc == 2 && ends_with(arguments[0], ".json")) arguments.insert(arguments.begin(), "--config");
  return run_program(
      app, arguments, argv,
      [&] {
        catch_interrupts();
        return glue_job(options, command, program_executor(options.threads)).run();
      },
      [&](const CLI::Option* option) { return table.changes_numbers(option); });
}
