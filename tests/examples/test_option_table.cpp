// SPDX-License-Identifier: Apache-2.0

#include "distill/command_line.hpp"
#include "glue/options.hpp"
#include "support/catch.hpp"
#include "support/option_page.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;

namespace {

struct some_options {
  int batch_size = 32;
  std::vector<int> seeds{1};
  bool do_train = false;
  double dropout = 0.1;
  std::string out = "runs";
};

void declare_options(option_table& t, some_options& o) {
  t.add({"batch-size", "per-device-batch-size"}, o.batch_size, option_effect::numbers, "Examples per step");
  t.add({"seeds"}, o.seeds, option_effect::numbers, "Seeds");
  t.group("More");
  t.add({"do-train"}, o.do_train, option_effect::numbers, "Train");
  t.add({"dropout"}, o.dropout, option_effect::new_model, "Dropout");
  t.add({"out"}, o.out, option_effect::none, "Folder");
}

/// The options after `arguments`.
template <class Options>
Options parsed(std::vector<std::string> arguments) {
  CLI::App app("Does something.", "program");
  option_table table(app);
  Options o;
  declare_options(table, o);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  return o;
}

}  // namespace

TEST_CASE("option_table: one entry is the option, its spellings, the key and the setting") {
  const auto o = parsed<some_options>({"--per_device_batch_size", "8", "--seeds", "3,4", "--do_train", "--out", "x"});
  CHECK(o.batch_size == 8);
  CHECK(o.seeds == std::vector<int>{3, 4});
  CHECK(settings_of(o, false) == nlohmann::json{{"batch-size", 8}, {"seeds", {3, 4}}, {"do-train", true}});
  CHECK(settings_of(o, true).at("dropout") == 0.1);
  CHECK(settings_of(some_options{}, false) == nlohmann::json{{"batch-size", 32}, {"seeds", {1}}, {"do-train", false}});
}

TEST_CASE("settings_of: the settings are a --config file that gives the same settings") {
  temp_folder folder;
  auto first =
      parsed<distill_options>({"--task", "rte,stsb", "--seeds", "5", "--learning-rate", "0.1234567890123456789",
                               "--teacher-layers", "0,2", "--text", "a.txt,b.txt", "--data", "x"});
  first.resolve_defaults();
  const std::string file = folder.write("job.json", settings_of(first).dump());
  auto again = parsed<distill_options>({"--config", file});
  CHECK(settings_of(again) == settings_of(first));
  CHECK(again.learning_rate == first.learning_rate);
  auto glue = parsed<glue_options>({"--task", "rte", "--do-train", "--out", "o", "--vocab", "v"});
  glue.resolve_defaults();
  const std::string other = folder.write("glue.json", settings_of(glue).dump());
  CHECK(settings_of(parsed<glue_options>({"--config", other, "--out", "p"})) == settings_of(glue));
}

TEST_CASE("settings_of: where results go and how fast they come changes no setting") {
  auto fast =
      parsed<distill_options>({"--threads", "8", "--out", "elsewhere", "--checkpoint-seconds", "1", "--resume"});
  CHECK(settings_of(fast) == settings_of(parsed<distill_options>({})));
}

TEST_CASE("option_page: every option with its default, and whether numbers depend on it") {
  CLI::App app("Does something.", "program");
  option_table table(app);
  some_options o;
  declare_options(table, o);
  const std::string page = option_page(app, [&](const CLI::Option* option) { return table.changes_numbers(option); });
  CHECK_THAT(page, contains_text("## program\n\nDoes something.\n"));
  CHECK_THAT(page, contains_text("| `--batch-size`, `--per-device-batch-size` | 32 "));
  CHECK_THAT(page, contains_text("\nMore:\n"));
  CHECK_THAT(page, !contains_text("--help"));
}

TEST_CASE("distill_runs: names and options are unique") {
  std::set<std::string> names, options;
  for (const distill_run& run : distill_runs()) {
    CHECK(names.insert(run.name).second);
    CHECK(options.insert(run.option).second);
  }
}
