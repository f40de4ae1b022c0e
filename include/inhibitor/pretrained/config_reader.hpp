// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "inhibitor/base/config.hpp"
#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Typed access to the keys of one document. A null counts as absent, as in the tools that write such files.
class config_reader {
 public:
  config_reader(const nlohmann::json& document, const std::string& file) : document_(document), file_(file) {}

  [[noreturn]] void fail(const std::string& problem) const { throw file_error(file_, problem); }
  [[noreturn]] void fail_key(const std::string& key, const nlohmann::json& found, const std::string& expected) const {
    std::string text = found.dump(-1, ' ', true);
    if (text.size() > 60) text = text.substr(0, 60) + "...";
    fail("key '" + key + "' is " + text + "; expected " + expected);
  }

  const nlohmann::json* find(const std::string& key) const {
    const auto found = document_.find(key);
    return found == document_.end() || found->is_null() ? nullptr : &*found;
  }

  /// An integer in [0, most] under `key` or its alias ("" for none).
  index_t integer(const std::string& key, const std::string& alias, index_t fallback, index_t most) const {
    const nlohmann::json* value = find(key);
    const nlohmann::json* other = alias.empty() ? nullptr : find(alias);
    if (value != nullptr && other != nullptr && *value != *other) fail_key(alias, *other, "the same as " + key);
    const std::string& used = value != nullptr ? key : alias;
    if (value == nullptr) value = other;
    if (value == nullptr) return fallback;
    const bool is_in_range = value->is_number_unsigned()
                                 ? value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                                 : value->is_number_integer() && *value >= 0 && *value <= most;
    if (!is_in_range) {
      fail_key(used, *value, "an integer from 0 to " + std::to_string(most));
    }
    return value->get<index_t>();
  }
  double number(const std::string& key, double fallback) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_number()) fail_key(key, *value, "a number");
    return value->get<double>();
  }
  bool flag(const std::string& key, bool fallback) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) fail_key(key, *value, "true or false");
    return value->get<bool>();
  }
  /// A string among `allowed`; returns its position.
  std::size_t choice(const std::string& key, const nlohmann::json& value,
                     const std::vector<std::string>& allowed) const {
    std::string expected;
    std::size_t position = 0;
    for (const std::string& option : allowed) {
      if (value.is_string() && value.get_ref<const std::string&>() == option) return position;
      expected += std::string(position++ == 0 ? "\"" : " or \"") + option + "\"";
    }
    fail_key(key, value, expected);
  }

 private:
  const nlohmann::json& document_;
  const std::string& file_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
