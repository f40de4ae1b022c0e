// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/nn/mixers/attention_decoding.hpp"
#include "inhibitor/nn/mixers/attention_inference.hpp"
#include "inhibitor/nn/mixers/attention_projections.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Inhibitor attention (arXiv 2503.15983) with its three scalars per head, (H) each: tensors, or their gradients.
template <class T>
struct inhibitor_mixer : attention_projections<T> {
  static constexpr const char* name = "inhibitor";

  tensor<T> inhibitor_score_scale, inhibitor_shift, inhibitor_output_scale;

  inhibitor_mixer() = default;
  /// New scalars start as in the authors' code: score scale 1, shift 0.5, output scale 1.
  inhibitor_mixer(index_t dim, index_t heads, const mixer_options& o) : attention_projections<T>(dim) {
    inhibitor_score_scale = inhibitor_output_scale = tensor<T>::vector(heads, 1);
    inhibitor_shift = tensor<T>::vector(heads, 0.5);
    for (auto* t : {&inhibitor_score_scale, &inhibitor_shift, &inhibitor_output_scale}) t->is_tied = o.tied_scalars;
  }
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    attention_projections<T>::visit(prefix, f);
    f(prefix + ".inhibitor_score_scale", inhibitor_score_scale);
    f(prefix + ".inhibitor_shift", inhibitor_shift);
    f(prefix + ".inhibitor_output_scale", inhibitor_output_scale);
  }
  /// Calls f with the keys of config.json: f.choice(key, member, names of its values), f.flag(key, member), or
  /// f.rare_flag for what is written only when it is set.
  template <class Options, class Visitor>
  static void visit_options(Options& o, Visitor&& f) {
    f.choice("inhibitor_center", o.inhibitor.center, {"none", "attended_keys", "all_keys"});
    f.flag("inhibitor_signed", o.inhibitor.is_signed);
    f.flag("inhibitor_normalize_by_length", o.inhibitor.normalize_by_length);
    f.rare_flag("inhibitor_tied_scalars", o.tied_scalars);
  }

  /// Fills saved.context (M, C). Does not throw; allocates only while buffers grow.
  void forward(mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s, const mixer_options& o,
               attention_workspace& workspace, const executor& workers) const {
    this->forward_through(saved, in, s, workers, [&](auto out, auto q, auto k, auto v, const attention_shape& shape) {
      if (o.add_only) {
        const add_only_inhibitor_attention<T> form{o.inhibitor.center, o.inhibitor.is_signed,
                                                   o.inhibitor.skip_inhibited, inhibitor_shift.data};
        multi_head_attention_forward<T>(out, q, k, v, shape, in.mask, form, workspace, workers);
      } else {
        multi_head_attention_forward<T>(out, q, k, v, shape, in.mask, form_of(o), workspace, workers);
      }
    });
  }

  /// Adds to `din` and to the gradients `d`, all but those of out_lin, from dcontext (M, C).
  void backward(const mixer_input_gradients<T>& din, inhibitor_mixer& d, const T* dcontext,
                const mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s,
                const mixer_options& o, mixer_scratch<T>& scratch, attention_workspace& workspace,
                const executor& workers) const {
    const inhibitor_scalars<T> dscalars{d.inhibitor_score_scale.data, d.inhibitor_shift.data,
                                        d.inhibitor_output_scale.data};
    this->backward_through(din, d, dcontext, saved, in, s, scratch, workers,
                           [&](auto dq, auto dk, auto dv, auto dout, auto q, auto k, auto v, const auto& shape) {
                             multi_head_attention_backward<T>(dq, dk, dv, dscalars, dout, q, k, v, shape, in.mask,
                                                              form_of(o), workspace, workers);
                           });
  }

  /// The mechanism between the projections at inference, in one of three forms: as trained, add-only, in bytes.
  class mechanism {
   public:
    mechanism(const inhibitor_mixer& p, const mixer_options& o, const inference_options& how)
        : options_(o), in_bytes_(how.u8_attention), counts_padding_(how.counts_padding) {
      const index_t heads = p.inhibitor_shift.size();
      scalars_.resize(3 * heads);
      T* next = scalars_.data();
      for (const auto* t : {&p.inhibitor_score_scale, &p.inhibitor_shift, &p.inhibitor_output_scale}) {
        next = std::copy_n(t->data, heads, next);
      }
    }
    /// The step of byte queries is that of all queries of a sequence.
    bool needs_all_queries() const { return in_bytes_; }
    bool counts_padding() const { return counts_padding_ && options_.inhibitor.center == centering::all_keys; }

    template <class Isa>
    void attend(const heads_view<T>& out, const heads_view<const T>& q, const heads_view<const T>& k,
                const heads_view<const T>& v, const attention_shape& shape, const attention_mask& mask,
                attention_workspace& workspace, const executor& workers) const {
      const T* scalars = scalars_.data();
      const inhibitor_options& o = options_.inhibitor;
      const inhibitor_attention<T> trained = form_as_trained(shape.heads);
      if constexpr (std::is_same_v<T, float>) {
        if (in_bytes_) {
          u8::multi_head_attention_forward<Isa>(out, q, k, v, shape, mask, trained, workspace, workers);
          return;
        }
      }
      using add_only = add_only_inhibitor_attention<T>;
      if (options_.add_only) {
        const add_only form{o.center, o.is_signed, o.skip_inhibited, scalars + shape.heads};
        multi_head_attention_forward<T, add_only, Isa>(out, q, k, v, shape, mask, form, workspace, workers);
      } else {
        multi_head_attention_forward<T, inhibitor_attention<T>, Isa>(out, q, k, v, shape, mask, trained, workspace,
                                                                     workers);
      }
    }

    /// As trained, whatever the other forms.
    template <class Isa>
    void attend_cached(const heads_view<T>& out, const heads_view<const T>& q,
                       const growing_kv_cache<kv_cache<T, Isa>>& caches, const attention_shape& shape,
                       const attention_mask& mask, attention_workspace& workspace, const executor& workers) const {
      cached_attention_forward<T, inhibitor_attention<T>, Isa>(out, q, caches, shape, mask,
                                                               form_as_trained(shape.heads), workspace, workers);
    }

   private:
    inhibitor_attention<T> form_as_trained(index_t heads) const {
      const T* scalars = scalars_.data();
      return {options_.inhibitor, {scalars, scalars + heads, scalars + 2 * heads}};
    }

    mixer_options options_;
    bool in_bytes_, counts_padding_;
    aligned_buffer<T> scalars_;  // (3, H)
  };
  template <class Gemm, class Isa>
  using inference = attention_inference<inhibitor_mixer, T, Gemm, Isa>;
  template <class Gemm, class Isa>
  using decoding = attention_decoding<inhibitor_mixer, T, Gemm, Isa>;

 private:
  inhibitor_attention<T> form_of(const mixer_options& o) const {
    return {o.inhibitor, {inhibitor_score_scale.data, inhibitor_shift.data, inhibitor_output_scale.data}};
  }
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
