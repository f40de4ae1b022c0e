// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What `--size` takes.
inline std::vector<std::string> model_sizes() { return {"tiny", "mini", "small", "base"}; }

/// Sizes of `--size`: tiny 2 layers of width 128, mini 4 x 256, small 4 x 512, base 6 x 768, or layers and a width, as
/// "6x384"; heads of 64. Throws std::invalid_argument for anything else.
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
  } else if (size != "base") {
    const std::size_t cross = size.find('x');
    const auto number = [](const std::string& text) -> index_t {
      const bool fits = !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
      return fits ? std::stoi(text) : 0;
    };
    const index_t layers = number(size.substr(0, cross));
    const index_t dim = cross == std::string::npos ? 0 : number(size.substr(cross + 1));
    check(layers > 0 && dim > 0 && dim % 64 == 0, [&] {
      return "--size is \"" + size +
             "\"; expected tiny, mini, small, base, or layers and a width that is a multiple of 64, as 6x384";
    });
    set(layers, dim);
  }
  return c;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
