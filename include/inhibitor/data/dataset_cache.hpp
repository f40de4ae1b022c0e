// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "inhibitor/base/log_sink.hpp"
#include "inhibitor/data/token_dataset.hpp"
#include "inhibitor/data/tokenizer_hash.hpp"
#include "inhibitor/io/content_hash.hpp"
#include "inhibitor/io/safetensors.hpp"

// Tokenized data sets kept beside the output, so that a second run on the same data need not tokenize again. A file is
// named after a hash of everything its content depends on: texts, labels, vocabulary, rules and length.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

/// Everything tokenize() depends on.
inline std::string dataset_key(const wordpiece& tokenizer, const labeled_examples& examples, index_t max_length) {
  constexpr std::uint64_t format = 1;
  content_hash hash;
  hash.add_number(format);
  hash.add_number(static_cast<std::uint64_t>(max_length));
  add_tokenizer(hash, tokenizer);
  for (const auto* texts : {&examples.first, &examples.second}) {
    hash.add_number(texts->size());
    for (const std::string& text : *texts) hash.add(text);
  }
  hash.add_values(examples.labels);
  hash.add_values(examples.scores);
  return hash.text();
}

/// A token_dataset as flat arrays, the way it is stored.
struct flat_dataset {
  std::vector<std::int32_t> ids;            // all tokens
  std::vector<std::int64_t> starts;         // (n + 1) first token of each example
  std::vector<std::int32_t> first_lengths;  // (n)
  std::vector<std::int32_t> labels;         // (n) or empty
  std::vector<float> scores;                // (n) or empty

  /// f(name, array) for every array.
  template <class Visitor>
  void visit(Visitor&& f) {
    f("ids", ids);
    f("starts", starts);
    f("first_lengths", first_lengths);
    f("labels", labels);
    f("scores", scores);
  }
  std::string checksum() {
    content_hash hash;
    visit([&](const char*, const auto& values) { hash.add_values(values); });
    return hash.text();
  }
};

inline flat_dataset flatten(const token_dataset& dataset) {
  flat_dataset flat;
  flat.starts.push_back(0);
  for (const auto& ids : dataset.ids) {
    flat.ids.insert(flat.ids.end(), ids.begin(), ids.end());
    flat.starts.push_back(static_cast<std::int64_t>(flat.ids.size()));
  }
  flat.first_lengths = dataset.first_lengths;
  flat.labels = dataset.labels;
  flat.scores = dataset.scores;
  return flat;
}

template <class T>
constexpr dtype stored_type() {
  if constexpr (std::is_same_v<T, std::int32_t>) {
    return dtype::i32;
  } else {
    return dtype_of<T>();
  }
}

/// Reads a cached file. Throws file_error when it does not hold what was written for `key`.
inline token_dataset read_cached(const std::string& path, const std::string& key) {
  const safetensors_file file = safetensors_file::read(path);
  const auto field = [&](const char* name) {
    const auto found = file.metadata().find(name);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  if (field("key") != key) throw file_error(path, "was made for other data");
  flat_dataset flat;
  flat.visit([&](const char* name, auto& values) {
    const tensor_info* info = file.find(name);
    using value = typename std::decay_t<decltype(values)>::value_type;
    if (info == nullptr || info->type != stored_type<value>()) throw file_error(path, std::string("lacks ") + name);
    values.resize(static_cast<std::size_t>(info->elements()));
    if (!values.empty()) std::memcpy(values.data(), file.data(*info), values.size() * sizeof(value));
  });
  if (field("checksum") != flat.checksum()) throw file_error(path, "is damaged");
  // The checksum vouches for the rest: what follows was written by `flatten`.
  token_dataset dataset;
  for (std::size_t i = 0; i + 1 < flat.starts.size(); ++i) {
    dataset.ids.emplace_back(flat.ids.begin() + flat.starts[i], flat.ids.begin() + flat.starts[i + 1]);
  }
  dataset.first_lengths = std::move(flat.first_lengths);
  dataset.labels = std::move(flat.labels);
  dataset.scores = std::move(flat.scores);
  return dataset;
}

inline void write_cached(const std::string& path, const std::string& key, const token_dataset& dataset) {
  flat_dataset flat = flatten(dataset);
  safetensors_writer writer;
  writer.metadata("key", key);
  writer.metadata("checksum", flat.checksum());
  flat.visit([&](const char* name, const auto& values) {
    using value = typename std::decay_t<decltype(values)>::value_type;
    writer.add(name, stored_type<value>(), {values.size()}, values.data());
  });
  writer.write(path);
}

}  // namespace detail

/// As tokenize, kept in `folder` (made when missing; empty: not kept) as <name>-<key>.safetensors. A cached file that
/// is damaged or belongs to other data is replaced; one that cannot be written is done without; `log` is told.
inline token_dataset tokenize_cached(const std::string& folder, const std::string& name, const wordpiece& tokenizer,
                                     const labeled_examples& examples, index_t max_length, const executor& workers,
                                     const log_sink& log = {}) {
  if (folder.empty()) return tokenize(tokenizer, examples, max_length, workers);
  const std::string key = detail::dataset_key(tokenizer, examples, max_length);
  const std::string path = folder + "/" + name + "-" + key + ".safetensors";
  if (std::filesystem::exists(path)) {
    try {
      return detail::read_cached(path, key);
    } catch (const file_error& e) {
      tell(log, std::string(e.what()) + "; tokenizing again");
    }
  }
  token_dataset dataset = tokenize(tokenizer, examples, max_length, workers);
  try {
    std::error_code ignored;  // a folder that cannot be made shows when the file is written
    std::filesystem::create_directories(folder, ignored);
    detail::write_cached(path, key, dataset);
  } catch (const file_error& e) {
    tell(log, std::string("the tokenized data is not kept: ") + e.what());
  }
  return dataset;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
