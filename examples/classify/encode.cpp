// SPDX-License-Identifier: Apache-2.0

// Embeddings of texts, by a model folder: a filter that answers as the lines come. `encode --help` lists the options.

#include <cmath>

#include "classify/pooling.hpp"
#include "classify/stream.hpp"
#include "compiled_models/compiled_models.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app("Turns texts, one per line, into vectors with a model folder.", "encode");
  stream_options options;
  options.declare(app);
  std::string pooling = "mean";
  bool normalize = false;
  app.add_option("--pooling", pooling,
                 "cls: the first token's last hidden state; mean: of all tokens; pooled: what the classifier sees")
      ->check(CLI::IsMember({"cls", "mean", "pooled"}));
  app.add_flag("--normalize", normalize, "Scale every vector to length 1");
  return run_program(app, argc, argv, [&] {
    text_stream stream(options,
                       pooling == "pooled" ? head_names{sequence_classification_head<float>::name} : head_names{});
    const encoder_tensors<float>& model = stream.model().tensors;
    const index_t dim = model.config().dim;
    embedding_output output({options.format(), options.out, !options.no_header, dim});
    if (pooling != "pooled") stream.forget_tensors();
    aligned_buffer<float> embeddings;
    const bool is_complete = stream.run([&](const token_rows& batch) {
      const packed_tokens tokens = batch.view();
      embeddings.resize(batch.size() * dim);
      if (pooling == "mean") {
        mean_of_rows(embeddings.data(), stream.inference().hidden(tokens, stream.workers()), tokens, dim);
      } else {
        const float* first = stream.inference().first_hidden(tokens, stream.workers());
        if (pooling == "cls") {
          std::copy_n(first, embeddings.size(), embeddings.data());
        } else {
          pool_first(embeddings.data(), first, batch.size(), model, stream.workers());
        }
      }
      if (normalize) scale_to_length_one(embeddings.data(), batch.size(), dim);
      stream.add_finite(embeddings.data(), dim, batch, [&](index_t rows) { output.add(embeddings.data(), rows); });
    });
    if (!is_complete) return 130;
    output.finish();
    return 0;
  });
}
