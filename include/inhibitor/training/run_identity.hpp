// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "inhibitor/base/check.hpp"
#include "inhibitor/data/fingerprint.hpp"

// Which run something on disk belongs to: an interrupted run goes on only with the settings and the data it began with.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What must not change between a run and its resumption.
struct run_identity {
  nlohmann::json settings = nlohmann::json::object();  ///< every option that changes numbers, by name
  input_fingerprints inputs;                           ///< content of every file that is read
};

inline nlohmann::json to_json(const run_identity& r) { return {{"settings", r.settings}, {"inputs", r.inputs}}; }

/// Throws nlohmann::json exceptions.
inline run_identity run_identity_from(const nlohmann::json& j) {
  return {j.at("settings"), j.at("inputs").get<input_fingerprints>()};
}

/// The settings that differ, each with both values, as "epochs: 3, now 5; seed: 1, now 2"; empty when they agree.
inline std::string differing_settings(const nlohmann::json& then, const nlohmann::json& now) {
  nlohmann::json names = now;
  names.update(then);
  std::string text;
  for (const auto& item : names.items()) {
    const auto value = [&](const nlohmann::json& from) {
      return from.contains(item.key()) ? from.at(item.key()).dump() : std::string("not set");
    };
    const std::string before = value(then), after = value(now);
    if (before != after) text += (text.empty() ? "" : "; ") + item.key() + ": " + before + ", now " + after;
  }
  return text;
}

/// Throws std::invalid_argument unless `then`, found in `file`, and `now` are the same run; the message names the
/// settings that differ with both values.
inline void check_same_settings(const std::string& file, const run_identity& then, const run_identity& now) {
  const std::string difference = differing_settings(then.settings, now.settings);
  check(difference.empty(), [&] { return file + ": made with other settings (" + difference + ")"; });
}

/// As above for settings and data; the message names the first file whose content has changed.
inline void check_same_run(const std::string& file, const run_identity& then, const run_identity& now) {
  check_same_settings(file, then, now);
  const std::string changed = changed_input(then.inputs, now.inputs);
  check(changed.empty(), [&] {
    return file + ": made with other data: the content of " + changed +
           " has changed since; put the old data back, or start again with another output folder";
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
