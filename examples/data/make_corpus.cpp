// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "data/corpus_files.hpp"

// make_corpus FOLDER: writes train.tsv, dev.tsv and vocab.txt of the embedded corpus, the same bytes on every machine.

namespace {

void write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 2;
  }
  try {
    using namespace inhibitor::examples::corpus;
    const std::string folder = argv[1];
    const reviews made = make_reviews(default_seed, default_train, default_dev);
    write_file(folder + "/train.tsv", to_tsv(made.train));
    write_file(folder + "/dev.tsv", to_tsv(made.dev));
    write_file(folder + "/vocab.txt", to_vocab_txt(make_vocabulary(made.train)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_corpus: %s\n", error.what());
    return 2;
  }
}
