// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/log_sink.hpp"
#include "inhibitor/base/trim.hpp"
#include "inhibitor/data/table_file.hpp"
#include "inhibitor/text/normal_form.hpp"
#include "inhibitor/text/unicode.hpp"

// Running text to pretrain on: plain files or .gz, one document per block of lines, blank lines between documents.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Lines of a corpus may have so many bytes; more is no text, or text whose line ends were lost.
constexpr std::size_t longest_corpus_line = 1'000'000;

/// The files that `paths` stand for: a file itself, of a folder every .txt and .txt.gz directly in it, by name. Throws
/// file_error for what does not exist and for a folder without any.
inline std::vector<std::string> corpus_files(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      if (!fs::exists(path)) throw file_error(path, "does not exist; expected a text file or a folder of them");
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().string();
      if (entry.is_regular_file() && (ends_with(name, ".txt") || ends_with(name, ".txt.gz"))) inside.push_back(name);
    }
    if (inside.empty()) throw file_error(path, "holds no .txt or .txt.gz file");
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  check(!files.empty(), "a corpus needs at least one file");
  return files;
}

/// A document: its lines that are not blank, views into the text it was cut from.
using corpus_document = std::vector<std::string_view>;

namespace detail {

/// Throws file_error for a line that is no text.
inline void check_corpus_line(const std::string& file, index_t number, std::string_view line) {
  if (line.size() > longest_corpus_line) {
    throw file_error(file, number,
                     "the line has " + std::to_string(line.size()) + " bytes; expected text in lines of at most " +
                         std::to_string(longest_corpus_line));
  }
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 || c == '\t' || c == '\f' || c == '\v' || c == '\r') continue;
    throw file_error(file, number, "holds the byte " + std::to_string(byte) + "; expected text, this is binary data");
  }
  const index_t bad = unicode::find_invalid_utf8(line);
  if (bad >= 0) {
    throw file_error(file, number, "is not valid UTF-8 at byte " + std::to_string(bad + 1) + " of the line");
  }
}

}  // namespace detail

/// Cuts `text`, of `file`, into documents; blocks that are blank are none. Throws file_error with the line for what is
/// no UTF-8 text, and for a file without a document. `log` is told of the first line that is not in normal form C: its
/// words would be split otherwise than those of other texts.
inline std::vector<corpus_document> cut_documents(const std::string& file, std::string_view text,
                                                  const log_sink& log = {}) {
  std::vector<corpus_document> documents;
  index_t number = 0;
  bool is_inside = false, is_told = false;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end), " \t\r\f\v");
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) {
      is_inside = false;
      continue;
    }
    detail::check_corpus_line(file, number, line);
    if (!is_told && !is_normal_form_c(line)) {
      tell(log, file + ":" + std::to_string(number) +
                    ": warning: the text is not in Unicode's normal form C; its accented words may be split otherwise "
                    "than in other texts (uconv -x nfc brings it there)");
      is_told = true;
    }
    if (!is_inside) documents.emplace_back();
    is_inside = true;
    documents.back().push_back(line);
  }
  if (documents.empty()) throw file_error(file, "holds no text");
  return documents;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
