// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/io/safetensors_header.hpp"
#include "inhibitor/io/tensor_text.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// How the tensors of a checkpoint and those of a model fit together.
struct load_report {
  struct mismatch {
    std::string name;
    std::vector<std::uint64_t> stored, expected;  ///< shapes
  };
  std::vector<std::string> missing;     ///< in the model but not in the checkpoint: newly initialized
  std::vector<std::string> unexpected;  ///< in the checkpoint but not in the model: unused
  std::vector<mismatch> mismatched;     ///< of different shape: newly initialized

  bool is_complete() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }

  /// One line per tensor, for people; empty when all fits.
  std::string text() const {
    std::string out;
    for (const std::string& name : missing) out += "missing, newly initialized: " + name + "\n";
    for (const std::string& name : unexpected) out += "unexpected, not used: " + name + "\n";
    for (const mismatch& m : mismatched) out += "mismatched, newly initialized: " + describe(m) + "\n";
    return out;
  }

  /// Throws file_error with the first few tensors of each list unless everything fits. `file` names the checkpoint.
  void require_complete(const std::string& file) const {
    if (is_complete()) return;
    const auto strings = [](const std::string& name) { return name; };
    std::string problem = "does not fit the model its configuration describes";
    append(problem, "shape mismatch", mismatched, describe);
    append(problem, "missing", missing, strings);
    append(problem, "unexpected", unexpected, strings);
    throw file_error(file, problem);
  }

 private:
  static std::string describe(const mismatch& m) {
    return m.name + " has shape " + shape_text(m.stored) + ", expected " + shape_text(m.expected);
  }
  template <class List, class Describe>
  static void append(std::string& out, const char* title, const List& list, Describe&& describe_one) {
    if (list.empty()) return;
    constexpr std::size_t most = 3;
    out += std::string("; ") + title + ": ";
    for (std::size_t i = 0; i < std::min(list.size(), most); ++i) out += (i == 0 ? "" : ", ") + describe_one(list[i]);
    if (list.size() > most) out += " and " + std::to_string(list.size() - most) + " more";
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
