// SPDX-License-Identifier: Apache-2.0

// Pretrains a masked language model on text of one's own. `pretrain --help` lists the options.

#include "compiled_models/compiled_models.hpp"
#include "pretrain/job.hpp"
#include "support/program.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app(
      "Pretrains a masked language model of either attention on text. The folder it leaves is a model that glue, "
      "distill\n"
      "and Hugging Face's libraries start from.",
      "pretrain");
  option_table table(app);
  pretrain_options options;
  declare_options(table, options);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return run_program(
      app, argc, argv,
      [&] {
        check_options(options);
        catch_interrupts();
        pretrain_job job(options, command_text("pretrain", arguments), program_executor(options.threads));
        job.run();
        return 0;
      },
      [&](const CLI::Option* option) { return table.changes_numbers(option); });
}
