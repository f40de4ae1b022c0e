// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/nn/inference_profile.hpp"
#include "inhibitor/nn/mixers/mixing.hpp"
#include "inhibitor/nn/packed_linear.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Buffers and timing of inference, shared by all layers.
template <class T>
struct inference_scratch {
  // Rows that share a set of cache lines on their way through a product would push each other out: widths are powers of
  // two too often. A line more per row keeps them apart.
  static constexpr index_t padding = 64 / static_cast<index_t>(sizeof(T));

  aligned_buffer<T> projected, projected_first;  // as the mixer says
  attention_workspace workspace;
  inference_profile* profile = nullptr;
};

/// A mixer that is multi-head attention, at inference: one product gives q, k and v of all rows. `Mixer` has q_lin,
/// k_lin, v_lin and a class `mechanism`.
template <class Mixer, class T, class Gemm, class Isa>
class attention_inference {
 public:
  /// Packs the projections. The last layer has them in two parts, because of first_rows.
  attention_inference(const Mixer& p, index_t heads, const mixer_options& o, const inference_options& how, bool is_last)
      : mechanism_(p, o, how), dim_(p.q_lin.weight.cols), heads_(heads) {
    using linear = packed_linear<T, Gemm>;
    if (is_last) {
      q_ = linear({p.q_lin});
      kv_ = linear({p.k_lin, p.v_lin});
    } else {
      qkv_ = linear({p.q_lin, p.k_lin, p.v_lin});
    }
  }

  /// Whether the padding of a batch is part of the result.
  bool counts_padding() const { return mechanism_.counts_padding(); }

  /// context (M, C), rows `stride` apart, of x (M, C). Throws std::invalid_argument with byte attention for values that
  /// are not finite.
  void all_rows(T* context, index_t stride, const T* x, const packed_rows& tokens, inference_scratch<T>& scratch,
                const executor& workers) const {
    T* projected = reserve(scratch, tokens);
    add_time(scratch.profile, &inference_profile::projections, [&] {
      if (qkv_.out() > 0) {
        qkv_.forward(projected, row_stride(), x, dim_, tokens.rows(), activation::none, workers);
      } else {
        q_.forward(projected, row_stride(), x, dim_, tokens.rows(), activation::none, workers);
        kv_.forward(projected + dim_, row_stride(), x, dim_, tokens.rows(), activation::none, workers);
      }
    });
    attend(view(context, stride), view<const T>(projected, row_stride()), shape_of(tokens), tokens, scratch, workers);
  }

  /// context (B, C), rows `stride` apart, of the first token of every sequence; `first` (B, C) are their rows of x.
  /// Queries of other rows are left out where the mechanism can do without. Throws as all_rows. For the last layer.
  void first_rows(T* context, index_t stride, const T* first, const T* x, const packed_rows& tokens,
                  inference_scratch<T>& scratch, const executor& workers) const {
    T* projected = reserve(scratch, tokens);
    const bool all_queries = mechanism_.needs_all_queries();
    scratch.projected_first.resize(all_queries ? tokens.rows() * stride : tokens.batch * dim_);
    T* own = scratch.projected_first.data();
    add_time(scratch.profile, &inference_profile::projections, [&] {
      kv_.forward(projected + dim_, row_stride(), x, dim_, tokens.rows(), activation::none, workers);
      if (all_queries) {
        q_.forward(projected, row_stride(), x, dim_, tokens.rows(), activation::none, workers);
      } else {
        q_.forward(own, dim_, first, dim_, tokens.batch, activation::none, workers);
      }
    });
    attention_shape shape = shape_of(tokens);
    if (all_queries) {
      shape.rows = {0, 1};
      attend(view(own, stride), view<const T>(projected, row_stride()), shape, tokens, scratch, workers);
      for (index_t b = 0; b < tokens.batch; ++b) {
        std::copy_n(own + tokens.starts[b] * stride, dim_, context + b * stride);
      }
      return;
    }
    shape.queries = 1;
    shape.query_starts = {};
    heads_view<const T> q = view<const T>(own, dim_);
    heads_view<T> out = view(context, stride);
    q.batch_stride = dim_;
    out.batch_stride = stride;
    attend(out, q, shape, tokens, scratch, workers);
  }

 private:
  index_t row_stride() const { return 3 * dim_ + inference_scratch<T>::padding; }
  T* reserve(inference_scratch<T>& scratch, const packed_rows& tokens) const {
    scratch.projected.resize(tokens.rows() * row_stride());
    return scratch.projected.data();
  }
  template <class U>
  heads_view<U> view(U* rows, index_t stride) const {
    return {rows, 0, stride, dim_ / heads_};
  }
  attention_shape shape_of(const packed_rows& tokens) const {
    attention_shape s;
    s.batch = tokens.batch;
    s.heads = heads_;
    s.queries = s.keys = tokens.longest;
    s.head_size = s.value_size = dim_ / heads_;
    s.query_starts = s.key_starts = tokens.starts;
    return s;
  }
  /// out = attention of q and of the keys and values among the projected rows.
  void attend(const heads_view<T>& out, const heads_view<const T>& q, const attention_shape& shape,
              const packed_rows& tokens, inference_scratch<T>& scratch, const executor& workers) const {
    const T* projected = scratch.projected.data();
    add_time(scratch.profile, &inference_profile::attention, [&] {
      mechanism_.template attend<Isa>(out, q, view(projected + dim_, row_stride()),
                                      view(projected + 2 * dim_, row_stride()), shape,
                                      attention_mask{tokens.key_mask, false}, scratch.workspace, workers);
    });
  }

  typename Mixer::mechanism mechanism_;
  index_t dim_, heads_;
  packed_linear<T, Gemm> qkv_;     // (3C, C)
  packed_linear<T, Gemm> q_, kv_;  // (C, C), (2C, C)
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
