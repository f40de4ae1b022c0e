// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "inhibitor/data/glue_reader.hpp"
#include "data/corpus_files.hpp"
#include "inhibitor/text/wordpiece.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;

namespace {

const std::string folder = INHIBITOR_EMBEDDED_DATA;

labeled_examples read_corpus(const std::string& name) { return read_task_file(find_task("sst2"), folder + name); }

const corpus::reviews& generated() {
  static const corpus::reviews made =
      corpus::make_reviews(corpus::default_seed, corpus::default_train, corpus::default_dev);
  return made;
}

/// Logistic regression on word counts.
class word_counter {
 public:
  explicit word_counter(const labeled_examples& sentences) {
    for (const std::string& text : sentences.first) {
      for (const std::string& word : corpus::words_of(text)) index_.emplace(word, index_.size());
    }
    weights_.assign(index_.size() + 1, 0.0);  // the last is the bias
  }

  double score(const std::string& text) const {
    double sum = weights_.back();
    for (const std::size_t i : features(text)) sum += weights_[i];
    return sum;
  }

  /// Gradient descent with a momentum on the mean loss over all sentences; returns the norm of the last gradient.
  double train(const labeled_examples& sentences, int steps) {
    std::vector<std::vector<std::size_t>> rows;
    for (const std::string& text : sentences.first) rows.push_back(features(text));
    std::vector<double> gradient(weights_.size());
    std::vector<double> velocity(weights_.size(), 0.0);
    double norm = 0.0;
    for (int step = 0; step < steps; ++step) {
      std::fill(gradient.begin(), gradient.end(), 0.0);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        double sum = weights_.back();
        for (const std::size_t i : rows[r]) sum += weights_[i];
        const double error = 1.0 / (1.0 + std::exp(-sum)) - sentences.labels[r];
        for (const std::size_t i : rows[r]) gradient[i] += error;
        gradient.back() += error;
      }
      norm = 0.0;
      for (std::size_t i = 0; i < weights_.size(); ++i) {
        gradient[i] /= static_cast<double>(rows.size());
        norm += gradient[i] * gradient[i];
        velocity[i] = 0.9 * velocity[i] - 0.5 * gradient[i];
        weights_[i] += velocity[i];
      }
    }
    return std::sqrt(norm);
  }

  double accuracy(const labeled_examples& sentences) const {
    index_t right = 0;
    for (std::size_t i = 0; i < sentences.first.size(); ++i) {
      right += (score(sentences.first[i]) > 0.0) == (sentences.labels[i] == 1) ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(sentences.size());
  }

 private:
  std::vector<std::size_t> features(const std::string& text) const {
    std::vector<std::size_t> found;
    for (const std::string& word : corpus::words_of(text)) {
      const auto at = index_.find(word);
      if (at != index_.end()) found.push_back(at->second);
    }
    return found;
  }

  std::map<std::string, std::size_t> index_;
  std::vector<double> weights_;
};

}  // namespace

TEST_CASE("embedded corpus: the committed files are what the generator makes") {
  CHECK(test::file_content(folder + "/train.tsv") == corpus::to_tsv(generated().train));
  CHECK(test::file_content(folder + "/dev.tsv") == corpus::to_tsv(generated().dev));
  CHECK(test::file_content(folder + "/vocab.txt") == corpus::to_vocab_txt(corpus::make_vocabulary(generated().train)));
  const corpus::reviews other = corpus::make_reviews(corpus::default_seed + 1, 100, 20);
  CHECK(other.train.size() == 100);
  CHECK(other.dev.size() == 20);
  CHECK(other.train[0].text != generated().train[0].text);
}

TEST_CASE("embedded corpus: balanced labels, no sentence twice, none in both files") {
  const auto train = read_corpus("/train.tsv");
  const auto dev = read_corpus("/dev.tsv");
  CHECK(train.size() == 7000);
  CHECK(dev.size() == 800);
  std::set<std::string> seen;
  for (const auto* part : {&train, &dev}) {
    // The stop of a sentence does not make it another one.
    for (const std::string& text : part->first) CHECK(seen.insert(text.substr(0, text.size() - 1)).second);
    CHECK(2 * std::count(part->labels.begin(), part->labels.end(), 1) == part->size());
  }
}

TEST_CASE("embedded corpus: short sentences that the vocabulary covers with whole words and endings") {
  const wordpiece tokenizer = wordpiece::load(folder + "/vocab.txt");
  CHECK(tokenizer.pad_id() == 0);
  std::set<std::int32_t> used;
  for (const char* name : {"/train.tsv", "/dev.tsv"}) {
    for (const std::string& text : read_corpus(name).first) {
      const auto ids = tokenizer.encode(text, 512);
      CHECK(ids.size() <= 20);
      used.insert(ids.begin(), ids.end());
    }
  }
  CHECK(used.count(tokenizer.unk_id()) == 0);
  CHECK(used.count(tokenizer.find("##ly")) == 1);
  for (char c = 'a'; c <= 'z'; ++c) {
    if (c != 'd' && c != 'r' && c != 's') CHECK(used.count(tokenizer.find(std::string("##") + c)) == 0);
  }
  CHECK(tokenizer.tokenize("Zebra-42!") != std::vector<std::int32_t>{tokenizer.unk_id()});
}

TEST_CASE("embedded corpus: counting words does not solve it") {
  const auto train = read_corpus("/train.tsv");
  const auto dev = read_corpus("/dev.tsv");
  word_counter classifier(train);
  CHECK(classifier.train(train, 2500) < 1e-3);  // converged
  const double accuracy = classifier.accuracy(dev);
  INFO("dev accuracy " << accuracy);
  CHECK(accuracy < 0.80);
  CHECK(accuracy > 0.55);
}
