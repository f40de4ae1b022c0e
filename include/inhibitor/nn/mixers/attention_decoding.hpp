// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/nn/mixers/attention_inference.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A mixer that is multi-head attention, decoding a token (or a few) of every sequence at a time: keys and values are
/// projected once and kept packed. `Mixer` is as for attention_inference, and its mechanism has attend_cached. An
/// object keeps the past of one batch.
///
///   self attention     start(B);                   step(...) appends the rows to their sequences, then attends to them
///   to a memory        remember(memory, tokens);   step(...) attends to the memory
template <class Mixer, class T, class Gemm, class Isa>
class attention_decoding {
 public:
  /// Packs the projections.
  attention_decoding(const Mixer& p, index_t heads, const mixer_options& o, bool has_memory)
      : mechanism_(p, o, {}), dim_(p.q_lin.weight.cols), heads_(heads), has_memory_(has_memory) {
    using linear = packed_linear<T, Gemm>;
    if (has_memory) {
      q_ = linear({p.q_lin});
      kv_ = linear({p.k_lin, p.v_lin});
    } else {
      q_ = linear({p.q_lin, p.k_lin, p.v_lin});
    }
  }

  /// Forgets everything; `batch` sequences begin.
  void start(index_t batch) { caches_ = caches(batch, extents()); }

  /// Forgets everything; the memory (M, C) of every sequence of `tokens` is what later rows attend to.
  void remember(const T* memory, const packed_rows& tokens, inference_scratch<T>& scratch, const executor& workers) {
    start(tokens.batch);
    const index_t stride = 2 * dim_ + inference_scratch<T>::padding;
    scratch.projected.resize(tokens.rows() * stride);
    kv_.forward(scratch.projected.data(), stride, memory, dim_, tokens.rows(), activation::none, workers);
    append(scratch.projected.data(), stride, tokens);
  }

  /// context (R, C), rows `stride` apart, of the rows x (R, C) that sequences go on with, as `tokens` shares them out.
  void step(T* context, index_t stride, const T* x, const packed_rows& tokens, inference_scratch<T>& scratch,
            const executor& workers) {
    const index_t row_stride = q_.out() + inference_scratch<T>::padding;
    scratch.projected.resize(tokens.rows() * row_stride);
    T* projected = scratch.projected.data();
    q_.forward(projected, row_stride, x, dim_, tokens.rows(), activation::none, workers);
    if (!has_memory_) append(projected + dim_, row_stride, tokens);
    attention_shape s;
    s.batch = tokens.batch;
    s.heads = heads_;
    s.queries = tokens.longest;
    s.head_size = s.value_size = dim_ / heads_;
    s.query_starts = tokens.starts;
    mechanism_.template attend_cached<Isa>(view(context, stride), view<const T>(projected, row_stride), caches_, s,
                                           attention_mask{nullptr, !has_memory_}, scratch.workspace, workers);
  }

  /// Makes sequence i what sequence parents[i] was (growing_kv_cache::reorder).
  void reorder(const std::vector<index_t>& parents) { caches_.reorder(parents); }

 private:
  using caches = growing_kv_cache<kv_cache<T, Isa>>;

  cache_extents extents() const { return {heads_, dim_ / heads_, dim_ / heads_}; }
  template <class U>
  heads_view<U> view(U* rows, index_t stride) const {
    return {rows, 0, stride, dim_ / heads_};
  }
  /// Keys and values side by side, the rows of `tokens`.
  void append(const T* keys_values, index_t stride, const packed_rows& tokens) {
    for (index_t b = 0; b < tokens.batch; ++b) {
      const T* rows = keys_values + tokens.starts[b] * stride;
      caches_.template append<T>(b, view(rows, stride), view(rows + dim_, stride),
                                 tokens.starts[b + 1] - tokens.starts[b]);
    }
  }

  typename Mixer::mechanism mechanism_;
  index_t dim_, heads_;
  bool has_memory_;
  packed_linear<T, Gemm> q_;   // (3C, C) with keys and values, or (C, C)
  packed_linear<T, Gemm> kv_;  // (2C, C) of a memory
  caches caches_{0, {1, 1, 1}};
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
