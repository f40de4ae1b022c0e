// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "inhibitor/attention/params.hpp"
#include "inhibitor/attention/workspace.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/executor.hpp"

// What every mixer (nn/mixer.hpp) is given.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Options of the mixers that have some, the same for all layers of a model. A mixer names its own for config.json
/// (visit_options).
struct mixer_options {
  inhibitor_options inhibitor;
  /// The inhibitor's three scalars are one number each per layer, as in the authors' code, not one per head: heads
  /// share value, gradient and moments.
  bool tied_scalars = false;
  /// Inhibitor layers compute without multiplication: their scales are in the projections (score scale sqrt(D), output
  /// scale 1). Forward alone; set by fold_scales, read from no file.
  bool add_only = false;
};

/// Extents of one call. M = batch * queries rows of x, batch * keys rows of the memory.
struct mixer_shape {
  index_t batch = 0;    ///< B
  index_t queries = 0;  ///< L, tokens of x
  index_t keys = 0;     ///< S, tokens of the memory; L unless it is another sequence
  index_t dim = 0;      ///< C
  index_t heads = 0;    ///< H

  index_t rows() const { return batch * queries; }
  index_t key_rows() const { return batch * keys; }
};

/// What a mixer reads.
template <class T>
struct mixer_input {
  const T* x = nullptr;       ///< (B * L, C), what is mixed
  const T* memory = nullptr;  ///< (B * S, C), what it is mixed with; null: x itself
  attention_mask mask = {};   ///< which tokens of the memory count, and whether from the past alone (causal)

  const T* keys_from() const { return memory != nullptr ? memory : x; }
};

/// Where the backward pass of a mixer adds its gradients of what it read; null: not wanted.
template <class T>
struct mixer_input_gradients {
  T* dx = nullptr;       ///< (B * L, C)
  T* dmemory = nullptr;  ///< (B * S, C); read only where the input has a memory
};

/// What the forward pass of a mixer keeps. `inner` is what the mixer makes of it.
template <class T>
struct mixer_activations {
  std::vector<aligned_buffer<T>> inner;
  aligned_buffer<T> context;  // (M, C) what mixing gives, before the output projection
};

/// Scratch of the backward pass, shared by all layers.
template <class T>
struct mixer_scratch {
  std::vector<aligned_buffer<T>> inner;
};

/// Tokens at inference: rows of sequences one after the other.
struct packed_rows {
  const index_t* starts = nullptr;         ///< (B + 1): sequence b has the rows [starts[b], starts[b + 1])
  index_t batch = 0;                       ///< B
  index_t longest = 0;                     ///< tokens of the longest sequence
  const std::uint8_t* key_mask = nullptr;  ///< (M), 1 = real token, 0 = padding; null: no padding

  index_t rows() const { return batch == 0 ? 0 : starts[batch]; }
};

/// How to compute at inference.
struct inference_options {
  bool u8_attention = false;  ///< inhibitor layers attend in bytes (attention/u8/raw.hpp); float models only
  /// Models that center over all keys count the padding of a batch as their training does (docs/model-files.md). False:
  /// no padding is added, and the mean is over the tokens of a sequence.
  bool counts_padding = true;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
