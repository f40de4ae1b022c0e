// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/nn/mixers/attention_decoding.hpp"
#include "inhibitor/nn/mixers/attention_inference.hpp"
#include "inhibitor/nn/mixers/attention_projections.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Scaled dot-product attention with softmax (Vaswani et al. 2017, arXiv 1706.03762), the baseline: tensors, or their
/// gradients.
template <class T>
struct dot_product_mixer : attention_projections<T> {
  static constexpr const char* name = "dot_product";

  dot_product_mixer() = default;
  dot_product_mixer(index_t dim, index_t, const mixer_options&) : attention_projections<T>(dim) {}

  template <class Options, class Visitor>
  static void visit_options(Options&, Visitor&&) {}

  /// Fills saved.context (M, C). Does not throw; allocates only while buffers grow.
  void forward(mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s, const mixer_options&,
               attention_workspace& workspace, const executor& workers) const {
    this->forward_through(saved, in, s, workers, [&](auto out, auto q, auto k, auto v, const attention_shape& shape) {
      multi_head_attention_forward<T>(out, q, k, v, shape, in.mask, dot_product_attention<T>{}, workspace, workers);
    });
  }

  /// Adds to `din` and to the gradients `d`, all but those of out_lin, from dcontext (M, C).
  void backward(const mixer_input_gradients<T>& din, dot_product_mixer& d, const T* dcontext,
                const mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s, const mixer_options&,
                mixer_scratch<T>& scratch, attention_workspace& workspace, const executor& workers) const {
    this->backward_through(din, d, dcontext, saved, in, s, scratch, workers,
                           [&](auto dq, auto dk, auto dv, auto dout, auto q, auto k, auto v, const auto& shape) {
                             multi_head_attention_backward<T>(dq, dk, dv, dout, q, k, v, shape, in.mask,
                                                              dot_product_attention<T>{}, workspace, workers);
                           });
  }

  /// The mechanism between the projections at inference.
  struct mechanism {
    mechanism(const dot_product_mixer&, const mixer_options&, const inference_options&) {}
    static bool needs_all_queries() { return false; }
    static bool counts_padding() { return false; }
    template <class Isa>
    void attend(const heads_view<T>& out, const heads_view<const T>& q, const heads_view<const T>& k,
                const heads_view<const T>& v, const attention_shape& shape, const attention_mask& mask,
                attention_workspace& workspace, const executor& workers) const {
      multi_head_attention_forward<T, dot_product_attention<T>, Isa>(out, q, k, v, shape, mask, {}, workspace, workers);
    }
    template <class Isa>
    void attend_cached(const heads_view<T>& out, const heads_view<const T>& q,
                       const growing_kv_cache<kv_cache<T, Isa>>& caches, const attention_shape& shape,
                       const attention_mask& mask, attention_workspace& workspace, const executor& workers) const {
      cached_attention_forward<T, dot_product_attention<T>, Isa>(out, q, caches, shape, mask, {}, workspace, workers);
    }
  };
  template <class Gemm, class Isa>
  using inference = attention_inference<dot_product_mixer, T, Gemm, Isa>;
  template <class Gemm, class Isa>
  using decoding = attention_decoding<dot_product_mixer, T, Gemm, Isa>;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
