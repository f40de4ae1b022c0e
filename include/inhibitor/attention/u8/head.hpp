// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstring>
#include <limits>

#include "inhibitor/attention/driver.hpp"
#include "inhibitor/attention/u8/rule.hpp"
#include "inhibitor/kernels/attention_u8/table.hpp"

// What the u8 attention calls share: steps of a head, memory of its packed keys and values, and the call of its kernel.
// Neither allocates nor throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace driver {

/// Where a u8 call writes: floats, or integers with their scale.
struct u8_output {
  heads_view<float> floats;           ///< (B, L, H, Dv) or null
  heads_view<std::int32_t> integers;  ///< (B, L, H, Dv) or null
  float* scales = nullptr;            ///< (B, H) value of one unit of `integers`

  bool complete() const { return floats.data != nullptr || (integers.data != nullptr && scales != nullptr); }
};

/// Whether every scalar is there and finite, and the extents within the limits of the u8 path.
inline attention_status u8_status(const attention_shape& s, const inhibitor_attention<float>& m) {
  const attention_status status = shape_status(s);
  if (status != attention_status::ok) return status;
  if (s.head_size > kernels::u8_max_head_size || s.value_size > kernels::u8_max_value_size || s.keys > 8000000) {
    return attention_status::too_large_for_u8;
  }
  if (s.heads == 0) return attention_status::ok;
  if (!mechanism_policy<inhibitor_attention<float>>::has_scalars(m)) return attention_status::missing_scalars;
  for (index_t h = 0; h < s.heads; ++h) {
    const bool finite =
        is_finite(m.scalars.score_scale[h]) && is_finite(m.scalars.shift[h]) && is_finite(m.scalars.output_scale[h]);
    if (!finite) return attention_status::not_finite;
  }
  return attention_status::ok;
}

/// The packed keys and values of one head, wherever they are kept.
struct u8_head_memory {
  std::uint8_t* keys;
  std::uint8_t* values;
  std::uint8_t* bound;

  static index_t bytes(index_t keys, index_t head_size, index_t value_size) {
    return round_up(kernels::u8_key_bytes(keys, head_size), 64) + kernels::u8_value_bytes(keys, value_size) +
           kernels::u8_bound_bytes(keys);
  }
  u8_head_memory(std::uint8_t* memory, index_t scored, index_t head_size, index_t value_size)
      : keys(memory),
        values(keys + round_up(kernels::u8_key_bytes(scored, head_size), 64)),
        bound(values + kernels::u8_value_bytes(scored, value_size)) {}
};

/// Steps of a head: the size of one unit of query and key bytes, and of value magnitudes.
struct u8_steps {
  float key = 0, value = 0;
  float inverse_key = 0, inverse_value = 0;

  u8_steps() = default;
  u8_steps(float largest_key, float largest_value) {
    constexpr float smallest = 1e-30F;
    if (largest_key >= smallest) key = largest_key / 127.0F, inverse_key = 127.0F / largest_key;
    if (largest_value >= smallest) value = largest_value / 255.0F, inverse_value = 255.0F / largest_value;
  }
};

/// Rows of a head, in the order of a selection where one is given.
inline kernels::float_rows u8_rows(const float* data, index_t stride, index_t count, const index_t* order = nullptr) {
  kernels::float_rows rows{};
  rows.data = data;
  rows.stride = stride;
  rows.order = order;
  rows.count = count;
  return rows;
}

/// All queries of sequence b: the steps are theirs, also when only some rows are computed.
inline kernels::float_rows u8_sequence_queries(const heads_view<const float>& q, const attention_shape& s, index_t b,
                                               index_t h) {
  return u8_rows(sequence_head(q, s.query_starts, b, h), q.row_stride, sequence_length(s.query_starts, b, s.queries));
}

/// Largest |x| of some rows; infinity or NaN when one is not finite.
inline float u8_largest(const kernels::float_rows& rows, index_t size, const kernels::u8_table& table) {
  const std::uint32_t bits = table.largest_magnitude(rows, size);
  float x;
  __builtin_memcpy(&x, &bits, sizeof(x));
  return x;
}

/// The first work item that failed, the same for every number of threads.
class first_failure {
 public:
  static constexpr index_t none = std::numeric_limits<index_t>::max();
  void note(index_t item) {
    index_t seen = item_.load();
    while (item < seen && !item_.compare_exchange_weak(seen, item)) {
    }
  }
  index_t item() const { return item_.load(); }

 private:
  std::atomic<index_t> item_{none};
};

/// Packs the keys and values of a head. False when one is not finite. `range` is the largest |q| to make room for.
/// With `reorder`, which is the array behind in.order, keys are brought near ones first; `scratch` is that of the
/// kernel.
inline bool u8_pack_head(const u8_head_memory& memory, u8_steps& steps, kernels::head_inputs<float>& in, float range,
                         bool is_signed, const kernels::u8_table& table, index_t* reorder = nullptr,
                         std::uint8_t* scratch = nullptr) {
  kernels::float_rows keys = u8_rows(in.k, in.k_stride, in.scored, in.order);
  kernels::float_rows values = u8_rows(in.v, in.v_stride, in.value_size == 0 ? 0 : in.attended, in.order);
  const float largest_key = u8_largest(keys, in.head_size, table);
  const float largest_value = u8_largest(values, in.value_size, table);
  if (!is_finite(range) || !is_finite(largest_key) || !is_finite(largest_value)) return false;
  steps = u8_steps(largest_key > range ? largest_key : range, largest_value);
  table.pack_keys(memory.keys, keys, in.head_size, steps.inverse_key);
  if (reorder != nullptr) {
    const kernels::float_rows queries = u8_rows(in.q, in.q_stride, in.queries);
    table.order_keys(reorder, in.attended, memory.keys, queries, in.head_size, steps.inverse_key, scratch);
    in.order = keys.order = values.order = reorder;
    table.pack_keys(memory.keys, keys, in.head_size, steps.inverse_key);
  }
  const auto pack_values = is_signed ? table.pack_signed_values : table.pack_unsigned_values;
  pack_values(memory.values, memory.bound, values, in.value_size, steps.inverse_value);
  return true;
}

/// The kernel call of query head h of sequence b; `in` describes it as head_of does.
inline kernels::u8_head_call u8_call_of(const u8_output& out, const kernels::head_inputs<float>& in,
                                        const u8_steps& steps, const u8_head_memory& memory, const attention_shape& s,
                                        const key_selection& keys, const inhibitor_attention<float>& mechanism,
                                        index_t b, index_t h, std::uint8_t* scratch) {
  kernels::u8_head_call call{};
  call.queries = u8_rows(in.q, in.q_stride, in.queries);
  call.head_size = s.head_size;
  call.value_size = s.value_size;
  call.inverse_step = steps.inverse_key;
  call.keys = memory.keys;
  call.values = memory.values;
  call.bound = memory.bound;
  call.scored = in.scored;
  call.limits = in.limits;
  call.attend = in.attend;
  call.attend_stride = in.attend_stride;
  call.order = in.order;
  const inhibitor_scalars<const float>& scalars = mechanism.scalars;
  call.rule = u8_rule_of(scalars.score_scale[h], scalars.shift[h], s.head_size, steps.key, steps.value);
  switch (mechanism.options.center) {
    case centering::none:
      call.mean = kernels::u8_mean::none;
      break;
    case centering::attended_keys:
      call.mean = kernels::u8_mean::attended;
      break;
    case centering::all_keys:
      call.mean = kernels::u8_mean::scored;
      break;
  }
  call.skip = mechanism.options.skip_inhibited;
  call.scale = scalars.output_scale[h] * steps.value;
  call.normalize = mechanism.options.normalize_by_length;
  if (out.integers.data != nullptr) {
    call.integers = sequence_head(out.integers, s.query_starts, b, h) + keys.first * out.integers.row_stride;
    call.out_stride = out.integers.row_stride;
    out.scales[b * s.heads + h] = call.scale;
  } else {
    call.out = sequence_head(out.floats, s.query_starts, b, h) + keys.first * out.floats.row_stride;
    call.out_stride = out.floats.row_stride;
  }
  call.scratch = scratch;
  return call;
}

}  // namespace driver
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
