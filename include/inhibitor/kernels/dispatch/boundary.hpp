// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "inhibitor/base/config.hpp"

// What crosses the line between callers and kernels that were compiled apart, perhaps with other compiler flags: the
// arguments of kernels, and tables of plain function pointers.
//
// This is the one namespace of the library outside INHIBITOR_TARGET, because both sides must name the same types. No
// function may come from here: one with the same name on both sides would be kept once by the linker and could run
// instructions that the processor does not have. Hence plain data alone, without member functions, constructors and
// default member initializers (which make the compiler write a constructor). Write `head_inputs<float> in{}` for zeros;
// where zeros are no sensible start, functions below in INHIBITOR_TARGET make the defaults.

namespace inhibitor {
namespace boundary {

/// One (batch, head): pointers into the caller's arrays, strides in elements.
///
/// Keys are renumbered before a kernel sees them: attended keys first, in their order, then (only when the scores are
/// centered over all keys) the masked ones. Every mask becomes one number per query: it attends to the first
/// `limits[i]` renumbered keys, unless a boolean mask says which of those. Masked keys are never touched by the value
/// step, so they contribute exactly nothing.
template <class T>
struct head_inputs {
  const T* q;  ///< (L, D)
  index_t q_stride;
  const T* k;  ///< (S, D)
  index_t k_stride;
  const T* v;  ///< (S, Dv)
  index_t v_stride;
  index_t queries;             ///< L
  index_t head_size;           ///< D
  index_t value_size;          ///< Dv
  const index_t* order;        ///< (scored) key number in the caller's arrays; null: identity
  index_t scored;              ///< keys that take part in scores
  index_t attended;            ///< keys that take part in values, the first of `order`; attended <= scored
  const index_t* limits;       ///< (L) keys query i attends to; does not decrease with i, at most `attended`
  const std::uint8_t* attend;  ///< (L, S) by stride, or null: query i attends to key j of the caller's
  index_t attend_stride;       ///< numbering only where attend[i * attend_stride + j] is not 0
};

/// How raw scores become weights. Defaults: kernels::plain_weights.
template <class T>
struct weight_options {
  T scale;         ///< S = scale * raw
  T shift;         ///< W = max(S + shift, 0)
  T output_scale;  ///< factor on the output
  bool center;     ///< subtract the mean of S over attended keys, or over all scored ones:
  bool center_all;
  bool normalize_by_length;  ///< divide the output by the number of attended keys
};

/// Where the gradients of one head are added. Null pointers are not allowed where the extent is not 0.
template <class T>
struct head_gradients {
  T* dq;  ///< (L, D)
  index_t dq_stride;
  T* dk;  ///< (S, D)
  index_t dk_stride;
  T* dv;  ///< (S, Dv)
  index_t dv_stride;
};

/// Gradients of the head's scale, shift and output_scale (overwritten).
template <class T>
struct option_gradients {
  T scale, shift, output_scale;
};

/// What follows a matrix product and its bias. `silu` is x * sigmoid(x), also called swish.
enum class activation { none, gelu, relu, silu };

/// Gain and offset of a layer normalization.
template <class T>
struct norm_view {
  const T* weight;  ///< (C)
  const T* bias;    ///< (C)
  T epsilon;
};

/// Weights of an affine layer in panels (kernels/gemm/panels.hpp), wherever they are kept.
template <class T>
struct panel_weight {
  index_t out, in;
  const T* panels;  ///< (panels, in, R)
  const T* bias;    ///< (panels, R)
};

/// Rows of floats in memory, `stride` apart; row n is the n-th of `order`, or simply the n-th.
struct float_rows {
  const float* data;
  index_t stride;
  const index_t* order;
  index_t count;
};

/// How a distance d (0 .. 65535) of a head becomes the threshold z (0 .. 255) of the value step:
///
///   x = ((d ^ flip) + raise) - lower                                       + and - saturating
///   z = min(255, ((min(x, limit) << shift) * multiplier >> 16) + base)
///
/// base, raise and lower belong to a row (query), the rest to a head. flip is 0xffff for a negative score scale: the
/// distance is then measured downwards. Defaults: kernels::u8_no_threshold.
struct u8_threshold_rule {
  std::uint16_t flip;
  std::uint16_t limit;
  std::uint16_t multiplier;
  int shift;
  std::int64_t offset;    ///< distance that is worth the shift parameter plus half a step: subtracted from the mean
  std::int64_t constant;  ///< z of every key if the multiplier is 0
};

/// Over which keys the mean distance is taken.
enum class u8_mean { none, attended, scored };

/// One head of u8 attention.
struct u8_head_call {
  float_rows queries;  ///< (L, D)
  index_t head_size, value_size;
  float inverse_step;          ///< 1 / step of queries and keys
  bool queries_in_range;       ///< no query exceeds the range that inverse_step stands for
  const std::uint8_t* keys;    ///< packed, `scored` of them
  const std::uint8_t* values;  ///< packed, at least the largest of `limits`
  const std::uint8_t* bound;   ///< per key its largest magnitude; u8_bound_bytes may be read
  index_t scored;              ///< packed keys in the mean of u8_mean::scored
  const index_t* limits;       ///< (L) query i sees the leading limits[i] packed keys; does not decrease with i
  /// (L, S) by stride, or null: query i sees key j of the caller's numbering only where attend[i * attend_stride + j]
  /// is not 0. Packed key j is the caller's key order[j], or j.
  const std::uint8_t* attend;
  index_t attend_stride;
  const index_t* order;
  u8_threshold_rule rule;
  u8_mean mean;
  bool skip;               ///< leave out quads of keys that are fully inhibited for a whole tile of queries
  float* out;              ///< (L, Dv) by stride, or null
  std::int32_t* integers;  ///< (L, Dv) by stride, or null
  index_t out_stride;
  float scale;            ///< of one unit of acc
  bool normalize;         ///< divide by the number of visible keys
  std::uint8_t* scratch;  ///< u8_scratch_bytes, 64-byte aligned
  /// Queries, keys and values of the head that this worker probably computes next: fetched into the second cache
  /// meanwhile, because the passes that quantize them wait for memory and this call does not. Count 0: none.
  float_rows next[3];
};

/// An affine layer in bytes: its image (kernels/gemm_s8/layout.hpp), wherever it is kept, 64-byte aligned.
struct s8_weight {
  index_t out, in;
  const std::uint8_t* image;
};

/// Rows of floats that become an operand of products in bytes.
struct s8_quantize_call {
  std::uint8_t* rows;           ///< (count, s8_table::row_bytes)
  float* scales;                ///< (count)
  const float* x;               ///< (count, size) by stride
  index_t x_stride, count, size;
  const std::int32_t* largest;  ///< (count, 16) as s8_product_call leaves them, or null: found in x
};

/// y (rows, cols) = f(x (rows, in) * W[column .. column + cols)^T + bias) from operands in bytes.
struct s8_product_call {
  s8_weight w;
  const std::uint8_t* x;  ///< (rows, s8_table::row_bytes); 15 rows beyond may be read
  const float* x_scales;  ///< (rows)
  float* y;               ///< (rows, cols) by stride, pointing to that column
  index_t y_stride;
  const float* residual;  ///< (rows, cols) by stride, where the epilogue adds one; may be y
  index_t residual_stride;
  std::int32_t* largest;  ///< (rows, 16) or null: raised to the bits of the largest |y| of every 16th column
  index_t rows;
  index_t column, cols;  ///< column is a multiple of 16
};

/// Memory that a float kernel needs, in numbers, for extents L, S, D, Dv.
using scratch_size = index_t (*)(index_t queries, index_t scored, index_t head_size, index_t value_size);

template <class T>
using forward_kernel = void (*)(T* out, index_t out_stride, const head_inputs<T>& in, const weight_options<T>& options,
                                T* memory);
template <class T>
using backward_kernel = option_gradients<T> (*)(const head_gradients<T>& out, const T* dout, index_t dout_stride,
                                                const head_inputs<T>& in, const weight_options<T>& options, T* memory);
/// `head` was filled by append_row, for `capacity` keys.
template <class T>
using cached_kernel = void (*)(T* out, index_t out_stride, const head_inputs<T>& in, const T* head, index_t capacity,
                               const weight_options<T>& options, T* memory);

/// Memory of float kernels, and heads that rows are added to.
template <class T>
struct head_layout {
  scratch_size forward_size, backward_size, cached_size;
  index_t append_block;  ///< capacities of heads that rows are added to are multiples of it
  index_t (*appendable_size)(index_t capacity, index_t head_size, index_t value_size);
  void (*append_row)(T* head, index_t capacity, index_t j, const T* key, index_t head_size, const T* value,
                     index_t value_size);
  void (*copy_rows)(T* to, index_t to_capacity, const T* from, index_t from_capacity, index_t length, index_t head_size,
                    index_t value_size);
};

/// Kernels by policies: as many as kernels/attention/policies.hpp lists.
inline constexpr int forward_kernels = 13;
inline constexpr int backward_kernels = 3;

/// Attention of one number type (kernels/attention/).
template <class T>
struct attention_table {
  head_layout<T> layout;
  forward_kernel<T> forward[forward_kernels];
  cached_kernel<T> cached[forward_kernels];
  backward_kernel<T> backward[backward_kernels];
};

/// Row passes and matrix products of inference (kernels/rows/, kernels/gemm/).
template <class T>
struct inference_table {
  void (*activate_rows)(T* y, index_t stride, index_t rows, index_t cols, activation f);
  void (*bias_activate_rows)(T* y, index_t stride, const T* bias, index_t rows, index_t cols, activation f);
  void (*residual_norm_rows)(T* y, index_t y_stride, const T* x, index_t x_stride, const norm_view<T>& norm,
                             index_t rows, index_t cols);
  void (*embed_norm_rows)(T* y, index_t y_stride, const std::int32_t* ids, const std::int32_t* positions,
                          const std::int32_t* types, const T* word, const T* position, const T* token_type,
                          const norm_view<T>& norm, index_t rows, index_t cols);
  index_t panel_width;  ///< R
  void (*pack_panels)(T* panels, T* panel_bias, const T* w, const T* bias, index_t out, index_t in);
  void (*multiply_panels)(const panel_weight<T>& w, T* y, index_t y_stride, const T* x, index_t x_stride, index_t rows,
                          index_t column, index_t cols, activation f);
};

/// Attention in bytes (kernels/attention_u8/).
struct u8_table {
  std::uint32_t (*largest_magnitude)(const float_rows& rows, index_t size);
  void (*pack_keys)(std::uint8_t* packed, const float_rows& rows, index_t head_size, float inverse_step);
  void (*pack_signed_values)(std::uint8_t* packed, std::uint8_t* bound, const float_rows& rows, index_t value_size,
                             float inverse_step);
  void (*pack_unsigned_values)(std::uint8_t* packed, std::uint8_t* bound, const float_rows& rows, index_t value_size,
                               float inverse_step);
  void (*order_keys)(index_t* order, index_t count, const std::uint8_t* keys, const float_rows& queries,
                     index_t head_size, float inverse_step, std::uint8_t* scratch);
  void (*attention_head)(const u8_head_call& call);
};

/// Matrix products in bytes (kernels/gemm_s8/).
struct s8_table {
  index_t (*row_bytes)(index_t in);  ///< of an operand row
  index_t column_step;               ///< columns that are computed together
  /// Returns the first row with a number that is not finite, or -1; such rows are quantized as zeros.
  index_t (*quantize_rows)(const s8_quantize_call& call);
  void (*multiply)(const s8_product_call& call);
  void (*multiply_gelu)(const s8_product_call& call);
  void (*multiply_residual)(const s8_product_call& call);
};

/// The kernels in floating point.
struct float_tables {
  attention_table<float> attention_f32;
  attention_table<double> attention_f64;
  inference_table<float> inference_f32;
  inference_table<double> inference_f64;
};

/// Everything that is compiled per instruction set.
struct kernel_tables {
  const char* isa;             ///< isa_name of what they were compiled for
  const float_tables* floats;  ///< its own, or those of a smaller set that has all that these kernels use
  u8_table u8;
  s8_table s8;
};

}  // namespace boundary

inline namespace INHIBITOR_TARGET {

using boundary::activation;
using boundary::norm_view;

namespace kernels {

using boundary::float_rows;
using boundary::head_gradients;
using boundary::head_inputs;
using boundary::option_gradients;
using boundary::panel_weight;
using boundary::s8_product_call;
using boundary::s8_quantize_call;
using boundary::s8_weight;
using boundary::u8_head_call;
using boundary::u8_mean;
using boundary::u8_threshold_rule;
using boundary::weight_options;

/// Weights max(raw, 0), neither centered nor scaled.
template <class T>
INHIBITOR_INLINE constexpr weight_options<T> plain_weights() {
  return {T(1), T(0), T(1), false, false, false};
}

/// The rule that inhibits nothing.
INHIBITOR_INLINE constexpr u8_threshold_rule u8_no_threshold() { return {0, 0xffff, 0, 0, 0, 0}; }

/// Number of renumbered key j in the caller's arrays.
template <class T>
INHIBITOR_INLINE index_t key_number(const head_inputs<T>& in, index_t j) {
  return in.order != nullptr ? in.order[j] : j;
}

INHIBITOR_INLINE const float* row_of(const float_rows& rows, index_t n) {
  return rows.data + (rows.order == nullptr ? n : rows.order[n]) * rows.stride;
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
