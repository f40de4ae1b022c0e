// SPDX-License-Identifier: Apache-2.0
#include "no_exceptions.hpp"

#include "inhibitor/attention/kv_cache.hpp"
#include "inhibitor/attention/raw.hpp"
#include "inhibitor/attention/u8/kv_cache.hpp"
#include "inhibitor/attention/u8/raw.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile this file with -fno-exceptions -fno-rtti"
#endif

namespace no_exceptions {
namespace {

// One query at 0, keys at 1 and 3, values 10 and -4. Scores without centering are 1 and 3, thresholds 2 and 4 with the
// shift of 1: out = (10 - 2) - 0 = 8, with an output scale of 0.5: 4.
constexpr float query[] = {0}, key_rows[] = {1, 3}, values[] = {10, -4};
constexpr float scale[] = {1}, shift[] = {1}, output_scale[] = {0.5F};

inhibitor::attention_shape shape() {
  inhibitor::attention_shape s;
  s.queries = 1;
  s.keys = 2;
  s.head_size = 1;
  s.value_size = 1;
  return s;
}

alignas(64) unsigned char memory[1 << 16];

inhibitor::attention_status forward(float* out, const inhibitor::attention_shape& s) {
  inhibitor::inhibitor_options options;
  options.center = inhibitor::centering::none;
  const inhibitor::inhibitor_attention<float> mechanism{options, {scale, shift, output_scale}};
  return inhibitor::try_multi_head_attention_forward<float>({out, 0, 1, 0}, {query, 0, 1, 0}, {key_rows, 0, 1, 0},
                                                            {values, 0, 1, 0}, s, {}, mechanism, memory,
                                                            inhibitor::index_t{sizeof(memory)}, {});
}

float magnitude(float x) { return x < 0 ? -x : x; }

}  // namespace

float largest_error() {
  float out = 0;
  if (forward(&out, shape()) != inhibitor::attention_status::ok) return 1;
  inhibitor::inhibitor_options options;
  options.center = inhibitor::centering::none;
  const inhibitor::inhibitor_attention<float> mechanism{options, {scale, shift, output_scale}};
  float dq = 0, dk[2] = {0, 0}, dv[2] = {0, 0}, d[3] = {0, 0, 0};
  const float one = 1;
  const auto status = inhibitor::try_multi_head_attention_backward<float>(
      {&dq, 0, 1, 0}, {dk, 0, 1, 0}, {dv, 0, 1, 0}, {d, d + 1, d + 2}, {&one, 0, 1, 0}, {query, 0, 1, 0},
      {key_rows, 0, 1, 0}, {values, 0, 1, 0}, shape(), {}, mechanism, memory, inhibitor::index_t{sizeof(memory)}, {});
  if (status != inhibitor::attention_status::ok) return 1;
  // Key 0 alone is live: dV = 0.5, dZ = -0.5, sign(q - k) = -1.
  const float errors[] = {out - 4, dq - 0.5F,   dk[0] + 0.5F, dk[1],   dv[0] - 0.5F,
                          dv[1],   d[0] + 0.5F, d[1] + 0.5F,  d[2] - 8};
  float largest = 0;
  for (const float e : errors) largest = magnitude(e) > largest ? magnitude(e) : largest;
  return largest;
}

float largest_error_of_others() {
  using inhibitor::attention_status;
  inhibitor::inhibitor_options options;
  options.center = inhibitor::centering::none;
  const inhibitor::inhibitor_attention<float> mechanism{options, {scale, shift, output_scale}};
  const inhibitor::heads_view<const float> q{query, 0, 1, 0}, k{key_rows, 0, 1, 0}, v{values, 0, 1, 0};
  const auto bytes = inhibitor::index_t{sizeof(memory)};
  float out[3] = {0, 0, 0};
  const float key_range = 3, value_range = 10;
  static unsigned char held[2][8192];
  const inhibitor::cache_extents extents{1, 1, 1};
  if (inhibitor::kv_cache<float>::bytes(extents, 2) > 8192 || inhibitor::u8::kv_cache::bytes(extents, 2) > 8192)
    return 99;
  inhibitor::kv_cache<float> floats(extents, held[0], 2);
  inhibitor::u8::kv_cache whole(extents, held[1], 2, &key_range, &value_range, true);
  const attention_status all[] = {floats.append(k, v, 2), whole.append(k, v, 2),
                                  inhibitor::try_cached_attention_forward<float>(
                                      {&out[0], 0, 1, 0}, q, &floats, shape(), {}, mechanism, memory, bytes, {}),
                                  inhibitor::u8::try_cached_attention_forward({&out[1], 0, 1, 0}, q, &whole, shape(),
                                                                              {}, mechanism, memory, bytes, {}),
                                  inhibitor::u8::try_multi_head_attention_forward({&out[2], 0, 1, 0}, q, k, v, shape(),
                                                                                  {}, mechanism, memory, bytes, {})};
  float largest = 0;
  for (const attention_status status : all) largest = status == attention_status::ok ? largest : 100;
  for (const float x : out) largest = magnitude(x - 4) > largest ? magnitude(x - 4) : largest;
  return largest;
}

int status_of_call(int keys) {
  float out = 0;
  inhibitor::attention_shape s = shape();
  s.keys = keys;
  return static_cast<int>(forward(&out, s));
}

}  // namespace no_exceptions
