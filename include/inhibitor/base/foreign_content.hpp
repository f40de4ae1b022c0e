// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "inhibitor/base/file_error.hpp"

// Files that are not what their name says, recognized by their first bytes so that messages can name them.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What a file that begins with `start` is, as the end of a message, when that is something people meet in place of a
/// model, a vocabulary or a table: a Git LFS pointer, an HTML page, UTF-16 or UTF-32 text, gzip data, a zip archive, a
/// Parquet file. Empty for anything else. Eight bytes are enough to tell. Does not throw but for lack of memory.
inline std::string foreign_content(std::string_view start) {
  using namespace std::string_view_literals;
  constexpr std::string_view pointer = "version https://git-lfs."sv;
  if (start.size() >= 8 && start.substr(0, pointer.size()) == pointer.substr(0, start.size())) {
    return "is a Git LFS pointer, which stands for the file; expected the file itself (git lfs pull fetches it)";
  }
  if (start.substr(0, 4) == "\xFF\xFE\0\0"sv || start.substr(0, 4) == "\0\0\xFE\xFF"sv) {
    return "is UTF-32 text; expected UTF-8";
  }
  if (start.substr(0, 2) == "\xFF\xFE"sv || start.substr(0, 2) == "\xFE\xFF"sv) {
    return "is UTF-16 text; expected UTF-8";
  }
  if (start.substr(0, 2) == "\x1F\x8B"sv) return "is gzip data; expected a name that ends in .gz, or unpacked content";
  if (start.substr(0, 4) == "PK\x03\x04"sv) {
    return "is a zip archive, as spreadsheets and pickled PyTorch models are; it is not read";
  }
  if (start.substr(0, 4) == "PAR1"sv) return "is a Parquet file; it is not read";
  if (start.substr(0, 3) == "\xEF\xBB\xBF"sv) start.remove_prefix(3);
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  std::string letters(start.substr(0, 16));
  std::transform(letters.begin(), letters.end(), letters.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (letters.substr(0, 5) == "<html" || letters.substr(0, 5) == "<!doc") {
    return "is an HTML page, as a download gives that went wrong; expected the file itself";
  }
  return "";
}

/// Throws file_error when `content`, of the text file `path`, is foreign (see above) or has the line ends of old Macs,
/// CR alone.
inline void refuse_foreign_text(const std::string& path, std::string_view content) {
  const std::string kind = foreign_content(content);
  if (!kind.empty()) throw file_error(path, kind);
  if (content.empty()) return;
  const std::size_t cr = content.find('\r');
  if (cr < content.size() - 1 && content.find('\n') == std::string_view::npos) {
    throw file_error(path, "ends its lines with CR alone; expected LF, or CR and LF");
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
