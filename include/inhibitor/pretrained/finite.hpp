// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/tensor_names.hpp"

// A model that diverged in training, or whose file is damaged, holds numbers that are not finite; every answer it gives
// is one of them, or hides one.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Position of the first of `count` numbers that is NaN or infinite, or -1. Does not throw.
template <class T>
index_t find_non_finite(const T* values, index_t count) {
  for (index_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return i;
  }
  return -1;
}

/// Throws file_error, with the tensor, the position in it and the number, when a parameter of `model`, read from
/// `folder`, is not finite.
template <class T>
void require_finite(const encoder_tensors<T>& model, const std::string& folder) {
  model.visit([&](const std::string& name, const auto& t) {
    const index_t at = find_non_finite(t.data, t.size());
    if (at < 0) return;
    std::string place = t.rank == 1 ? "" : std::to_string(at / t.cols) + ", ";
    place += std::to_string(at % t.cols);
    throw file_error(folder, "tensor \"" + checkpoint_tensor_name(name, model.config().family) + "\" holds " +
                                 std::to_string(t.data[at]) + " at [" + place + "]; expected finite numbers alone");
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
