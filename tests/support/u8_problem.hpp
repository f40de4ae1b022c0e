// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <vector>

#include "inhibitor/attention/u8/attention.hpp"

namespace inhibitor {
namespace test {

/// One call with everything it needs, filled with Gaussian numbers.
struct u8_problem {
  attention_shape shape;
  inhibitor_options options;
  attention_mask mask;
  std::vector<float> q, k, v, scale, shift, output_scale;
  std::vector<std::uint8_t> key_mask, pair_mask;

  u8_problem(index_t batch, index_t heads, index_t queries, index_t keys, index_t head_size, index_t value_size,
             float gamma = 1.0F, float delta = 0.5F, unsigned seed = 1) {
    shape.batch = batch;
    shape.heads = heads;
    shape.queries = queries;
    shape.keys = keys;
    shape.head_size = head_size;
    shape.value_size = value_size;
    std::mt19937 generator(seed);
    // Not std::normal_distribution, whose numbers differ between standard libraries: sums of twelve uniform ones.
    const auto gaussian = [&] {
      std::int64_t sum = 0;
      for (int i = 0; i < 12; ++i) sum += generator() >> 8;
      return static_cast<float>(static_cast<double>(sum) / 16777216.0 - 6.0);
    };
    q.resize(static_cast<std::size_t>(batch * queries * heads * head_size));
    k.resize(static_cast<std::size_t>(batch * keys * heads * head_size));
    v.resize(static_cast<std::size_t>(batch * keys * heads * value_size));
    for (auto* x : {&q, &k, &v}) {
      for (auto& value : *x) value = gaussian();
    }
    for (index_t h = 0; h < heads; ++h) {
      scale.push_back(gamma + 0.1F * static_cast<float>(h));
      shift.push_back(delta - 0.05F * static_cast<float>(h));
      output_scale.push_back(1.0F + 0.25F * static_cast<float>(h));
    }
  }
  void mask_keys(unsigned seed) {
    std::mt19937 generator(seed);
    key_mask.resize(static_cast<std::size_t>(shape.batch * shape.keys));
    for (auto& m : key_mask) m = generator() % 3 == 0 ? 0 : 1;
    mask.key_mask = key_mask.data();
  }
  /// Hides about a third of the keys from each query, and all of them from the second query.
  void mask_pairs(unsigned seed) {
    std::mt19937 generator(seed);
    pair_mask.resize(static_cast<std::size_t>(shape.batch * shape.queries * shape.keys));
    for (std::size_t n = 0; n < pair_mask.size(); ++n) {
      const index_t query = static_cast<index_t>(n) / shape.keys % shape.queries;
      pair_mask[n] = generator() % 3 == 0 || query == 1 ? 0 : 1;
    }
    mask.attend = {pair_mask.data(), shape.queries * shape.keys, shape.keys};
  }
  inhibitor_attention<float> mechanism() const { return {options, {scale.data(), shift.data(), output_scale.data()}}; }
  template <class T>
  heads_view<T> view(T* data, index_t rows, index_t width) const {
    return {data, rows * shape.heads * width, shape.heads * width, width};
  }
  heads_view<const float> q_view() const { return view(q.data(), shape.queries, shape.head_size); }
  heads_view<const float> k_view() const { return view(k.data(), shape.keys, shape.head_size); }
  heads_view<const float> v_view() const { return view(v.data(), shape.keys, shape.value_size); }
  std::size_t out_size() const {
    return static_cast<std::size_t>(shape.batch * shape.queries * shape.heads * shape.value_size);
  }

  std::vector<float> floats(const executor& run = executor()) const {
    std::vector<float> out(out_size(), 77.0F);
    attention_workspace workspace;
    u8::multi_head_attention_forward<default_isa>(view(out.data(), shape.queries, shape.value_size), q_view(), k_view(),
                                                 v_view(), shape, mask, mechanism(), workspace, run);
    return out;
  }
  std::vector<std::int32_t> integers(std::vector<float>* scales = nullptr, const executor& run = executor()) const {
    std::vector<std::int32_t> out(out_size(), 77);
    std::vector<float> own(static_cast<std::size_t>(shape.batch * shape.heads));
    attention_workspace workspace;
    u8::multi_head_attention_forward_integers<default_isa>(view(out.data(), shape.queries, shape.value_size), own.data(),
                                                          q_view(), k_view(), v_view(), shape, mask, mechanism(),
                                                          workspace, run);
    if (scales != nullptr) *scales = own;
    return out;
  }

  bool attends(index_t b, index_t i, index_t j) const {
    if (!key_mask.empty() && key_mask[static_cast<std::size_t>(b * shape.keys + j)] == 0) return false;
    const auto pair = static_cast<std::size_t>((b * shape.queries + i) * shape.keys + j);
    if (!pair_mask.empty() && pair_mask[pair] == 0) return false;
    return !mask.causal || j <= i + shape.keys - shape.queries;
  }
};

}  // namespace test
}  // namespace inhibitor
