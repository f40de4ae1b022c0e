// SPDX-License-Identifier: Apache-2.0
#include <inhibitor/nn/losses.hpp>

int main() {
  const float logits[] = {1, 1};
  const std::int32_t label = 1;
  const double loss = inhibitor::cross_entropy<float>(nullptr, logits, &label, 1, 2);
  return loss > 0.69 && loss < 0.70 ? 0 : 1;
}
