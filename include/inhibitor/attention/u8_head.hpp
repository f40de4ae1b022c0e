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

// What the u8 attention calls share: steps of a head, memory of its packed keys and values, the call of its kernel, and
// the report of values that are not finite.

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

inline bool has_u8_output(const u8_output& out) {
  return out.floats.data != nullptr || (out.integers.data != nullptr && out.scales != nullptr);
}

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
                                        const u8_options& options, index_t b, index_t h, bool queries_in_range,
                                        std::uint8_t* scratch) {
  kernels::u8_head_call call;
  call.queries = head_rows(q, b, h, s.queries);
  call.head_size = s.head_size;
  call.value_size = s.value_size;
  call.inverse_step = steps.inverse_key;
  call.queries_in_range = queries_in_range;
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

/// Rows of the keys that take part, in the order of the selection.
inline kernels::float_rows selected_rows(const heads_view<const float>& x, const key_selection& keys, index_t b,
                                         index_t h, index_t count) {
  kernels::float_rows rows = head_rows(x, b, h, count);
  rows.order = keys.identity ? nullptr : keys.order;
  return rows;
}

inline void pack_u8_head(const u8_head_memory& memory, const kernels::float_rows& keys,
                         const kernels::float_rows& values, const u8_steps& steps, const attention_shape& s,
                         bool is_signed, const kernels::u8_table& table) {
  table.pack_keys(memory.keys, keys, s.head_size, steps.inverse_key);
  const auto pack_values = is_signed ? table.pack_signed_values : table.pack_unsigned_values;
  pack_values(memory.values, memory.bound, values, s.value_size, steps.inverse_value);
}

}  // namespace detail
}  // namespace inhibitor
