// SPDX-License-Identifier: Apache-2.0

// Labels and probabilities for texts, by a model folder: a filter that answers as the lines come. `classify --help`
// lists the options.

#include "classify/stream.hpp"
#include "compiled_models/compiled_models.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app("Classifies texts, one per line, with a model folder.", "classify");
  stream_options options;
  options.declare(app);
  bool probabilities = false;
  app.add_flag("--probabilities", probabilities, "Probabilities of all labels, not of the best alone");
  return run_program(app, argc, argv, [&] {
    text_stream stream(options, {sequence_classification_head<float>::name});
    const model_config_file& config = stream.model().config;
    check(!probabilities || config.labels.size() > 1, "--probabilities: the model gives a score, not labels");
    const auto labels = static_cast<index_t>(config.labels.size());
    stream.forget_tensors();
    classification_output output({options.format(), options.out, probabilities, !options.no_header, config.labels});
    const bool is_complete = stream.run([&](const token_rows& batch) {
      const float* logits = stream.inference().classify(batch.view(), stream.workers());
      stream.add_finite(logits, labels, batch, [&](index_t rows) { output.add(logits, rows); });
    });
    if (!is_complete) return exit_interrupted;
    output.finish();
    return 0;
  });
}
