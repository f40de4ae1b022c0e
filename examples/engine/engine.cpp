// SPDX-License-Identifier: Apache-2.0
// An inference engine that has its own tensors and its own threads and wants nothing but the attention: pointers,
// strides and an executor go in, no library type is stored. Cross-attention with padded keys, one tensor in either
// memory layout.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <inhibitor/attention/multi_head.hpp>
#include <vector>

#include "tensor.hpp"
#include "thread_pool.hpp"

namespace {

using engine::tensor;

/// The library's view of a tensor: the same memory, no copy.
inhibitor::heads_view<float> view(tensor& t) { return {t.numbers.data(), t.batch_stride, t.row_stride, t.head_stride}; }

/// The library's handle to the engine's pool. The pool must outlive it.
inhibitor::executor on(engine::thread_pool& pool) {
  const auto run = [](void* context, inhibitor::index_t items, inhibitor::executor::task task, void* argument) {
    static_cast<engine::thread_pool*>(context)->run(
        items, [&](std::ptrdiff_t item, std::ptrdiff_t worker) { task(argument, item, worker); });
  };
  return inhibitor::executor(pool.workers(), run, &pool);
}

/// Numbers that repeat nowhere soon, in [-1, 1].
void fill(tensor& t, float seed) {
  for (std::size_t i = 0; i < t.numbers.size(); ++i) t.numbers[i] = std::sin(seed + 1.7f * static_cast<float>(i));
}

}  // namespace

int main() {
  // B 2, H 3, L 5 queries, S 9 keys, D 16, Dv 8; the second item of the batch has only 4 real keys.
  const inhibitor::attention_shape shape{2, 3, 5, 9, 16, 8};
  const std::vector<std::uint8_t> key_mask{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0};  // (B, S)
  const std::vector<float> score_scale(3, 1.0f), shift(3, 0.1f), output_scale(3, 1.0f);            // (H)

  tensor q(2, 3, 5, 16, tensor::layout::batch_row_head), k(2, 3, 9, 16, tensor::layout::batch_head_row);
  tensor v(2, 3, 9, 8, tensor::layout::batch_head_row), out(2, 3, 5, 8, tensor::layout::batch_row_head);
  fill(q, 1), fill(k, 2), fill(v, 3);

  const inhibitor::inhibitor_attention<float> mechanism{{}, {score_scale.data(), shift.data(), output_scale.data()}};
  const inhibitor::attention_mask mask{key_mask.data(), false};
  inhibitor::attention_workspace workspace;
  engine::thread_pool pool(2);
  inhibitor::multi_head_attention_forward<float>(view(out), view(q), view(k), view(v), shape, mask, mechanism,
                                                 workspace, on(pool));

  // The formula, written out.
  float worst = 0;
  for (int b = 0; b < 2; ++b) {
    for (int h = 0; h < 3; ++h) {
      for (int i = 0; i < 5; ++i) {
        float z[9] = {};
        float mean = 0;
        const int keys = b == 0 ? 9 : 4;
        for (int j = 0; j < keys; ++j) {
          for (int d = 0; d < 16; ++d) z[j] += std::fabs(q.row(b, h, i)[d] - k.row(b, h, j)[d]) / 4;
          mean += z[j] / static_cast<float>(keys);
        }
        for (int c = 0; c < 8; ++c) {
          float sum = 0;
          for (int j = 0; j < keys; ++j) {
            const float value = v.row(b, h, j)[c], inhibition = std::fmax(z[j] - mean + 0.1f, 0.0f);
            sum += std::copysign(std::fmax(std::fabs(value) - inhibition, 0.0f), value);
          }
          worst = std::fmax(worst, std::fabs(sum - out.row(b, h, i)[c]));
        }
      }
    }
  }
  std::printf("largest difference from the written-out formula: %g\n", static_cast<double>(worst));
  return worst < 1e-5f ? 0 : 1;
}
