// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "inspect/attention_map.hpp"
#include "inspect/dump.hpp"
#include "inspect/heat_map.hpp"

namespace inhibitor::examples {

/// Heat maps of one text: all layers and heads, or those chosen (-1: all). Throws std::invalid_argument for a layer or
/// head the model does not have, and when the page would be too large to look at.
inline std::string attention_page(const text_model& model, const forward_pass& pass, const std::string& title,
                                  index_t layer, index_t head) {
  const encoder_config& c = model.sizes();
  const index_t length = pass.input().length;
  check(layer < c.n_layers,
        [&] { return fmt::format("layer {} does not exist; the model has layers 0 to {}", layer, c.n_layers - 1); });
  check(head < c.n_heads,
        [&] { return fmt::format("head {} does not exist; the model has heads 0 to {}", head, c.n_heads - 1); });
  const index_t layers = layer < 0 ? c.n_layers : 1, heads = head < 0 ? c.n_heads : 1;
  constexpr index_t most_cells = 4'000'000;
  check(layers * heads * length * length <= most_cells, [&] {
    return fmt::format("{} maps of {} x {} cells are too many for one page; choose --layer or --head", layers * heads,
                       length, length);
  });
  std::vector<std::string> tokens;
  for (const std::int32_t id : pass.input().ids) tokens.push_back(model.tokenizer.token(id));
  std::vector<heat_map_group> groups;
  for (index_t l = std::max<index_t>(layer, 0); l < std::max<index_t>(layer, 0) + layers; ++l) {
    heat_map_group group;
    group.is_inhibition = c.layer_attention(l) == inhibitor_mixer<float>::name;
    group.title = fmt::format("Layer {}: {}", l, group.is_inhibition ? "inhibitor" : "dot product");
    group.explanation =
        group.is_inhibition
            ? "Share of each key's value that passes to the query: what is left of its numbers after inhibition, in "
              "absolute terms, over what was there. 0 is fully inhibited, 1 passes unchanged; a row need not add up to "
              "1. Full color is 1."
            : "Softmax weights; a row adds up to 1. Full color is the largest weight of the head.";
    for (index_t h = std::max<index_t>(head, 0); h < std::max<index_t>(head, 0) + heads; ++h) {
      heat_map map;
      map.values = attention_map(model.tensors, pass.activations(), l, h, length);
      const double largest = *std::max_element(map.values.begin(), map.values.end());
      map.title = fmt::format("layer {}, head {}, largest {:.3f}", l, h, largest);
      map.full_scale = group.is_inhibition ? 1 : largest;
      group.maps.push_back(std::move(map));
    }
    groups.push_back(std::move(group));
  }
  return heat_map_page(title, tokens, groups);
}

}  // namespace inhibitor::examples
