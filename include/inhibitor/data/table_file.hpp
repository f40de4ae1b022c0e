// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/base/read_file.hpp"
#include "inhibitor/data/csv.hpp"
#include "inhibitor/data/json_rows.hpp"
#include "inhibitor/data/tsv.hpp"
#include "inhibitor/io/gzip.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Endings of the files read_table understands, best first.
inline constexpr std::array<std::string_view, 8> table_file_endings{".tsv",   ".tsv.gz",   ".csv",  ".csv.gz",
                                                                    ".jsonl", ".jsonl.gz", ".json", ".json.gz"};

namespace detail {
inline bool has_ending(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}
}  // namespace detail

/// The content of a text file, unpacked when its name ends in .gz. Throws file_error.
inline std::string read_text_file(const std::string& path) {
  std::string content = read_file(path);
  if (!detail::has_ending(path, ".gz")) return content;
  if (!is_gzip(content)) throw file_error(path, "is no gzip file, whatever its name says");
  return gunzip(path, content);
}

/// Reads a data file in the format its name says: .csv, .json or .jsonl, anything else as tab-separated; each also with
/// .gz. Throws file_error. Allocates.
inline text_table read_table(const std::string& path) {
  std::string content = read_text_file(path);
  std::string_view name = path;
  if (detail::has_ending(name, ".gz")) name.remove_suffix(3);
  if (detail::has_ending(name, ".csv")) return read_csv(path, content);
  if (detail::has_ending(name, ".json") || detail::has_ending(name, ".jsonl")) return read_json_rows(path, content);
  return read_tsv(path, std::move(content));
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
