// SPDX-License-Identifier: Apache-2.0

// Fine-tunes, evaluates and predicts on GLUE, IMDB and a user's own data. `glue --help` lists the options;
// `glue job.json` takes all of them from a file.

#include "compiled_models/compiled_models.hpp"
#include "glue/job.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  std::vector<std::string> words(argv, argv + argc);
  const std::string command =
      fmt::format("glue{}{}", argc > 1 ? " " : "", fmt::join(words.begin() + 1, words.end(), " "));
  if (argc == 2 && inhibitor::detail::has_ending(words[1], ".json")) words.insert(words.begin() + 1, "--config");
  glue_options options;
  CLI::App app;
  add_options(app, options);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  catch_interrupts();
  try {
    return glue_job(options, command, program_executor(options.threads)).run();
  } catch (const interrupted_error& e) {
    fmt::print(stderr, "\nglue: interrupted in {}; the same command with --resume goes on\n", e.what());
    return 130;
  } catch (const diverged_error& e) {
    fmt::print(stderr, "\nglue: {}\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "glue: {}\n", e.what());
    return 2;
  }
}
