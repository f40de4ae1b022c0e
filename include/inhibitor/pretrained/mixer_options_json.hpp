// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "inhibitor/nn/mixer.hpp"
#include "inhibitor/pretrained/config_reader.hpp"

// The options of the mixers as keys of config.json. A mixer names its own (Mixer::visit_options).

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Reads them.
struct mixer_option_reader {
  const config_reader& reader;

  template <class Enum>
  void choice(const char* key, Enum& value, const std::vector<std::string>& names) const {
    const nlohmann::json* found = reader.find(key);
    if (found != nullptr) value = static_cast<Enum>(reader.choice(key, *found, names));
  }
  void flag(const char* key, bool& value) const { value = reader.flag(key, value); }
  void rare_flag(const char* key, bool& value) const { flag(key, value); }
};

/// Writes them.
struct mixer_option_writer {
  nlohmann::json& document;

  template <class Enum>
  void choice(const char* key, Enum value, const std::vector<std::string>& names) const {
    document[key] = names.at(static_cast<std::size_t>(value));
  }
  void flag(const char* key, bool value) const { document[key] = value; }
  void rare_flag(const char* key, bool value) const {
    if (value) flag(key, value);
  }
};

/// Removes their keys.
struct mixer_option_eraser {
  nlohmann::json& document;

  template <class Enum>
  void choice(const char* key, Enum, const std::vector<std::string>&) const {
    document.erase(key);
  }
  void flag(const char* key, bool) const { document.erase(key); }
  void rare_flag(const char* key, bool) const { document.erase(key); }
};

/// Calls visit_options of the mixers whose name `wanted` accepts.
template <class Options, class Visitor, class Wanted>
void visit_mixer_options(Options& options, Visitor&& f, Wanted&& wanted) {
  for_each_alternative<mixer_registry<float>>([&](auto* m) {
    using mixer_type = std::remove_pointer_t<decltype(m)>;
    if (wanted(std::string(mixer_type::name))) mixer_type::visit_options(options, f);
  });
}

/// The mixers of `layers` layers as the value of a key: one name where all have the same, a list where not, and null, for
/// no key at all, where all are the first of mixer_names(), which other libraries take for granted.
inline nlohmann::json layer_mixers_json(const std::vector<std::string>& names, index_t layers) {
  const auto is_plain = [](const std::string& name) { return name == mixer_names().front(); };
  if (std::all_of(names.begin(), names.end(), is_plain)) return nullptr;
  if (std::count(names.begin(), names.end(), names.front()) == layers) return names.front();
  return names;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
