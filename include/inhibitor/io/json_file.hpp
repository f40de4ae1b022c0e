// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/base/read_file.hpp"
#include "inhibitor/io/atomic_file.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Parses JSON text that came from `file` (used in messages only). Throws file_error with the line of a syntax error,
/// and when the nesting is deeper than 128 (printing such a document again would exhaust the stack).
inline nlohmann::json parse_json(const std::string& text, const std::string& file) {
  const auto limit_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > 128) throw file_error(file, "nests deeper than 128 levels");
    return true;
  };
  try {
    return nlohmann::json::parse(text, limit_depth);
  } catch (const nlohmann::json::parse_error& error) {
    if (const std::string kind = foreign_content(text); !kind.empty()) throw file_error(file, kind);
    const std::size_t end = std::min(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    throw file_error(file, static_cast<index_t>(line), "is not valid JSON here");
  } catch (const nlohmann::json::exception&) {
    throw file_error(file, "holds a number that no double can represent");
  }
}

/// Reads and parses a JSON file. Throws file_error.
inline nlohmann::json read_json_file(const std::string& path) { return parse_json(read_file(path), path); }

/// Writes `value` to `path` with an indent of 2 and sorted keys, as Hugging Face tools do, whole or not at all.
/// Throws file_error, also when a string is no UTF-8.
inline void write_json_file(const std::string& path, const nlohmann::json& value) {
  std::string text;
  try {
    text = value.dump(2) + "\n";
  } catch (const nlohmann::json::exception&) {
    throw file_error(path, "cannot be written: a string in it is not valid UTF-8");
  }
  write_file_atomically(path, text);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
