// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/config.hpp"
#include "inhibitor/models/dropout_mode.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Where a model draws: one number per place. Trained models repeat from a seed only while these stay.
struct dropout_sites {
  static constexpr std::uint32_t embeddings = 0;
  static constexpr std::uint32_t classifier = 1;
  static constexpr std::uint32_t keys(index_t layer) { return static_cast<std::uint32_t>(2 + 2 * layer); }
  static constexpr std::uint32_t feed_forward(index_t layer) { return static_cast<std::uint32_t>(3 + 2 * layer); }
  static constexpr std::uint32_t attention_output(index_t layer) { return static_cast<std::uint32_t>(0x10000 + layer); }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
