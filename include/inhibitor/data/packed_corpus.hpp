// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/base/executor.hpp"
#include "inhibitor/base/log_sink.hpp"
#include "inhibitor/data/corpus_text.hpp"
#include "inhibitor/data/duplicates.hpp"
#include "inhibitor/data/tokenizer_hash.hpp"
#include "inhibitor/io/json_file.hpp"
#include "inhibitor/io/safetensors.hpp"

// A tokenized corpus on disk: made once, then mapped, two bytes per token. A file is one safetensors file named after a
// hash of everything that it depends on (texts, vocabulary, rules), with
//
//   "tokens"         U16 (n): documents one after the other, each followed by [SEP]; first those to train on
//   "document_ends"  I64 (d): where each document ends, its [SEP] included
//   metadata         "key", "vocabulary" (hash of the tokenizer), "report" (JSON, corpus_report) and "checksum"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What was found in a corpus. Counts of documents, lines and tokens are those of the files; the packed corpus holds
/// fewer where documents were left out.
struct corpus_report {
  index_t documents = 0, lines = 0, tokens = 0;
  index_t unknown_tokens = 0;    ///< [UNK]
  index_t exact_duplicates = 0;  ///< documents whose tokens are those of an earlier one
  index_t near_duplicates = 0;   ///< documents that share most of their text with an earlier one
  index_t repeated_lines = 0;    ///< lines of eight tokens and more that have been there before
  index_t held_out_documents = 0;
  index_t training_tokens = 0, held_out_tokens = 0;  ///< of the packed corpus, each [SEP] included

  /// f(name, member) for all.
  template <class Visitor>
  void visit(Visitor&& f) {
    f("documents", documents);
    f("lines", lines);
    f("tokens", tokens);
    f("unknown_tokens", unknown_tokens);
    f("exact_duplicates", exact_duplicates);
    f("near_duplicates", near_duplicates);
    f("repeated_lines", repeated_lines);
    f("held_out_documents", held_out_documents);
    f("training_tokens", training_tokens);
    f("held_out_tokens", held_out_tokens);
  }
};

inline nlohmann::json to_json(corpus_report r) {
  nlohmann::json out;
  r.visit([&](const char* name, index_t value) { out[name] = value; });
  return out;
}

/// What a corpus is made of.
struct corpus_source {
  std::vector<std::string> files;
  std::vector<std::string> held_out;  ///< files that are not trained on
  index_t held_out_every = 200;       ///< without such files: one document in so many is not trained on
  bool keeps_duplicates = false;      ///< false: documents that repeat earlier ones are left out
};

/// Tokens in the order in which they stand in the file. Neither array is owned.
struct token_stream {
  const std::uint16_t* tokens = nullptr;
  index_t size = 0;
};

/// A tokenized corpus, mapped.
class packed_corpus {
 public:
  /// Throws file_error for a file that is damaged or was not made for `key`.
  packed_corpus(const std::string& path, const std::string& key) : file_(safetensors_file::map(path)) {
    if (field("key") != key) throw file_error(path, "was made from other texts or with another vocabulary");
    const tensor_info *tokens = file_.find("tokens"), *ends = file_.find("document_ends");
    if (tokens == nullptr || ends == nullptr || tokens->type != dtype::u16 || ends->type != dtype::i64) {
      throw file_error(path, "is no packed corpus");
    }
    tokens_ = reinterpret_cast<const std::uint16_t*>(file_.data(*tokens));
    ends_ = reinterpret_cast<const std::int64_t*>(file_.data(*ends));
    size_ = static_cast<index_t>(tokens->elements());
    documents_ = static_cast<index_t>(ends->elements());
    if (field("checksum") != checksum(tokens_, size_, ends_, documents_, field("report"))) {
      throw file_error(path, "is damaged: its content does not have its checksum");
    }
    const nlohmann::json report = parse_json(field("report"), path);
    report_.visit([&](const char* name, index_t& value) {
      const auto found = report.find(name);
      if (found != report.end() && found->is_number_unsigned()) value = *found;
      if (found == report.end() || !found->is_number_unsigned() || value < 0)
        throw file_error(path, std::string("its report has no number of ") + name);
    });
    bool is_whole = report_.training_tokens <= size_ && report_.held_out_tokens == size_ - report_.training_tokens;
    std::int64_t end = 0;
    for (index_t d = 0; d < documents_; ++d) {
      is_whole = is_whole && ends_[d] > end;
      end = ends_[d];
    }
    if (!is_whole || end != size_) throw file_error(path, "is damaged: its documents do not add up to its tokens");
  }

  const corpus_report& report() const { return report_; }
  /// Hash of everything that the corpus was made from.
  std::string key() const { return field("key"); }
  std::string vocabulary_hash() const { return field("vocabulary"); }
  token_stream training() const { return {tokens_, report_.training_tokens}; }
  token_stream held_out() const { return {tokens_ + report_.training_tokens, report_.held_out_tokens}; }
  index_t documents() const { return documents_; }
  /// Tokens of document `d`, those to train on first, its [SEP] included.
  token_stream document(index_t d) const {
    const index_t begin = d == 0 ? 0 : static_cast<index_t>(ends_[d - 1]);
    return {tokens_ + begin, static_cast<index_t>(ends_[d]) - begin};
  }

  static std::string checksum(const std::uint16_t* tokens, index_t size, const std::int64_t* ends, index_t documents,
                              const std::string& report) {
    content_hash hash;
    hash.add_values(tokens, static_cast<std::size_t>(size));
    hash.add_values(ends, static_cast<std::size_t>(documents));
    hash.add(report);
    return hash.text();
  }

 private:
  std::string field(const char* name) const {
    const auto found = file_.metadata().find(name);
    return found == file_.metadata().end() ? std::string() : found->second;
  }

  safetensors_file file_;
  const std::uint16_t* tokens_ = nullptr;
  const std::int64_t* ends_ = nullptr;
  index_t size_ = 0, documents_ = 0;
  corpus_report report_;
};

namespace detail {

/// A document as tokens, with the lengths of its lines.
struct tokenized_document {
  std::vector<std::uint16_t> tokens;
  std::vector<std::uint32_t> line_lengths;
};

inline std::vector<tokenized_document> tokenize_documents(const std::vector<corpus_document>& documents,
                                                          const wordpiece& tokenizer, const executor& workers) {
  std::vector<tokenized_document> out(documents.size());
  workers.for_each(static_cast<index_t>(documents.size()), [&](index_t item, index_t) {
    tokenized_document& to = out[static_cast<std::size_t>(item)];
    for (const std::string_view line : documents[static_cast<std::size_t>(item)]) {
      const std::vector<std::int32_t> ids = tokenizer.tokenize(line);
      for (const std::int32_t id : ids) to.tokens.push_back(static_cast<std::uint16_t>(id));
      to.line_lengths.push_back(static_cast<std::uint32_t>(ids.size()));
    }
  });
  return out;
}

/// Collects documents and writes the file.
class corpus_packer {
 public:
  corpus_packer(const corpus_source& source, const wordpiece& tokenizer) : source_(source), tokenizer_(tokenizer) {}

  void add(const std::vector<tokenized_document>& documents, bool is_held_out_file) {
    for (const tokenized_document& d : documents) {
      if (d.tokens.empty()) continue;
      const bool splits = source_.held_out.empty() && source_.held_out_every > 0;
      const bool is_held_out =
          is_held_out_file || (splits && report_.documents % source_.held_out_every == source_.held_out_every - 1);
      count(d);
      const repetition kind = finder_.add(d.tokens);
      report_.exact_duplicates += kind == repetition::exact ? 1 : 0;
      report_.near_duplicates += kind == repetition::near ? 1 : 0;
      if (kind != repetition::none && !source_.keeps_duplicates) continue;
      part& to = is_held_out ? held_out_ : training_;
      to.tokens.insert(to.tokens.end(), d.tokens.begin(), d.tokens.end());
      to.tokens.push_back(static_cast<std::uint16_t>(tokenizer_.sep_id()));
      to.ends.push_back(static_cast<std::int64_t>(to.tokens.size()));
    }
  }

  void write(const std::string& path, const std::string& key) {
    report_.held_out_documents = static_cast<index_t>(held_out_.ends.size());
    report_.training_tokens = static_cast<index_t>(training_.tokens.size());
    report_.held_out_tokens = static_cast<index_t>(held_out_.tokens.size());
    training_.tokens.insert(training_.tokens.end(), held_out_.tokens.begin(), held_out_.tokens.end());
    for (const std::int64_t end : held_out_.ends) training_.ends.push_back(end + report_.training_tokens);
    const std::string report = to_json(report_).dump();
    content_hash vocabulary;
    add_tokenizer(vocabulary, tokenizer_);
    safetensors_writer writer;
    writer.metadata("key", key);
    writer.metadata("vocabulary", vocabulary.text());
    writer.metadata("report", report);
    writer.metadata("checksum", packed_corpus::checksum(
                                    training_.tokens.data(), static_cast<index_t>(training_.tokens.size()),
                                    training_.ends.data(), static_cast<index_t>(training_.ends.size()), report));
    writer.add("tokens", dtype::u16, {training_.tokens.size()}, training_.tokens.data());
    writer.add("document_ends", dtype::i64, {training_.ends.size()}, training_.ends.data());
    writer.write(path);
  }

 private:
  struct part {
    std::vector<std::uint16_t> tokens;
    std::vector<std::int64_t> ends;
  };

  void count(const tokenized_document& d) {
    ++report_.documents;
    report_.lines += static_cast<index_t>(d.line_lengths.size());
    report_.tokens += static_cast<index_t>(d.tokens.size());
    report_.unknown_tokens += static_cast<index_t>(
        std::count(d.tokens.begin(), d.tokens.end(), static_cast<std::uint16_t>(tokenizer_.unk_id())));
    const std::uint16_t* line = d.tokens.data();
    for (const std::uint32_t length : d.line_lengths) {
      report_.repeated_lines += finder_.add_line(line, length) ? 1 : 0;
      line += length;
    }
  }

  const corpus_source& source_;
  const wordpiece& tokenizer_;
  duplicate_finder finder_;
  corpus_report report_;
  part training_, held_out_;
};

/// Everything that a packed corpus depends on.
inline std::string corpus_key(const corpus_source& source, const wordpiece& tokenizer) {
  constexpr std::uint64_t format = 1;
  content_hash hash;
  hash.add_number(format);
  add_tokenizer(hash, tokenizer);
  for (const auto* files : {&source.files, &source.held_out}) {
    hash.add_number(files->size());
    for (const std::string& file : *files) hash.add(read_file(file));
  }
  hash.add_number(source.held_out.empty() ? static_cast<std::uint64_t>(source.held_out_every) : 0);
  hash.add_number(source.keeps_duplicates ? 1 : 0);
  return hash.text();
}

}  // namespace detail

/// The corpus of `source` as tokens, kept in `folder` (made when missing) as corpus-<key>.safetensors and made anew
/// when it is not there or damaged. Files that are held out come first, so that what repeats them is not trained on.
/// Throws file_error for what cannot be read or is no text, and std::invalid_argument for a vocabulary of more than
/// 65,536 tokens. `log` is told what is done.
inline packed_corpus pack_corpus(const std::string& folder, const corpus_source& source, const wordpiece& tokenizer,
                                 const executor& workers, const log_sink& log = {}) {
  check(tokenizer.size() <= 65536, [&] {
    return "the vocabulary has " + std::to_string(tokenizer.size()) +
           " tokens; a packed corpus stores two bytes per token, so expected at most 65536";
  });
  const std::string key = detail::corpus_key(source, tokenizer);
  const std::string path = folder + "/corpus-" + key + ".safetensors";
  if (std::filesystem::exists(path)) {
    try {
      return packed_corpus(path, key);
    } catch (const file_error& e) {
      tell(log, std::string(e.what()) + "; tokenizing again");
    }
  }
  detail::corpus_packer packer(source, tokenizer);
  const auto add_files = [&](const std::vector<std::string>& files, bool is_held_out) {
    for (const std::string& file : files) {
      const std::string text = read_text_file(file);
      packer.add(detail::tokenize_documents(cut_documents(file, text, log), tokenizer, workers), is_held_out);
      tell(log, "tokenized " + file);
    }
  };
  add_files(source.held_out, true);
  add_files(source.files, false);
  std::filesystem::create_directories(folder);
  packer.write(path, key);
  return packed_corpus(path, key);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
