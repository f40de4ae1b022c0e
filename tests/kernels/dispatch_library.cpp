// SPDX-License-Identifier: Apache-2.0
// A static library with variants of its own; test_dispatch and test_library_variants link it.
#include "kernels/dispatch_library.hpp"

#include "inhibitor/attention/raw.hpp"

const char* isa_of_library() { return inhibitor::active_isa(); }

float sum_of_library() {
  using namespace inhibitor;
  constexpr index_t n = 20;
  float x[n * n], out[n * n];
  for (int i = 0; i < n * n; ++i) x[i] = static_cast<float>((i * 37) % 101) / 50.0F - 1.0F;
  const float one = 1.0F;
  const inhibitor_attention<float> mechanism{{}, {&one, &one, &one}};
  const heads_view<const float> in{x, 0, n, 0};
  const attention_shape shape{1, 1, n, n, n, n};
  static unsigned char memory[1 << 18];
  const auto status = try_multi_head_attention_forward<float>({out, 0, n, 0}, in, in, in, shape, {}, mechanism, memory,
                                                              index_t{sizeof(memory)}, {});
  if (status != attention_status::ok) return -1e9F;
  float sum = 0;
  for (int i = 0; i < n * n; ++i) sum += out[i] * static_cast<float>(i % 7);
  return sum;
}
