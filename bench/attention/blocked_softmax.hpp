// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "attention/contender.hpp"
#include "inhibitor/base/round_up.hpp"
#include "inhibitor/kernels/attention/weights.hpp"

// Softmax attention around somebody else's matrix products, made as fast as they allow: a block of queries at a time,
// so that its scores stay in the second cache (the block size is tried out beforehand), this library's vector softmax
// on the rows, normalization on the output rows, and under a causal mask no product with keys that the whole block
// cannot see.

namespace inhibitor {
namespace bench {

/// Products has two static functions: scores(s, pitch, q, k, rows, keys, D) for s = q k^T and
/// values(out, s, pitch, v, rows, keys, D) for out = s v; all row-major float, head rows D apart.
template <class Products>
class blocked_softmax : public contender {
 public:
  explicit blocked_softmax(const inputs& in) : in_(in) {
    const problem& p = in.what;
    out_.resize(p.query_size());
    for (index_t b = 0; b < p.batch; ++b) {
      ends_.push_back(p.keys);
      if (in.key_mask.empty()) continue;
      const std::uint8_t* attend = in.key_mask.data() + b * p.keys;
      index_t& end = ends_.back();
      while (end > 0 && attend[end - 1] == 0) --end;
      const bool holes = std::find(attend, attend + end, std::uint8_t{0}) != attend + end;
      if (!holes) continue;
      bias_.resize(p.batch * p.keys);
      for (index_t j = 0; j < end; ++j) bias_[b * p.keys + j] = attend[j] != 0 ? 0 : -1e30F;
    }
    std::vector<index_t> sizes;
    for (const index_t rows : {64, 128, 256, 512}) {
      if (rows < p.queries && rows * p.keys <= 1 << 19) sizes.push_back(rows);
    }
    if (p.queries <= 512) sizes.push_back(p.queries);
    if (sizes.empty()) sizes.push_back(std::min<index_t>(p.queries, 32));
    set_rows(best_setting(sizes, [&](index_t rows) {
      set_rows(rows);
      return shortest_seconds([&] { run(); });
    }));
  }

  void run() override {
    const problem& p = in_.what;
    p.workers().for_each(p.batch * p.heads, [&](index_t head, index_t worker) {
      for (index_t i = 0; i < p.queries; i += rows_) block(head, i, scores_.data() + worker * rows_ * pitch_);
    });
  }
  std::vector<double> result() const override { return {out_.begin(), out_.end()}; }
  index_t workspace_bytes() const override { return scores_.size() * static_cast<index_t>(sizeof(float)); }
  std::string details() const override { return "blocks of " + std::to_string(rows_) + " queries"; }

 private:
  void set_rows(index_t rows) {
    rows_ = rows;
    pitch_ = round_up(in_.what.keys, 16);
    // Rows a multiple of 4 KiB apart would meet in one set of the first cache.
    if (pitch_ % 1024 == 0) pitch_ += 16;
    scores_ = aligned_buffer<float>(in_.what.threads * rows_ * pitch_);
  }
  void block(index_t head, index_t first, float* scores) {
    const problem& p = in_.what;
    const index_t d = p.head_size, rows = std::min(rows_, p.queries - first);
    const index_t end = ends_[static_cast<std::size_t>(head / p.heads)];
    const index_t keys = std::min(end, in_.limit(first + rows - 1));
    float* out = out_.data() + (head * p.queries + first) * d;
    Products::scores(scores, pitch_, in_.q.data() + (head * p.queries + first) * d, in_.k.data() + head * p.keys * d,
                     rows, keys, d);
    kernels::weight_options<float> options = kernels::plain_weights<float>();
    options.scale = 1.0F / std::sqrt(static_cast<float>(d));
    float factors[512];
    for (index_t r = 0; r < rows; ++r) {
      float* row = scores + r * pitch_;
      if (bias_.size() > 0) {
        const float* bias = bias_.data() + head / p.heads * p.keys;
        for (index_t j = 0; j < keys; ++j) row[j] += bias[j];
      }
      const index_t visible = std::min(keys, in_.limit(first + r));
      factors[r] = kernels::softmax::weigh<best_isa, float>(row, visible, visible, options);
      std::fill(row + visible, row + keys, 0.0F);
    }
    Products::values(out, scores, pitch_, in_.v.data() + head * p.keys * d, rows, keys, d);
    for (index_t r = 0; r < rows; ++r) {
      for (index_t x = 0; x < d; ++x) out[r * d + x] *= factors[r];
    }
  }

  const inputs& in_;
  std::vector<index_t> ends_;  // (B) behind the last key that the mask leaves
  index_t rows_ = 0, pitch_ = 0;
  aligned_buffer<float> out_, scores_, bias_;  // (B, H, L, D), per worker (rows, pitch), (B, S) for masks with holes
};

template <class Products>
contender_entry blocked_softmax_entry(const char* name) {
  return {name,
          "f32",
          "external",
          true,
          exactness::float32,
          [](const problem& p) { return !p.backward && !p.prepared; },
          [](const inputs& in) { return std::make_unique<blocked_softmax<Products>>(in); }};
}

}  // namespace bench
}  // namespace inhibitor
