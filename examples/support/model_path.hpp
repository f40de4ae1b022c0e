// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace inhibitor::examples {

/// A model folder for one task and seed: `pattern` with {task} and {seed} replaced, so that one option names the models
/// of a whole job, as in "runs/glue/{task}/seed-{seed}/E1". Without slashes at the end.
inline std::string model_path(std::string pattern, const std::string& task, std::uint64_t seed) {
  const auto replace = [&](const std::string& what, const std::string& by) {
    for (std::size_t at = pattern.find(what); at != std::string::npos; at = pattern.find(what, at + by.size())) {
      pattern.replace(at, what.size(), by);
    }
  };
  replace("{task}", task);
  replace("{seed}", std::to_string(seed));
  while (pattern.size() > 1 && pattern.back() == '/') pattern.pop_back();
  return pattern;
}

}  // namespace inhibitor::examples
