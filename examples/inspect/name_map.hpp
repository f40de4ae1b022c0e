// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/json_file.hpp"

namespace inhibitor::examples {

/// Which tensor of one file stands for which of another: a JSON object of names, {"hidden_states.*":
/// "a.hidden_states.*"}. One '*' on each side stands for the same text. Names without an entry stand for themselves;
/// exact entries win over patterns, and earlier patterns (in the order of their text) over later ones.
class name_map {
 public:
  name_map() = default;

  /// Throws file_error unless the file is an object of strings with at most one '*' each, as many on both sides.
  static name_map read(const std::string& path) {
    const nlohmann::json document = read_json_file(path);
    if (!document.is_object()) throw file_error(path, "is not a JSON object {\"name in A\": \"name in B\", ...}");
    name_map map;
    for (const auto& [from, to] : document.items()) {
      if (!to.is_string()) throw file_error(path, "the entry of \"" + from + "\" is not a string");
      const auto& target = to.get_ref<const std::string&>();
      if (stars(from) > 1 || stars(from) != stars(target)) {
        throw file_error(path, "\"" + from + "\": \"" + target + "\" needs at most one *, on both sides or none");
      }
      map.entries_.push_back({from, target});
    }
    return map;
  }

  /// The other file's name for `name`.
  std::string operator()(const std::string& name) const {
    for (const auto& [from, to] : entries_) {
      if (from == name) return to;
    }
    for (const auto& [from, to] : entries_) {
      const std::size_t star = from.find('*');
      if (star == std::string::npos || name.size() + 1 < from.size()) continue;
      const std::size_t tail = from.size() - star - 1;
      if (name.compare(0, star, from, 0, star) != 0) continue;
      if (name.compare(name.size() - tail, tail, from, star + 1, tail) != 0) continue;
      std::string out = to;
      return out.replace(out.find('*'), 1, name, star, name.size() - star - tail);
    }
    return name;
  }

  /// Names without a pattern that entries speak of, (in A, in B).
  std::vector<std::pair<std::string, std::string>> exact_names() const {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& entry : entries_) {
      if (stars(entry.first) == 0) out.push_back(entry);
    }
    return out;
  }

 private:
  static std::ptrdiff_t stars(const std::string& text) { return std::count(text.begin(), text.end(), '*'); }

  std::vector<std::pair<std::string, std::string>> entries_;
};

}  // namespace inhibitor::examples
