// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What Hugging Face's Marian and M2M100 call a tensor of seq2seq_model: the two agree. Boxes visit their tensors under
/// names of their own.
inline std::string seq2seq_tensor_name(std::string name) {
  static constexpr const char* theirs[][2] = {{".cross_attention.", ".encoder_attn."},
                                              {".cross_layer_norm.", ".encoder_attn_layer_norm."},
                                              {".attention.", ".self_attn."},
                                              {".sa_layer_norm.", ".self_attn_layer_norm."},
                                              {".q_lin.", ".q_proj."},
                                              {".k_lin.", ".k_proj."},
                                              {".v_lin.", ".v_proj."},
                                              {".out_lin.", ".out_proj."},
                                              {".ffn.lin1.", ".fc1."},
                                              {".ffn.lin2.", ".fc2."},
                                              {".output_layer_norm.", ".final_layer_norm."}};
  for (const auto& [our, their] : theirs) {
    const std::size_t at = name.find(our);
    if (at != std::string::npos) name.replace(at, std::string(our).size(), their);
  }
  return name;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
