// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

#include "inhibitor/base/config.hpp"

// What an attention call is told besides its numbers: extents, strides, masks and the options of the mechanism.
// Glossary: B batch, L queries, S keys, H heads, D query/key head size, Dv value head size.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Over which keys the mean of the scores is taken and subtracted.
enum class centering {
  none,           ///< scores are used as they are
  attended_keys,  ///< mean over the keys the query may attend to (default; independent of padding)
  all_keys        ///< mean over all S keys, masked ones included (as the authors' published code does)
};

/// Options of inhibitor attention (paper arXiv 2503.15983; base mechanism arXiv 2310.02041 eq. 3-5).
struct inhibitor_options {
  centering center = centering::attended_keys;
  bool is_signed = true;             ///< false: unsigned form max(v - z, 0)
  bool normalize_by_length = false;  ///< divide the output by the number of attended keys
  /// Forward in float: leave out the keys whose values are all inhibited, query by query. Pays from about half of
  /// them on; the result differs from the default by the rounding of sums alone (kernels/attention/skip.hpp).
  bool skip_inhibited = false;
};

/// The three learnable scalars per head, each an array of H values: (H). Also the type of their gradients.
template <class T>
struct inhibitor_scalars {
  T* score_scale = nullptr;   ///< (H) gamma: S = gamma / sqrt(D) * |q - k|_1
  T* shift = nullptr;         ///< (H) delta: Z = max(S + delta, 0)
  T* output_scale = nullptr;  ///< (H) eta:   H = eta * sum_j soft(V_j, Z_j)
};

/// Where the sequences of a packed batch start: (B + 1) row numbers, 0 first and never decreasing; sequence b has the
/// rows [starts[b], starts[b + 1]). A view of the caller's 32-bit or index_t numbers.
class sequence_starts {
 public:
  sequence_starts() = default;
  sequence_starts(const std::int32_t* starts) : narrow_(starts) {}
  sequence_starts(const index_t* starts) : wide_(starts) {}

  explicit operator bool() const { return narrow_ != nullptr || wide_ != nullptr; }
  index_t operator[](index_t b) const { return narrow_ != nullptr ? index_t{narrow_[b]} : wide_[b]; }

 private:
  const std::int32_t* narrow_ = nullptr;
  const index_t* wide_ = nullptr;
};

/// Rows [first, last) of every sequence, cut to those it has. The default is all of them.
struct row_range {
  index_t first = 0;
  index_t last = PTRDIFF_MAX;
};

/// Extents of one call. The first six describe plain attention, the others are optional.
struct attention_shape {
  index_t batch = 1;       ///< B
  index_t heads = 1;       ///< H of queries and output
  index_t queries = 0;     ///< L; of a packed batch the longest sequence may have fewer, but not more
  index_t keys = 0;        ///< S; likewise
  index_t head_size = 0;   ///< D of queries and keys
  index_t value_size = 0;  ///< Dv of values and output

  /// Heads of keys and values, a divisor of H: query head h uses head h / (H / kv_heads). 0: H.
  index_t kv_heads = 0;
  /// Packed batches without padding: sequence b starts at row query_starts[b] of q and out, and at row key_starts[b] of
  /// k and v; batch strides are not used then. Either may be given without the other.
  sequence_starts query_starts = {}, key_starts = {};
  /// Queries to compute. Other rows of out are left alone and other queries give no gradients. Rows come out as in a
  /// whole call, to the bit if the range is cut at multiples of 4 (only float under a causal mask needs that).
  row_range rows = {};

  index_t key_heads() const { return kv_heads != 0 ? kv_heads : heads; }
};

/// A (B, L, H, D) tensor by strides (in elements); the last dimension is contiguous. Element (b, l, h, k) is at
/// data[b * batch_stride + l * row_stride + h * head_stride + k], so [B,L,H,D] and [B,H,L,D] both fit without a copy,
/// and a packed batch (total rows, H, D) does as well. Any address that suits the element type will do.
template <class T>
struct heads_view {
  T* data = nullptr;
  index_t batch_stride = 0;
  index_t row_stride = 0;
  index_t head_stride = 0;

  T* head(index_t b, index_t h) const { return data + b * batch_stride + h * head_stride; }
  operator heads_view<const T>() const { return {data, batch_stride, row_stride, head_stride}; }
};

/// heads_view<const T> that template deduction leaves alone, so that a heads_view<T> converts to it.
template <class T>
using input_heads = std::common_type_t<heads_view<const T>>;

/// A (B, L, S) array of bytes by strides: element (b, i, j) is at data[b * batch_stride + i * row_stride + j]. A batch
/// stride of 0 shares one (L, S) mask.
struct boolean_mask {
  const std::uint8_t* data = nullptr;
  index_t batch_stride = 0;
  index_t row_stride = 0;
};

/// Which keys a query may attend to: those that every mask given allows. Non-zero means attend, everywhere in the
/// library.
struct attention_mask {
  const std::uint8_t* key_mask = nullptr;  ///< (B, S) row-major, packed batches (total keys); null: every key
  bool causal = false;                     ///< query i sees keys j <= i + S - L, with L and S of its sequence
  boolean_mask attend = {};                ///< any pattern; null: every key
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
