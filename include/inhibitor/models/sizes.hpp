// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What `--size` takes.
inline std::vector<std::string> model_sizes() { return {"tiny", "mini", "small", "base"}; }

/// Sizes of `--size`: tiny 2 layers of width 128, mini 4 x 256, small 4 x 512, base 6 x 768; heads of 64. Throws
/// std::invalid_argument for another name.
inline encoder_config config_of_size(const std::string& size) {
  encoder_config c;
  const auto set = [&](index_t layers, index_t dim) {
    c.n_layers = layers;
    c.dim = dim;
    c.n_heads = dim / 64;
    c.intermediate_dim = 4 * dim;
  };
  if (size == "tiny") {
    set(2, 128);
  } else if (size == "mini") {
    set(4, 256);
  } else if (size == "small") {
    set(4, 512);
  } else {
    check(size == "base", [&] { return "size is \"" + size + "\"; expected tiny, mini, small or base"; });
  }
  return c;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
