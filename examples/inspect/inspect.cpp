// SPDX-License-Identifier: Apache-2.0

// Looks into model files and forward passes. `inspect --help` lists the commands, `inspect COMMAND --help` their
// options.

#include <functional>

#include "compiled_models/compiled_models.hpp"
#include "inspect/attention_page.hpp"
#include "inspect/compare.hpp"
#include "inspect/dump.hpp"
#include "inspect/tensor_table.hpp"
#include "support/build_info.hpp"
#include "support/number_checks.hpp"
#include "support/program.hpp"

namespace inhibitor::examples {
namespace {

using command = std::function<int()>;

/// What `dump` and `attention` run the model on.
struct model_options {
  std::string model, text, pair;
  CLI::Option* has_pair = nullptr;
  int threads = 0;

  void declare(CLI::App& app) {
    app.add_option("--model", model, "Model folder: config.json, model.safetensors, vocab.txt")->required();
    has_pair = app.add_option("--text-pair", pair, "Second text of a pair");
    app.add_option("--threads", threads, "OpenMP threads; 0: all")->check(non_negative());
  }
  const std::string* second_text() const { return has_pair->count() > 0 ? &pair : nullptr; }
};

command add_tensors(CLI::App& app) {
  struct options {
    std::string path;
  };
  const auto o = std::make_shared<options>();
  app.add_option("PATH", o->path, "A safetensors file, or a folder with model.safetensors or its index")->required();
  return [o] {
    fmt::print("{}", describe_tensors(o->path));
    return 0;
  };
}

command add_dump(CLI::App& app) {
  struct options : model_options {
    std::string ids, prefix, embeddings, out;
    bool masked_lm = false;
  };
  const auto o = std::make_shared<options>();
  o->declare(app);
  CLI::Option* text = app.add_option("--text", o->text, "Text to run the model on");
  o->has_pair->needs(text);
  CLI::Option* ids = app.add_option("--ids", o->ids,
                                    "safetensors file with input_ids and, if you like, attention_mask and "
                                    "token_type_ids, (length) or (batch, length); needs no vocab.txt");
  ids->excludes(text);
  app.add_option("--prefix", o->prefix, "Start of these names in the file of --ids, for example \"a.\"")->needs(ids);
  app.add_option("--embeddings", o->embeddings,
                 "Tensor of that file to use instead of the model's embedding output, (length, dim) or "
                 "(batch, length, dim)")
      ->needs(ids);
  app.add_flag("--masked-lm", o->masked_lm, "Masked-LM logits too: large, one row of the vocabulary per token");
  app.add_option("--out", o->out, "File to write")->required();
  return [o, text, ids] {
    check(text->count() + ids->count() > 0, "dump needs --text or --ids");
    head_names heads = stored_heads(o->model);
    check(has_head<masked_lm_head>(heads) || !o->masked_lm,
          [&] { return o->model + ": the model has no masked-LM head"; });
    if (!o->masked_lm) heads.erase(std::remove(heads.begin(), heads.end(), masked_lm_head<float>::name), heads.end());
    const executor workers = program_executor(o->threads);
    loaded_model<float> model;
    model_input input;
    if (text->count() > 0) {
      text_model loaded = load_text_model(o->model, heads);
      input = input_of_text(loaded, o->text, o->second_text());
      model = {std::move(loaded.tensors), std::move(loaded.config), std::move(loaded.report)};
    } else {
      model = read_model_folder<float>(o->model, heads);
      load_report needed = model.report;
      if (!o->embeddings.empty()) {
        const auto is_embedding = [](const std::string& name) {
          return name.find(".embeddings.") != std::string::npos;
        };
        needed.missing.erase(std::remove_if(needed.missing.begin(), needed.missing.end(), is_embedding),
                             needed.missing.end());
      }
      require_tensors(needed, o->model);
      input = input_of_file(o->ids, o->prefix, o->embeddings, model.tensors.config().dim);
    }
    forward_pass pass(model.tensors, std::move(input), workers);
    if (o->masked_lm) pass.run_masked_lm();
    pass.write(o->out);
    fmt::print("{}: batch {}, length {}\n", o->out, pass.input().batch, pass.input().length);
    return 0;
  };
}

command add_compare(CLI::App& app) {
  struct options {
    std::string a, b, map;
    std::vector<std::string> tolerances;
  };
  const auto o = std::make_shared<options>();
  app.add_option("A", o->a, "safetensors file, for example a dump")->required();
  app.add_option("B", o->b, "safetensors file to compare with, the reference")->required();
  app.add_option("--map", o->map,
                 "JSON object {\"name in A\": \"name in B\"}; one * on both sides stands for the same text");
  app.add_option("--tolerance", o->tolerances,
                 "Largest difference allowed, over the largest magnitude of the tensor in B: a number, or KIND=number; "
                 "may be repeated. Kinds and defaults: ids 0, weights 0, embeddings 1e-6, attention, feed_forward, "
                 "hidden, head and other 1e-5; F16 and BF16 allow their spacing");
  app.footer("Exit code: 0 all agree, 1 something diverges, 2 the files cannot be compared.");
  return [o] {
    tolerance_table tolerances;
    for (const std::string& tolerance : o->tolerances) tolerances.set(tolerance);
    const name_map names = o->map.empty() ? name_map() : name_map::read(o->map);
    const file_comparison comparison =
        compare_files(safetensors_file::open(o->a), safetensors_file::open(o->b), names, tolerances);
    fmt::print("{}", describe(comparison));
    return comparison.first_divergence() == nullptr ? 0 : 1;
  };
}

command add_attention(CLI::App& app) {
  struct options : model_options {
    std::string out;
    index_t layer = -1, head = -1;
  };
  const auto o = std::make_shared<options>();
  o->declare(app);
  app.add_option("--text", o->text, "Text to run the model on")->required();
  app.add_option("--layer", o->layer, "This layer alone, counted from 0")->check(non_negative());
  app.add_option("--head", o->head, "This head alone, counted from 0")->check(non_negative());
  app.add_option("--out", o->out, "HTML file to write")->required();
  return [o] {
    const text_model model = load_text_model(o->model, {});
    const forward_pass pass(model.tensors, input_of_text(model, o->text, o->second_text()),
                            program_executor(o->threads));
    const std::string title = o->text + (o->second_text() != nullptr ? " | " + o->pair : "");
    write_file_atomically(o->out, attention_page(model, pass, title, o->layer, o->head));
    fmt::print("{}: {} tokens\n", o->out, pass.input().length);
    return 0;
  };
}

}  // namespace
}  // namespace inhibitor::examples

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app("Looks into model files and into forward passes.", "inspect");
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();
  std::vector<std::pair<CLI::App*, command>> commands;
  const auto add = [&](const char* name, const char* description, command (*declare)(CLI::App&)) {
    CLI::App* sub = app.add_subcommand(name, description);
    commands.emplace_back(sub, declare(*sub));
  };
  add("tensors", "Names, types, shapes and statistics of stored tensors", add_tensors);
  add("dump", "Every intermediate of one forward pass, to a safetensors file", add_dump);
  add("compare", "Two files side by side in forward order, and where they part", add_compare);
  add("attention", "Heat maps of what each token takes from each other token, as one HTML page", add_attention);
  return run_program(app, argc, argv, [&] {
    for (const auto& [sub, run] : commands) {
      if (*sub) return run();
    }
    return exit_refused;
  });
}
