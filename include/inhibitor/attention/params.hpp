// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/config.hpp"

// What an attention call is told besides its numbers: extents, strides, masks and the options of the mechanism.
// Glossary: B batch, L queries, S keys, H heads, D query/key head size, Dv value head size.

namespace inhibitor {

/// The two mechanisms a model layer can use.
enum class attention_kind { dot_product, inhibitor };

/// Over which keys the mean of the scores is taken and subtracted.
enum class centring {
  none,           ///< scores are used as they are
  attended_keys,  ///< mean over the keys the query may attend to (default; independent of padding)
  all_keys        ///< mean over all S keys, masked ones included (as the authors' published code does)
};

/// Options of inhibitor attention (paper arXiv 2503.15983; base mechanism arXiv 2310.02041 eq. 3-5).
struct inhibitor_options {
  centring center = centring::attended_keys;
  bool is_signed = true;             ///< false: unsigned form max(v - z, 0)
  bool normalize_by_length = false;  ///< divide the output by the number of attended keys
  /// Forward in float: leave out the keys whose values are all inhibited, query by query. Pays from about a third of
  /// them on; the result differs from the default by the rounding of sums alone (kernels/skip.hpp).
  bool skip_inhibited = false;
};

/// The three learnable scalars per head, each an array of H values: (H). Also the type of their gradients.
template <class T>
struct inhibitor_scalars {
  T* score_scale = nullptr;   ///< (H) gamma: S = gamma / sqrt(D) * |q - k|_1
  T* shift = nullptr;         ///< (H) delta: Z = max(S + delta, 0)
  T* output_scale = nullptr;  ///< (H) eta:   H = eta * sum_j soft(V_j, Z_j)
};

/// Extents of one call.
struct attention_shape {
  index_t batch = 1;       ///< B
  index_t heads = 1;       ///< H
  index_t queries = 0;     ///< L
  index_t keys = 0;        ///< S
  index_t head_size = 0;   ///< D of queries and keys
  index_t value_size = 0;  ///< Dv of values and output
};

/// A (B, L, H, D) tensor by strides (in elements); the last dimension is contiguous. Element (b, l, h, k) is at
/// data[b * batch_stride + l * row_stride + h * head_stride + k], so [B,L,H,D] and [B,H,L,D] both fit without a copy.
template <class T>
struct heads_view {
  T* data = nullptr;
  index_t batch_stride = 0;
  index_t row_stride = 0;
  index_t head_stride = 0;

  T* head(index_t b, index_t h) const { return data + b * batch_stride + h * head_stride; }
  operator heads_view<const T>() const { return {data, batch_stride, row_stride, head_stride}; }
};

/// Which keys a query may attend to. Non-zero means attend, everywhere in the library.
struct attention_mask {
  const std::uint8_t* key_mask = nullptr;  ///< (B, S) row-major; null: every key
  bool causal = false;                     ///< query i sees keys j <= i + S - L
};

}  // namespace inhibitor
