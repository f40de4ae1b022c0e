// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/io/safetensors.hpp"
#include "support/printable.hpp"

// Where results go: lines to standard output or a file as they come, or tensors to a safetensors file at the end.

namespace inhibitor::examples {

enum class output_format { tsv, jsonl, safetensors };

/// Lines to standard output, or to a file that appears when `commit` is called and not before.
class line_sink {
 public:
  /// An empty path is standard output. Throws file_error when the file cannot be created.
  explicit line_sink(const std::string& path) {
    if (!path.empty()) file_ = std::make_unique<atomic_file>(path);
  }

  void add(std::string_view text) { pending_ += text; }

  /// Hands on what was added. Throws file_error, or std::runtime_error for standard output.
  void flush() {
    if (file_) {
      file_->write(pending_);
    } else if (std::fwrite(pending_.data(), 1, pending_.size(), stdout) != pending_.size() ||
               std::fflush(stdout) != 0) {
      throw std::runtime_error("writing to standard output failed");
    }
    pending_.clear();
  }
  void commit() {
    flush();
    if (file_) file_->commit();
  }

 private:
  std::unique_ptr<atomic_file> file_;
  std::string pending_;
};

/// Labels and probabilities of a batch, or scores of a regression model.
class classification_output {
 public:
  struct settings {
    output_format format = output_format::tsv;
    std::string path;            ///< empty: standard output
    bool probabilities = false;  ///< of every label, not of the best alone
    bool header = true;          ///< of TSV
    std::vector<std::string> labels;

    bool is_regression() const { return labels.size() == 1; }
  };

  /// Throws file_error when the file cannot be created.
  explicit classification_output(settings s)
      : s_(std::move(s)), sink_(s_.format == output_format::safetensors ? "" : s_.path) {
    if (s_.format != output_format::tsv || !s_.header) return;
    sink_.add(s_.is_regression() ? "score" : "label\tprobability");
    for (std::size_t k = 0; s_.probabilities && k < s_.labels.size(); ++k) sink_.add("\t" + printable(s_.labels[k]));
    sink_.add("\n");
  }

  /// logits (rows, labels), in the order of the input, all finite.
  void add(const float* logits, index_t rows) {
    const std::size_t classes = s_.labels.size();
    std::vector<double> p(classes);
    for (index_t row = 0; row < rows; ++row, logits += classes) {
      if (s_.format == output_format::safetensors) logits_.insert(logits_.end(), logits, logits + classes);
      if (s_.is_regression()) {
        add_score(logits[0]);
        continue;
      }
      const auto best = static_cast<std::size_t>(std::max_element(logits, logits + classes) - logits);
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) sum += p[k] = std::exp(double{logits[k]} - double{logits[best]});
      for (double& x : p) x /= sum;
      add_label(best, p);
    }
    if (s_.format != output_format::safetensors) sink_.flush();
  }

  /// Makes a file appear under its name.
  void finish() {
    if (s_.format != output_format::safetensors) {
      sink_.commit();
      return;
    }
    const auto rows = static_cast<std::uint64_t>(logits_.size() / s_.labels.size());
    safetensors_writer file;
    file.add("logits", dtype::f32, {rows, s_.labels.size()}, logits_.data());
    if (!s_.is_regression()) {
      file.add("labels", dtype::i64, {rows}, labels_.data());
      file.add("probabilities", dtype::f32, {rows, s_.labels.size()}, probabilities_.data());
    }
    file.metadata("labels", nlohmann::json(s_.labels).dump());
    file.write(s_.path);
  }

 private:
  void add_score(float score) {
    if (s_.format == output_format::tsv) sink_.add(fmt::format("{}\n", score));
    if (s_.format == output_format::jsonl) sink_.add(fmt::format("{{\"score\": {}}}\n", score));
  }

  void add_label(std::size_t best, const std::vector<double>& p) {
    switch (s_.format) {
      case output_format::safetensors:
        labels_.push_back(static_cast<std::int64_t>(best));
        probabilities_.insert(probabilities_.end(), p.begin(), p.end());
        break;
      case output_format::tsv:
        sink_.add(fmt::format("{}\t{:.6f}", printable(s_.labels[best]), p[best]));
        for (std::size_t k = 0; s_.probabilities && k < p.size(); ++k) sink_.add(fmt::format("\t{:.6f}", p[k]));
        sink_.add("\n");
        break;
      case output_format::jsonl:
        sink_.add("{\"label\": " + nlohmann::json(s_.labels[best]).dump() +
                  fmt::format(", \"probability\": {:.6f}", p[best]));
        for (std::size_t k = 0; s_.probabilities && k < p.size(); ++k) {
          sink_.add((k == 0 ? ", \"probabilities\": {" : ", ") + nlohmann::json(s_.labels[k]).dump() + ": " +
                    fmt::format("{:.6f}", p[k]));
        }
        sink_.add(s_.probabilities ? "}}\n" : "}\n");
        break;
    }
  }

  settings s_;
  line_sink sink_;
  std::vector<float> logits_, probabilities_;
  std::vector<std::int64_t> labels_;
};

/// Embeddings of a batch, `dim` numbers per row.
class embedding_output {
 public:
  struct settings {
    output_format format = output_format::tsv;
    std::string path;    ///< empty: standard output
    bool header = true;  ///< of TSV
    index_t dim = 0;
  };

  /// Throws file_error when the file cannot be created.
  explicit embedding_output(settings s)
      : s_(std::move(s)), sink_(s_.format == output_format::safetensors ? "" : s_.path) {
    if (s_.format != output_format::tsv || !s_.header) return;
    for (index_t k = 0; k < s_.dim; ++k) sink_.add(fmt::format("{}e{}", k == 0 ? "" : "\t", k));
    sink_.add("\n");
  }

  /// embeddings (rows, dim), in the order of the input, all finite.
  void add(const float* embeddings, index_t rows) {
    if (s_.format == output_format::safetensors) {
      values_.insert(values_.end(), embeddings, embeddings + rows * s_.dim);
      return;
    }
    for (index_t row = 0; row < rows; ++row) {
      const bool is_json = s_.format == output_format::jsonl;
      if (is_json) sink_.add("{\"embedding\": [");
      for (index_t k = 0; k < s_.dim; ++k, ++embeddings) {
        if (k > 0) sink_.add(is_json ? ", " : "\t");
        sink_.add(fmt::format("{}", *embeddings));
      }
      sink_.add(is_json ? "]}\n" : "\n");
    }
    sink_.flush();
  }

  /// Makes a file appear under its name.
  void finish() {
    if (s_.format != output_format::safetensors) {
      sink_.commit();
      return;
    }
    safetensors_writer file;
    const auto dim = static_cast<std::uint64_t>(s_.dim);
    file.add("embeddings", dtype::f32, {values_.size() / dim, dim}, values_.data());
    file.write(s_.path);
  }

 private:
  settings s_;
  line_sink sink_;
  std::vector<float> values_;
};

}  // namespace inhibitor::examples
