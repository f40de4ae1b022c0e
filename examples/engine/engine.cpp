// SPDX-License-Identifier: Apache-2.0
// An inference engine that has its own tensors, its own threads and its own memory and wants nothing but the attention:
// pointers, strides and an executor go in, a status comes out, no library type is stored. Cross-attention with padded
// keys and grouped heads, one tensor in either memory layout; then the same keys from a cache, as a decoder has them.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <inhibitor/attention/kv_cache.hpp>
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

/// Scratch memory from wherever the engine takes its memory.
struct scratch {
  explicit scratch(inhibitor::index_t bytes) : memory(static_cast<std::size_t>(bytes)) {}
  void* data() { return memory.data(); }
  inhibitor::index_t size() const { return static_cast<inhibitor::index_t>(memory.size()); }
  std::vector<unsigned char> memory;
};

bool done(const char* what, inhibitor::attention_status status) {
  if (status == inhibitor::attention_status::ok) return true;
  std::fprintf(stderr, "%s: %s\n", what, inhibitor::describe(status));
  return false;
}

}  // namespace

int main() {
  // B 2, H 4 query heads, 2 key/value heads, L 5 queries, S 9 keys, D 16, Dv 8; the second item of the batch has only 4
  // real keys.
  inhibitor::attention_shape shape{2, 4, 5, 9, 16, 8};
  shape.kv_heads = 2;
  const std::vector<std::uint8_t> key_mask{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0};  // (B, S)
  const std::vector<float> score_scale(4, 1.0f), shift(4, 0.1f), output_scale(4, 1.0f);            // (H)

  tensor q(2, 4, 5, 16, tensor::layout::batch_row_head), k(2, 2, 9, 16, tensor::layout::batch_head_row);
  tensor v(2, 2, 9, 8, tensor::layout::batch_head_row), out(2, 4, 5, 8, tensor::layout::batch_row_head);
  fill(q, 1), fill(k, 2), fill(v, 3);

  const inhibitor::inhibitor_attention<float> mechanism{{}, {score_scale.data(), shift.data(), output_scale.data()}};
  inhibitor::attention_mask mask;
  mask.key_mask = key_mask.data();
  engine::thread_pool pool(2);
  scratch workspace(inhibitor::attention_workspace_size<float>(shape, pool.workers()));
  if (!done("attention", inhibitor::try_multi_head_attention_forward<float>(view(out), view(q), view(k), view(v), shape,
                                                                            mask, mechanism, workspace.data(),
                                                                            workspace.size(), on(pool)))) {
    return 1;
  }

  // The formula, written out.
  float worst = 0;
  for (int b = 0; b < 2; ++b) {
    for (int h = 0; h < 4; ++h) {
      for (int i = 0; i < 5; ++i) {
        float z[9] = {};
        float mean = 0;
        const int keys = b == 0 ? 9 : 4;
        for (int j = 0; j < keys; ++j) {
          for (int d = 0; d < 16; ++d) z[j] += std::fabs(q.row(b, h, i)[d] - k.row(b, h / 2, j)[d]) / 4;
          mean += z[j] / static_cast<float>(keys);
        }
        for (int c = 0; c < 8; ++c) {
          float sum = 0;
          for (int j = 0; j < keys; ++j) {
            const float value = v.row(b, h / 2, j)[c], inhibition = std::fmax(z[j] - mean + 0.1f, 0.0f);
            sum += std::copysign(std::fmax(std::fabs(value) - inhibition, 0.0f), value);
          }
          worst = std::fmax(worst, std::fabs(sum - out.row(b, h, i)[c]));
        }
      }
    }
  }
  std::printf("largest difference from the written-out formula: %g\n", static_cast<double>(worst));

  // Decoding: each sequence keeps its keys and values packed, a row is added per token and the rest is only read.
  using cache = inhibitor::kv_cache<float>;
  const inhibitor::cache_extents extents{2, 16, 8};
  scratch first(cache::bytes(extents, 9)), second(cache::bytes(extents, 9));
  cache caches[2] = {cache(extents, first.data(), 9), cache(extents, second.data(), 9)};
  for (int b = 0; b < 2; ++b) {
    for (int j = 0; j < (b == 0 ? 9 : 4); ++j) {
      const inhibitor::heads_view<const float> new_key{k.row(b, 0, j), 0, k.row_stride, k.head_stride};
      const inhibitor::heads_view<const float> new_value{v.row(b, 0, j), 0, v.row_stride, v.head_stride};
      if (!done("append", caches[b].append(new_key, new_value, 1))) return 1;
    }
  }
  tensor decoded(2, 4, 5, 8, tensor::layout::batch_row_head);
  scratch decoding(inhibitor::cached_attention_workspace_size<float>(shape, pool.workers()));
  if (!done("decoding",
            inhibitor::try_cached_attention_forward<float>(view(decoded), view(q), caches, shape, {}, mechanism,
                                                           decoding.data(), decoding.size(), on(pool)))) {
    return 1;
  }
  const bool same = decoded.numbers == out.numbers;
  std::printf("from the caches: %s\n", same ? "the same bits" : "something else");
  return worst < 1e-5f && same ? 0 : 1;
}
