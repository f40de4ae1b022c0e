// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The generator of what a run of this seed draws in epoch `epoch`.
inline std::mt19937_64 epoch_generator(std::uint64_t seed, index_t epoch) {
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(epoch)};
  return std::mt19937_64(seeds);
}

/// Fisher-Yates with plain remainders: std::shuffle may differ between standard libraries.
template <class T>
void shuffle_items(std::vector<T>& items, std::mt19937_64& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[static_cast<std::size_t>(random() % i)]);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
