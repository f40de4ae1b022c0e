// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <inhibitor/attention/raw.hpp>

// One query on its first key: a distance of 0 inhibits nothing but the mean of both, so 1 - 0 comes through.
int main() {
  const float q[] = {0}, k[] = {0, 2}, v[] = {1, 1}, one = 1, none = 0;
  float out = 0;
  inhibitor::attention_shape shape{1, 1, 1, 2, 1, 1};
  const inhibitor::inhibitor_attention<float> mechanism{{}, {&one, &none, &one}};
  alignas(64) unsigned char memory[1 << 16];
  const auto status = inhibitor::try_multi_head_attention_forward<float>(
      {&out, 1, 1, 1}, {q, 1, 1, 1}, {k, 2, 1, 1}, {v, 2, 1, 1}, shape, {}, mechanism, memory, sizeof(memory), {});
  std::printf("%s: %g on %s\n", inhibitor::describe(status), static_cast<double>(out), inhibitor::active_isa());
  return status == inhibitor::attention_status::ok && out == 1 ? 0 : 1;
}
