// SPDX-License-Identifier: Apache-2.0

// Embeddings of texts, by a model folder: a filter that answers as the lines come. `encode --help` lists the options.

#include "classify/pooling.hpp"
#include "classify/stream.hpp"
#include "compiled_models/compiled_models.hpp"

int main(int argc, char** argv) {
  using namespace inhibitor;
  using namespace inhibitor::examples;
  CLI::App app("Turns texts, one per line, into vectors with a model folder, also one of sentence-transformers.",
               "encode");
  stream_options options;
  options.declare(app);
  std::string pooling;
  bool normalize = false;
  std::vector<std::string> names(pooling_mode_names.begin(), pooling_mode_names.end());
  names.emplace_back("pooled");
  app.add_option("--pooling", pooling,
                 "cls: the first token's last hidden state; mean: of all tokens; ...; pooled: what the classifier "
                 "sees; default: what a folder of sentence-transformers says, else mean")
      ->check(CLI::IsMember(names));
  app.add_flag("--normalize", normalize,
               "Scale every vector to length 1; done in any case where a folder of sentence-transformers says so");
  return run_program(app, argc, argv, [&] {
    sentence_encoder sentence = read_sentence_encoder(options.model).value_or(sentence_encoder{options.model});
    const bool is_pooled = pooling == "pooled";
    if (!pooling.empty()) {
      const auto place = std::find(names.begin(), names.end(), pooling) - names.begin();
      sentence.pooling.assign(1, static_cast<pooling_mode>(place));
    } else if (sentence.pooling.empty()) {
      sentence.pooling.assign(1, pooling_mode::mean);
    }
    normalize = normalize || sentence.normalize;
    options.model = sentence.folder;
    text_stream stream(options, is_pooled ? head_names{sequence_classification_head<float>::name} : head_names{},
                       {sentence.max_seq_length, sentence.lower_case, sentence.prompt});
    const encoder_tensors<float>& model = stream.model().tensors;
    const index_t width = model.config().dim;
    const index_t dim = static_cast<index_t>(sentence.pooling.size()) * width;
    embedding_output output({options.format(), options.out, !options.no_header, dim});
    if (!is_pooled) stream.forget_tensors();
    const bool is_first = is_pooled || sentence.pooling == std::vector<pooling_mode>{pooling_mode::cls};
    aligned_buffer<float> embeddings;
    const bool is_complete = stream.run([&](const token_rows& batch) {
      const packed_tokens tokens = batch.view();
      embeddings.resize(batch.size() * dim);
      if (is_first) {
        const float* first = stream.inference().first_hidden(tokens, stream.workers());
        if (is_pooled) {
          pool_first(embeddings.data(), first, batch.size(), model, stream.workers());
        } else {
          std::copy_n(first, embeddings.size(), embeddings.data());
        }
      } else {
        pool_tokens(embeddings.data(), stream.inference().hidden(tokens, stream.workers()), tokens, width,
                    sentence.pooling);
      }
      if (normalize) scale_to_length_one(embeddings.data(), batch.size(), dim);
      stream.add_finite(embeddings.data(), dim, batch, [&](index_t rows) { output.add(embeddings.data(), rows); });
    });
    if (!is_complete) return exit_interrupted;
    output.finish();
    return 0;
  });
}
