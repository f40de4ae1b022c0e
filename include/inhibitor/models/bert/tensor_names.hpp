// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/models/bert/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What the checkpoints of a family call a tensor. Boxes visit their tensors under DistilBERT's names.
inline std::string checkpoint_tensor_name(std::string name, model_family family) {
  if (family == model_family::distilbert) return name;
  static constexpr const char* bert[][2] = {{"distilbert.", "bert."},
                                            {"transformer.layer.", "encoder.layer."},
                                            {"attention.q_lin.", "attention.self.query."},
                                            {"attention.k_lin.", "attention.self.key."},
                                            {"attention.v_lin.", "attention.self.value."},
                                            {"attention.out_lin.", "attention.output.dense."},
                                            {"attention.inhibitor_", "attention.self.inhibitor_"},
                                            {"sa_layer_norm.", "attention.output.LayerNorm."},
                                            {"ffn.lin1.", "intermediate.dense."},
                                            {"ffn.lin2.", "output.dense."},
                                            {"output_layer_norm.", "output.LayerNorm."},
                                            {"pre_classifier.", "bert.pooler.dense."},
                                            {"vocab_transform.", "cls.predictions.transform.dense."},
                                            {"vocab_layer_norm.", "cls.predictions.transform.LayerNorm."},
                                            {"vocab_projector.", "cls.predictions."}};
  for (const auto& [ours, theirs] : bert) {
    const std::size_t at = name.find(ours);
    if (at != std::string::npos) name.replace(at, std::string(ours).size(), theirs);
  }
  return name;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
