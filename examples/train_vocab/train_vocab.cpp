// SPDX-License-Identifier: Apache-2.0

// Makes the vocab.txt of a WordPiece tokenizer from text. `train-vocab --help` lists the options.

#include <chrono>

#include "inhibitor/data/table_file.hpp"
#include "inhibitor/io/atomic_file.hpp"
#include "inhibitor/text/wordpiece_trainer.hpp"
#include "inhibitor/text/wordpiece_words.hpp"
#include "support/build_info.hpp"
#include "support/number_checks.hpp"
#include "support/program.hpp"
#include "train_vocab/report.hpp"

namespace inhibitor::examples {
namespace {

struct options {
  std::vector<std::string> input, held_out, compare;
  std::string out;
  wordpiece_trainer_options trainer;
  wordpiece_options tokenizer;
  bool cased = false;
  int threads = 0;

  void declare(CLI::App& app) {
    app.add_option("--input", input, "Text files, plain or .gz")->required();
    app.add_option("--out", out, "The vocab.txt to write")->required();
    app.add_option("--size", trainer.size, "Lines of the vocabulary at most, special tokens included")
        ->capture_default_str();
    app.add_option("--min-frequency", trainer.min_frequency, "Merge no pair of pieces that occurs less often")
        ->capture_default_str();
    app.add_option("--limit-alphabet", trainer.limit_alphabet, "Keep so many characters, the most frequent")
        ->capture_default_str();
    CLI::Option* lower = app.add_flag("--lower-case", "Lower case, accents stripped: the default");
    app.add_flag("--cased", cased, "Keep case and accents")->excludes(lower);
    app.add_option("--threads", threads, "OpenMP threads for counting words; 0: all")->check(non_negative());
    app.add_option("--held-out", held_out, "Text files to measure the vocabulary on; default: the input");
    app.add_option("--compare", compare, "Other vocab.txt files to measure beside it");
  }
};

/// Words of all files, and the size of the text in bytes.
struct corpus_words {
  word_counter words;
  double megabytes = 0;
};

corpus_words count_files(const std::vector<std::string>& files, const wordpiece_options& tokenizer,
                         const executor& workers) {
  const wordpiece words_only({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, tokenizer);
  corpus_words out;
  for (const std::string& file : files) {
    const std::string text = read_text_file(file);
    if (text.empty()) throw file_error(file, "is empty; expected text");
    count_wordpiece_words(text, words_only, out.words, workers);
    out.megabytes += static_cast<double>(text.size()) / 1e6;
  }
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print_use(const std::string& name, index_t size, const vocabulary_use& use) {
  fmt::print("{}: {} tokens, {:.4f} per word, {:.4f} % of words unknown, 95 % of its tokens occur at least {} times\n",
             name, size, use.tokens_per_word(), use.unknown_percent(), use.rare_token_count);
}

int run(const options& o) {
  const executor workers = program_executor(o.threads);
  const auto start = std::chrono::steady_clock::now();
  const corpus_words corpus = count_files(o.input, o.tokenizer, workers);
  const double counted = seconds_since(start);
  const std::vector<std::string> tokens = train_wordpiece(corpus.words, o.trainer);
  write_file_atomically(o.out, vocabulary_text(tokens));
  const double seconds = seconds_since(start);
  fmt::print("{:.1f} MB of text, {} distinct words: {:.1f} s ({:.1f} s of it counting), {:.1f} MB/s\n",
             corpus.megabytes, corpus.words.words().size(), seconds, counted, corpus.megabytes / seconds);

  corpus_words held_out;
  if (!o.held_out.empty()) held_out = count_files(o.held_out, o.tokenizer, workers);
  const word_counter& words = o.held_out.empty() ? corpus.words : held_out.words;
  check(!words.words().empty(), "the files of --held-out hold no words");
  print_use(o.out, static_cast<index_t>(tokens.size()), measure_vocabulary(wordpiece(tokens, o.tokenizer), words));
  for (const std::string& file : o.compare) {
    const wordpiece other = wordpiece::load(file, o.tokenizer);
    print_use(file, other.size(), measure_vocabulary(other, words));
  }
  return 0;
}

}  // namespace
}  // namespace inhibitor::examples

int main(int argc, char** argv) {
  using namespace inhibitor::examples;
  CLI::App app("Makes the vocab.txt of a WordPiece tokenizer from text.", "train-vocab");
  options o;
  o.declare(app);
  return run_program(app, argc, argv, [&] {
    o.tokenizer.lower_case = !o.cased;
    return run(o);
  });
}
