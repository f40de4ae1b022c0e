// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "inhibitor/base/alternatives.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/models/bert/heads/masked_lm.hpp"
#include "inhibitor/models/bert/heads/sequence_classification.hpp"

// What a model can carry on top of its encoder. A head is a class of tensors in a file of models/bert/heads/ with a
// name, a constructor from encoder_config, visit, forward and backward, and an entry here.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// All heads, in the order in which a model has them. A new one is an entry here.
template <class T>
using bert_head = std::variant<sequence_classification_head<T>, masked_lm_head<T>>;

/// Which heads a model has, by name, in any order.
using head_names = std::vector<std::string>;

/// Whether `names` has the head `Head`, as in has_head<masked_lm_head>(names).
template <template <class> class Head>
bool has_head(const head_names& names) {
  return std::find(names.begin(), names.end(), Head<float>::name) != names.end();
}

/// The heads of these names, in the order of the registry. Throws std::invalid_argument for a name of none.
template <class T>
std::vector<bert_head<T>> make_heads(const head_names& names, const encoder_config& c) {
  std::vector<bert_head<T>> heads;
  std::string known;
  for_each_alternative<bert_head<T>>([&](auto* h) {
    using head = std::remove_pointer_t<decltype(h)>;
    known += (known.empty() ? "" : ", ") + std::string(head::name);
    if (std::find(names.begin(), names.end(), head::name) != names.end()) heads.emplace_back(head(c));
  });
  for (const std::string& name : names) {
    check(known.find(name) != std::string::npos,
          [&] { return "there is no head \"" + name + "\"; the heads are " + known; });
  }
  return heads;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
