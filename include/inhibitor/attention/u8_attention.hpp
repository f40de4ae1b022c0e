// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8_rule.hpp"
#include "inhibitor/kernels/u8_table.hpp"

// Inhibitor attention in bytes (inference). Q and K of a head are rounded to bytes with one common step, V to a
// magnitude byte and a sign with another; distances, thresholds and sums are integers, so the same input gives the same
// bits on every instruction set and for any number of threads. Definition and masks as in multi_head.hpp; the output
// differs from the float one by the rounding of the inputs (about 1.5 to 3 % on Gaussian data).
//
// Every value must be finite; a value that is not is reported with its position. Magnitudes below 1e-30 count as 0.
// Limits: D <= 257 (a distance has 16 bits), Dv <= 1024, S <= 8,000,000 (sums have 32 bits).

namespace inhibitor {

/// Choices of a u8 call that do not change its result.
struct u8_options {
  bool skip_inhibited = false;  ///< leave out groups of keys that are fully inhibited; pays when most keys are
};

namespace detail {

/// Where a u8 call writes: floats, or integers with their scale.
struct u8_output {
  heads_view<float> floats;           ///< (B, L, H, Dv) or null
  heads_view<std::int32_t> integers;  ///< (B, L, H, Dv) or null
  float* scales = nullptr;            ///< (B, H) value of one unit of `integers`
};

inline void check_u8(const attention_shape& s, bool has_data) {
  check_attention(s, has_data);
  check(s.head_size <= kernels::u8_max_head_size && s.value_size <= kernels::u8_max_value_size && s.keys <= 8000000,
        [&] {
          return "u8 attention: takes D up to 257, Dv up to 1024 and S up to 8000000, got D " +
                 std::to_string(s.head_size) + ", Dv " + std::to_string(s.value_size) + ", S " + std::to_string(s.keys);
        });
}

inline void check_u8_scalars(const inhibitor_attention<float>& m, index_t heads) {
  mechanism_policy<inhibitor_attention<float>>::check_scalars(m);
  for (index_t h = 0; h < heads; ++h) {
    check(std::isfinite(m.scalars.score_scale[h]) && std::isfinite(m.scalars.shift[h]) &&
              std::isfinite(m.scalars.output_scale[h]),
          [&] { return "u8 attention: a scalar of head " + std::to_string(h) + " is not finite"; });
  }
}

/// The packed keys and values of one head, wherever they are kept.
struct u8_head_memory {
  std::uint8_t* keys;
  std::uint8_t* values;
  std::uint8_t* bound;

  static index_t bytes(index_t keys, index_t head_size, index_t value_size) {
    return kernels::round_up(kernels::u8_key_bytes(keys, head_size), 64) + kernels::u8_value_bytes(keys, value_size) +
           kernels::u8_bound_bytes(keys);
  }
  u8_head_memory(std::uint8_t* memory, index_t scored, index_t head_size, index_t value_size)
      : keys(memory),
        values(keys + kernels::round_up(kernels::u8_key_bytes(scored, head_size), 64)),
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

inline float float_of_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

inline kernels::float_rows head_rows(const heads_view<const float>& x, index_t b, index_t h, index_t count) {
  kernels::float_rows rows;
  rows.data = x.head(b, h);
  rows.stride = x.row_stride;
  rows.count = count;
  return rows;
}

/// Throws for the first value of head (b, h) that is not finite, if there is one among the rows.
inline void report_not_finite(const char* name, const kernels::float_rows& rows, index_t size, index_t b, index_t h) {
  for (index_t r = 0; r < rows.count; ++r) {
    for (index_t k = 0; k < size; ++k) {
      check(std::isfinite(rows.row(r)[k]), [&] {
        const index_t place = rows.order == nullptr ? r : rows.order[r];
        return std::string("u8 attention: ") + name + " is not finite at batch " + std::to_string(b) + ", row " +
               std::to_string(place) + ", head " + std::to_string(h) + ", feature " + std::to_string(k);
      });
    }
  }
}

/// The first work item that failed, the same for every number of threads.
class first_failure {
 public:
  void note(index_t item) {
    index_t seen = item_.load();
    while (item < seen && !item_.compare_exchange_weak(seen, item)) {
    }
  }
  bool any() const { return item() != std::numeric_limits<index_t>::max(); }
  index_t item() const { return item_.load(); }

 private:
  std::atomic<index_t> item_{std::numeric_limits<index_t>::max()};
};

inline kernels::u8_head_call u8_call_of(const u8_output& out, const heads_view<const float>& q, const u8_steps& steps,
                                        const u8_head_memory& memory, const attention_shape& s,
                                        const key_selection& keys, const inhibitor_attention<float>& mechanism,
                                        const u8_options& options, index_t b, index_t h, std::uint8_t* scratch) {
  kernels::u8_head_call call;
  call.queries = head_rows(q, b, h, s.queries);
  call.head_size = s.head_size;
  call.value_size = s.value_size;
  call.inverse_step = steps.inverse_key;
  call.queries_in_range = true;
  call.keys = memory.keys;
  call.values = memory.values;
  call.bound = memory.bound;
  call.scored = keys.scored;
  call.limits = keys.limits;
  call.rule =
      u8_rule_of(mechanism.scalars.score_scale[h], mechanism.scalars.shift[h], s.head_size, steps.key, steps.value);
  switch (mechanism.options.center) {
    case centring::none:
      call.mean = kernels::u8_mean::none;
      break;
    case centring::attended_keys:
      call.mean = kernels::u8_mean::attended;
      break;
    case centring::all_keys:
      call.mean = kernels::u8_mean::scored;
      break;
  }
  call.skip = options.skip_inhibited;
  call.scale = mechanism.scalars.output_scale[h] * steps.value;
  call.normalize = mechanism.options.normalize_by_length;
  if (out.integers.data != nullptr) {
    call.integers = out.integers.head(b, h);
    call.out_stride = out.integers.row_stride;
    out.scales[b * s.heads + h] = call.scale;
  } else {
    call.out = out.floats.head(b, h);
    call.out_stride = out.floats.row_stride;
  }
  call.scratch = scratch;
  return call;
}

inline void pack_u8_head(const u8_head_memory& memory, const kernels::float_rows& keys,
                         const kernels::float_rows& values, const u8_steps& steps, const attention_shape& s,
                         bool is_signed, const kernels::u8_table& table) {
  table.pack_keys(memory.keys, keys, s.head_size, steps.inverse_key);
  const auto pack_values = is_signed ? table.pack_signed_values : table.pack_unsigned_values;
  pack_values(memory.values, memory.bound, values, s.value_size, steps.inverse_value);
}

/// All heads from floats.
inline void u8_attention_heads(const u8_output& out, const heads_view<const float>& q, const heads_view<const float>& k,
                               const heads_view<const float>& v, const attention_shape& shape,
                               const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                               const u8_options& options, attention_workspace& workspace, const executor& run,
                               const kernels::u8_table& table) {
  const bool no_queries = shape.batch * shape.heads * shape.queries == 0;
  const bool no_keys = shape.batch * shape.heads * shape.keys == 0;
  const bool has_out = out.floats.data != nullptr || (out.integers.data != nullptr && out.scales != nullptr);
  check_u8(shape, (no_queries || (q.data && (has_out || shape.value_size == 0))) &&
                      (no_keys || (k.data && (v.data || shape.value_size == 0))));
  check_u8_scalars(mechanism, shape.heads);
  if (no_queries || shape.value_size == 0) return;

  const index_t selection = key_selection::bytes(shape);
  const index_t packed = u8_head_memory::bytes(shape.keys, shape.head_size, shape.value_size);
  const index_t scratch = kernels::u8_scratch_bytes(shape.keys, shape.head_size, shape.value_size);
  workspace.reserve(run.workers(), selection + packed + scratch, 0);
  const bool all_keys = mechanism.options.center == centring::all_keys;
  const auto rows_of = [&](const heads_view<const float>& x, const key_selection& keys, index_t b, index_t h,
                           index_t n) {
    kernels::float_rows rows = head_rows(x, b, h, n);
    rows.order = keys.identity ? nullptr : keys.order;
    return rows;
  };
  first_failure failure;
  run.for_each(shape.batch * shape.heads, [&](index_t item, index_t worker) {
    const index_t b = item / shape.heads, h = item % shape.heads;
    unsigned char* block = workspace.block(worker);
    const key_selection keys(block, shape, mask, b, all_keys);
    const u8_head_memory memory(block + selection, keys.scored, shape.head_size, shape.value_size);
    const kernels::float_rows key_rows = rows_of(k, keys, b, h, keys.scored);
    const kernels::float_rows value_rows = rows_of(v, keys, b, h, keys.attended);
    const std::uint32_t largest_query = table.largest_magnitude(head_rows(q, b, h, shape.queries), shape.head_size);
    const std::uint32_t largest_key = table.largest_magnitude(key_rows, shape.head_size);
    const float largest = float_of_bits(largest_query > largest_key ? largest_query : largest_key);
    const float largest_value = float_of_bits(table.largest_magnitude(value_rows, shape.value_size));
    if (!std::isfinite(largest) || !std::isfinite(largest_value)) {
      failure.note(item);
      return;
    }
    const u8_steps steps(largest, largest_value);
    pack_u8_head(memory, key_rows, value_rows, steps, shape, mechanism.options.is_signed, table);
    table.attention_head(
        u8_call_of(out, q, steps, memory, shape, keys, mechanism, options, b, h, block + selection + packed));
  });
  if (failure.any()) {
    const index_t b = failure.item() / shape.heads, h = failure.item() % shape.heads;
    const key_selection keys(workspace.block(0), shape, mask, b, all_keys);
    report_not_finite("q", head_rows(q, b, h, shape.queries), shape.head_size, b, h);
    report_not_finite("k", rows_of(k, keys, b, h, keys.scored), shape.head_size, b, h);
    report_not_finite("v", rows_of(v, keys, b, h, keys.attended), shape.value_size, b, h);
  }
}

}  // namespace detail

/// u8 attention of every head: out = attention(q, k, v), overwritten. q (B, L, H, D), k (B, S, H, D), v (B, S, H, Dv),
/// out (B, L, H, Dv); out may not overlap the inputs. Throws std::invalid_argument for extents beyond the limits above,
/// null pointers with extent, missing scalars, and for a query, an attended key or a value that is not finite (out is
/// then unspecified); allocates only while `workspace` grows. The instruction set is that of the compiler flags unless
/// `Isa` says otherwise.
template <class Isa = best_isa>
void u8_attention_forward(heads_view<float> out, heads_view<const float> q, heads_view<const float> k,
                          heads_view<const float> v, const attention_shape& shape, const attention_mask& mask,
                          const inhibitor_attention<float>& mechanism, attention_workspace& workspace,
                          const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.floats = out;
  detail::u8_attention_heads(output, q, k, v, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

/// The same with integer output: the attention is out * scales[b * H + h], scales (B, H). Length normalisation is left
/// to the caller.
template <class Isa = best_isa>
void u8_attention_forward(heads_view<std::int32_t> out, float* scales, heads_view<const float> q,
                          heads_view<const float> k, heads_view<const float> v, const attention_shape& shape,
                          const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                          attention_workspace& workspace, const executor& run, const u8_options& options = {}) {
  detail::u8_output output;
  output.integers = out;
  output.scales = scales;
  detail::u8_attention_heads(output, q, k, v, shape, mask, mechanism, options, workspace, run,
                             kernels::u8_tables<Isa>::get());
}

}  // namespace inhibitor
