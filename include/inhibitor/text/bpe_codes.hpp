// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/base/trim.hpp"
#include "inhibitor/text/unicode.hpp"

// The merges of byte-pair encoding (Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with
// Subword Units") and the file that subword-nmt keeps them in: a header "#version: 0.2", then a line "left right" per
// merge, in the order in which they were learned.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Marks the end of a word in the units of merges.
inline constexpr std::string_view bpe_word_end = "</w>";

/// How the end of a word is written.
enum class bpe_version {
  v0_1,  ///< a unit of its own behind the last character; files without header
  v0_2   ///< part of the last character
};

struct bpe_codes {
  bpe_version version = bpe_version::v0_2;
  std::vector<std::pair<std::string, std::string>> merges;  ///< left and right unit, the most important first
};

namespace detail {

constexpr std::string_view bpe_blanks = " \r\n";

/// The version a header line names: 0.1 or 0.2, with any number of further ".0".
inline bpe_version parse_bpe_version(const std::string& name, std::string_view header) {
  std::string_view number = trim(header.substr(header.find(':') + 1), bpe_blanks);
  while (number.size() > 2 && number.substr(number.size() - 2) == ".0") number.remove_suffix(2);
  if (number == "0.1") return bpe_version::v0_1;
  if (number == "0.2") return bpe_version::v0_2;
  throw file_error(name, 1,
                   "\"" + std::string(trim(header, bpe_blanks)) +
                       "\" is a kind of merges that is not understood; expected version 0.1 or 0.2 on characters");
}

}  // namespace detail

/// Reads the content of a codes file; `name` stands for the file in messages. Blanks at the ends of a line are ignored,
/// and so are line ends at the end of the file. Throws file_error, with the line, for anything but two units separated
/// by one blank, for invalid UTF-8, an unknown version and an empty file. Allocates.
inline bpe_codes parse_bpe_codes(const std::string& name, std::string_view content) {
  if (content.empty()) throw file_error(name, "is empty; expected merges, one per line");
  bpe_codes codes;
  codes.version = bpe_version::v0_1;
  while (!content.empty() && content.back() == '\n') content.remove_suffix(1);
  index_t line_number = 0;
  for (std::size_t begin = 0; begin <= content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    const std::string_view line = content.substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    const index_t invalid = unicode::find_invalid_utf8(line);
    if (invalid >= 0) {
      throw file_error(name, line_number, "byte " + std::to_string(invalid) + " of the line is not valid UTF-8");
    }
    if (line_number == 1 && line.substr(0, 9) == "#version:") {
      codes.version = detail::parse_bpe_version(name, line);
      continue;
    }
    const std::string_view merge = trim(line, detail::bpe_blanks);
    const std::size_t blank = merge.find(' ');
    if (blank == std::string_view::npos || merge.find(' ', blank + 1) != std::string_view::npos) {
      throw file_error(
          name, line_number,
          "\"" + std::string(merge.substr(0, 80)) + "\" is no merge; expected two units separated by one blank");
    }
    codes.merges.emplace_back(merge.substr(0, blank), merge.substr(blank + 1));
  }
  return codes;
}

/// Reads a codes file. Throws file_error (parse_bpe_codes, or when it cannot be read). Allocates.
inline bpe_codes read_bpe_codes(const std::string& file) { return parse_bpe_codes(file, read_file(file)); }

/// The content of a codes file, byte for byte what subword-nmt writes for these merges (version 0.1: without header).
inline std::string bpe_codes_text(const bpe_codes& codes) {
  std::string text = codes.version == bpe_version::v0_2 ? "#version: 0.2\n" : "";
  for (const auto& [left, right] : codes.merges) text.append(left).append(" ").append(right).append("\n");
  return text;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
