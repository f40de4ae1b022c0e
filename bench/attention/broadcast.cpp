// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "attention/contender.hpp"

// The inhibitor as array frameworks compute it: every difference of a head is written to an (L, S, D) array and then
// summed. What the compiler makes of the loops, no more; the memory traffic decides.

namespace inhibitor {
namespace bench {
namespace {

class broadcast : public contender {
 public:
  explicit broadcast(const inputs& in) : in_(in) {
    const problem& p = in.what;
    out_.resize(p.query_size());
    differences_.resize(p.queries * p.keys * p.head_size);
    scores_.resize(p.queries * p.keys);
  }
  void run() override {
    for (index_t head = 0; head < in_.what.batch * in_.what.heads; ++head) {
      score(head);
      weigh(head);
      aggregate(head);
    }
  }
  std::vector<double> result() const override { return {out_.begin(), out_.end()}; }
  index_t workspace_bytes() const override {
    return static_cast<index_t>(sizeof(float)) * (differences_.size() + scores_.size());
  }

 private:
  void score(index_t head) {
    const problem& p = in_.what;
    const index_t d = p.head_size;
    const float* q = in_.q.data() + head * p.queries * d;
    const float* k = in_.k.data() + head * p.keys * d;
    for (index_t i = 0; i < p.queries; ++i) {
      for (index_t j = 0; j < p.keys; ++j) {
        float* to = differences_.data() + (i * p.keys + j) * d;
        for (index_t x = 0; x < d; ++x) to[x] = std::fabs(q[i * d + x] - k[j * d + x]);
      }
    }
    for (index_t pair = 0; pair < p.queries * p.keys; ++pair) {
      float sum = 0;
      for (index_t x = 0; x < d; ++x) sum += differences_[pair * d + x];
      scores_[pair] = sum;
    }
  }
  bool attends(index_t head, index_t i, index_t j) const {
    const problem& p = in_.what;
    return j < in_.limit(i) &&
           (in_.key_mask.empty() || in_.key_mask[static_cast<std::size_t>(head / p.heads * p.keys + j)] != 0);
  }
  void weigh(index_t head) {
    const problem& p = in_.what;
    const auto h = static_cast<std::size_t>(head % p.heads);
    const float scale = in_.score_scale[h] / std::sqrt(static_cast<float>(p.head_size));
    for (index_t i = 0; i < p.queries; ++i) {
      float* row = scores_.data() + i * p.keys;
      float sum = 0;
      index_t count = 0;
      for (index_t j = 0; j < p.keys; ++j) {
        if (!attends(head, i, j)) continue;
        sum += row[j];
        ++count;
      }
      const float mean = count > 0 ? sum / static_cast<float>(count) : 0.0F;
      for (index_t j = 0; j < p.keys; ++j) {
        row[j] = attends(head, i, j) ? std::max(scale * (row[j] - mean) + in_.shift[h], 0.0F) : 1e30F;
      }
    }
  }
  void aggregate(index_t head) {
    const problem& p = in_.what;
    const index_t d = p.head_size;
    const float* v = in_.v.data() + head * p.keys * d;
    float* out = out_.data() + head * p.queries * d;
    for (index_t i = 0; i < p.queries; ++i) {
      for (index_t j = 0; j < p.keys; ++j) {
        float* to = differences_.data() + (i * p.keys + j) * d;
        const float z = scores_[i * p.keys + j];
        for (index_t x = 0; x < d; ++x) {
          to[x] = std::max(v[j * d + x] - z, 0.0F) + std::min(v[j * d + x] + z, 0.0F);
        }
      }
    }
    const float factor = in_.output_scale[static_cast<std::size_t>(head % p.heads)];
    for (index_t i = 0; i < p.queries; ++i) {
      float* row = out + i * d;
      std::fill(row, row + d, 0.0F);
      for (index_t j = 0; j < p.keys; ++j) {
        const float* from = differences_.data() + (i * p.keys + j) * d;
        for (index_t x = 0; x < d; ++x) row[x] += from[x];
      }
      for (index_t x = 0; x < d; ++x) row[x] *= factor;
    }
  }

  const inputs& in_;
  aligned_buffer<float> out_, differences_, scores_;  // (B, H, L, D), (L, S, D), (L, S)
};

}  // namespace

void add_broadcast(contender_list& list) {
  const auto takes = [](const problem& p) {
    return !p.backward && !p.prepared && p.threads == 1 && p.queries * p.keys <= 512 * 512;
  };
  list.entries.push_back({"inhibitor_broadcast", "f32", "external", false, exactness::float32, takes,
                          [](const inputs& in) { return std::make_unique<broadcast>(in); }});
}

}  // namespace bench
}  // namespace inhibitor
