// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <oneapi/dnnl/dnnl.hpp>

#include "attention/contender.hpp"

// Softmax attention by oneDNN 2.6: matmul (scale and mask fused), softmax, matmul, for blocks of queries of a head or
// for all heads in one batched call, whichever is fastest on the problem. In int8 the softmax is written as bytes with
// the largest weight found beforehand as 255: calibration, which is not timed.

namespace inhibitor {
namespace bench {
namespace {

using dnnl::memory;
using number = memory::data_type;
using dims = memory::dims;

dnnl::engine& cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// memory over somebody else's array.
memory over(const memory::desc& desc, const void* data) { return memory(desc, cpu(), const_cast<void*>(data)); }

struct scales {
  float score = 1, weight = 1, output = 1;  // what the three primitives multiply their results by
};

/// The three primitives for `heads` heads, `rows` queries and `keys` keys, row-major, scores `pitch` apart.
class attention_primitives {
 public:
  attention_primitives(number type, index_t heads, index_t rows, index_t keys, const problem& p, const scales& s,
                       bool masked, bool mask_per_row) {
    const bool bytes = type == number::s8;
    const index_t d = p.head_size;
    q_ = memory::desc(dims{heads, rows, d}, type, dims{p.queries * d, d, 1});
    k_ = memory::desc(dims{heads, d, keys}, type, dims{p.keys * d, 1, d});
    v_ = memory::desc(dims{heads, keys, d}, type, dims{p.keys * d, d, 1});
    scores_ = memory::desc(dims{heads, rows, keys}, number::f32, dims{rows * keys, keys, 1});
    weights_ = memory::desc(dims{heads, rows, keys}, bytes ? number::u8 : number::f32, dims{rows * keys, keys, 1});
    out_ = memory::desc(dims{heads, rows, d}, number::f32, dims{p.queries * d, d, 1});
    mask_ = memory::desc(dims{1, mask_per_row ? rows : 1, keys}, number::f32, dims{rows * keys, keys, 1});

    dnnl::primitive_attr first;
    first.set_output_scales(0, {s.score});
    if (masked) {
      dnnl::post_ops after;
      after.append_binary(dnnl::algorithm::binary_add, mask_);
      first.set_post_ops(after);
    }
    first.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::matmul::primitive_desc score({q_, k_, scores_}, first, cpu());
    dnnl::primitive_attr second;
    if (bytes) second.set_output_scales(0, {s.weight});
    second.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::softmax_v2_forward::primitive_desc softmax(
        {dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, scores_, weights_, 2}, second, cpu());
    dnnl::primitive_attr third;
    third.set_output_scales(0, {s.output});
    third.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::matmul::primitive_desc value({weights_, v_, out_}, third, cpu());
    names_ = std::string(score.impl_info_str()) + ", " + softmax.impl_info_str() + ", " + value.impl_info_str();
    for (const auto& desc : {score.scratchpad_desc(), softmax.scratchpad_desc(), value.scratchpad_desc()}) {
      scratch_.push_back(desc);
    }
    score_ = dnnl::matmul(score);
    softmax_ = dnnl::softmax_v2_forward(softmax);
    value_ = dnnl::matmul(value);
  }

  index_t scratch_bytes() const {
    std::size_t most = 0;
    for (const auto& desc : scratch_) most = std::max(most, desc.get_size());
    return static_cast<index_t>(most);
  }
  index_t score_bytes() const { return static_cast<index_t>(scores_.get_size()); }
  const std::string& names() const { return names_; }

  void run(dnnl::stream& stream, float* out, const void* q, const void* k, const void* v, const float* mask,
           float* scores, void* weights, void* scratch) const {
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, over(q_, q)},
                                              {DNNL_ARG_WEIGHTS, over(k_, k)},
                                              {DNNL_ARG_DST, over(scores_, scores)},
                                              {DNNL_ARG_SCRATCHPAD, over(scratch_[0], scratch)}};
    if (mask != nullptr) {
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, over(mask_, mask));
    }
    score_.execute(stream, arguments);
    softmax_.execute(stream, {{DNNL_ARG_SRC, over(scores_, scores)},
                              {DNNL_ARG_DST, over(weights_, weights)},
                              {DNNL_ARG_SCRATCHPAD, over(scratch_[1], scratch)}});
    value_.execute(stream, {{DNNL_ARG_SRC, over(weights_, weights)},
                            {DNNL_ARG_WEIGHTS, over(v_, v)},
                            {DNNL_ARG_DST, over(out_, out)},
                            {DNNL_ARG_SCRATCHPAD, over(scratch_[2], scratch)}});
  }

 private:
  memory::desc q_, k_, v_, scores_, weights_, out_, mask_;
  std::vector<memory::desc> scratch_;
  dnnl::matmul score_, value_;
  dnnl::softmax_v2_forward softmax_;
  std::string names_;
};

/// Symmetric bytes of x, the largest magnitude as 127. Plain loops that compilers turn into vector code.
float largest_of(const aligned_buffer<float>& x) {
  constexpr index_t width = 64;
  float lanes[width] = {};
  const float* data = x.data();
  const index_t n = x.size();
  index_t i = 0;
  for (; i + width <= n; i += width) {
    for (index_t l = 0; l < width; ++l) {
      const float magnitude = std::fabs(data[i + l]);
      lanes[l] = magnitude > lanes[l] ? magnitude : lanes[l];
    }
  }
  float largest = *std::max_element(lanes, lanes + width);
  for (; i < n; ++i) largest = std::max(largest, std::fabs(data[i]));
  return largest;
}
float quantize(aligned_buffer<std::int8_t>& to, const aligned_buffer<float>& from) {
  const float step = largest_of(from) / 127.0F, inverse = 1.0F / step;
  // Bytes may alias anything: without the promise and the local count the loop would stay scalar.
  const float* INHIBITOR_RESTRICT x = from.data();
  std::int8_t* INHIBITOR_RESTRICT y = to.data();
  const index_t n = from.size();
  for (index_t i = 0; i < n; ++i) {
    // Adding 1.5 * 2^23 rounds to the nearest integer.
    const float rounded = (x[i] * inverse + 12582912.0F) - 12582912.0F;
    y[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(rounded));
  }
  return step;
}

class onednn_softmax : public contender {
 public:
  onednn_softmax(const inputs& in, bool bytes) : in_(in), bytes_(bytes), stream_(cpu()) {
    const problem& p = in.what;
    out_.resize(p.query_size());
    if (bytes) {
      q8_.resize(in.q.size());
      k8_.resize(in.k.size());
      v8_.resize(in.v.size());
      const float q_step = quantize(q8_, in.q), k_step = quantize(k8_, in.k), v_step = quantize(v8_, in.v);
      scales_.weight = 255.0F / largest_weight();
      scales_.output = v_step / scales_.weight;
      scales_.score = q_step * k_step / std::sqrt(static_cast<float>(p.head_size));
    } else {
      scales_.score = 1.0F / std::sqrt(static_cast<float>(p.head_size));
    }
    fill_mask();
    // Matrix tiles do best on large products. Without them, scores beyond the near caches may still look fast in a lone
    // call, but not in one among others.
    constexpr index_t most_scores = 4 << 20, near_scores = 1 << 19;
    std::vector<index_t> sizes;
    for (const index_t rows : {64, 128, 256, 512}) {
      if (rows < p.queries && rows * p.keys <= most_scores) sizes.push_back(rows);
    }
    if (p.queries * p.keys <= most_scores) sizes.push_back(p.queries);
    const bool same_mask = p.mask != masking::padding || p.batch == 1;
    if (p.threads == 1 && same_mask && p.batch * p.heads * p.queries * p.keys <= 16 << 20) sizes.push_back(0);
    if (sizes.empty()) sizes.push_back(std::min<index_t>(p.queries, 32));
    set_rows(best_setting(sizes, [&](index_t rows) {
      set_rows(rows);
      const std::string& names = blocks_.back().names();
      if (names.find("ref:") != std::string::npos) return 1e299;
      if (names.find("amx") == std::string::npos && rows * p.keys > near_scores) return 1e299;
      return shortest_seconds([&] { run(); });
    }));
  }

  void run() override {
    const problem& p = in_.what;
    if (bytes_ && !p.prepared) {
      quantize(q8_, in_.q);
      quantize(k8_, in_.k);
      quantize(v8_, in_.v);
    }
    if (rows_ == 0) {
      block(stream_, 0, 0, 0);
      return;
    }
    p.workers().for_each(p.batch * p.heads, [&](index_t head, index_t worker) {
      if (worker == 0) {
        for (index_t i = 0; i < p.queries; i += rows_) block(stream_, head, i, worker);
      } else {
        dnnl::stream own(cpu());
        for (index_t i = 0; i < p.queries; i += rows_) block(own, head, i, worker);
      }
    });
  }
  std::vector<double> result() const override { return {out_.begin(), out_.end()}; }
  index_t workspace_bytes() const override {
    return in_.what.threads * block_bytes_ + q8_.size() + k8_.size() + v8_.size();
  }
  std::string details() const override {
    return (rows_ == 0 ? std::string("all heads at once") : "blocks of " + std::to_string(rows_) + " queries") + "; " +
           blocks_.back().names();
  }

 private:
  void fill_mask() {
    const problem& p = in_.what;
    if (p.mask == masking::padding) {
      mask_.resize(p.batch * p.keys);
      for (index_t j = 0; j < mask_.size(); ++j) {
        mask_[j] = in_.key_mask[static_cast<std::size_t>(j)] != 0 ? 0.0F : -1e30F;
      }
    }
  }
  /// Causal masks of the blocks, one after the other: with rows further apart than their length oneDNN 2.6 falls back
  /// to its reference product.
  void fill_causal_masks() {
    const problem& p = in_.what;
    const index_t step = rows_ == 0 ? p.queries : rows_;
    mask_ = aligned_buffer<float>(p.queries * p.keys);
    index_t used = 0;
    for (index_t first = 0; first < p.queries; first += step) {
      const index_t end = std::min(first + step, p.queries), keys = std::min(p.keys, in_.limit(end - 1));
      causal_masks_.push_back(used);
      for (index_t i = first; i < end; ++i) {
        for (index_t j = 0; j < keys; ++j) mask_[used++] = j < in_.limit(i) ? 0.0F : -1e30F;
      }
    }
  }
  /// Of a sample of rows: what static calibration would find.
  float largest_weight() const {
    const problem& p = in_.what;
    const index_t d = p.head_size, rows = std::min<index_t>(p.queries, 64);
    double largest = 0;
    for (index_t r = 0; r < rows; ++r) {
      const index_t i = (r + 1) * p.queries / rows - 1;
      double sum = 0, top = 0;
      for (index_t j = 0; j < in_.limit(i); ++j) {
        if (!in_.key_mask.empty() && in_.key_mask[static_cast<std::size_t>(j)] == 0) continue;
        const double dot =
            std::inner_product(in_.q.data() + i * d, in_.q.data() + (i + 1) * d, in_.k.data() + j * d, 0.0);
        const double e = std::exp(dot / std::sqrt(static_cast<double>(d)));
        sum += e;
        top = std::max(top, e);
      }
      largest = std::max(largest, top / sum);
    }
    return static_cast<float>(largest);
  }
  /// Primitives for blocks of `rows` queries; 0: all heads in one call.
  void set_rows(index_t rows) {
    const problem& p = in_.what;
    rows_ = rows;
    blocks_.clear();
    causal_masks_.clear();
    if (p.mask == masking::causal) fill_causal_masks();
    const bool masked = p.mask != masking::none, causal = p.mask == masking::causal;
    const auto type = bytes_ ? number::s8 : number::f32;
    const index_t step = rows == 0 ? p.queries : rows;
    for (index_t first = 0; first < p.queries; first += step) {
      const index_t count = std::min(step, p.queries - first);
      if (!blocks_.empty() && !causal && count == step) continue;  // block_of() finds the first
      blocks_.emplace_back(type, rows == 0 ? p.batch * p.heads : 1, count,
                           std::min(p.keys, in_.limit(first + count - 1)), p, scales_, masked, causal);
    }
    score_bytes_ = weight_bytes_ = scratch_bytes_ = 0;
    for (const auto& b : blocks_) {
      score_bytes_ = std::max(score_bytes_, kernels_round(b.score_bytes()));
      scratch_bytes_ = std::max(scratch_bytes_, kernels_round(b.scratch_bytes()));
    }
    weight_bytes_ = bytes_ ? kernels_round(score_bytes_ / 4) : 0;  // float weights replace the scores
    block_bytes_ = score_bytes_ + weight_bytes_ + scratch_bytes_;
    memory_ = aligned_buffer<unsigned char>(p.threads * block_bytes_);
  }
  static index_t kernels_round(index_t bytes) { return (bytes + 63) / 64 * 64; }

  const attention_primitives& block_of(index_t first) const {
    if (in_.what.mask == masking::causal && rows_ != 0) return blocks_[static_cast<std::size_t>(first / rows_)];
    const bool whole = rows_ == 0 || first + rows_ <= in_.what.queries;
    return whole ? blocks_.front() : blocks_.back();
  }
  void block(dnnl::stream& stream, index_t head, index_t first, index_t worker) {
    const problem& p = in_.what;
    const index_t d = p.head_size, q = (head * p.queries + first) * d, k = head * p.keys * d;
    unsigned char* scores = memory_.data() + worker * block_bytes_;
    unsigned char* weights = bytes_ ? scores + score_bytes_ : scores;
    unsigned char* scratch = scores + score_bytes_ + weight_bytes_;
    const float* mask = nullptr;
    if (p.mask == masking::padding) mask = mask_.data() + head / p.heads * p.keys;
    if (p.mask == masking::causal) {
      mask = mask_.data() + causal_masks_[static_cast<std::size_t>(rows_ == 0 ? 0 : first / rows_)];
    }
    const auto& primitives = block_of(first);
    if (bytes_) {
      primitives.run(stream, out_.data() + q, q8_.data() + q, k8_.data() + k, v8_.data() + k, mask,
                     reinterpret_cast<float*>(scores), weights, scratch);
    } else {
      primitives.run(stream, out_.data() + q, in_.q.data() + q, in_.k.data() + k, in_.v.data() + k, mask,
                     reinterpret_cast<float*>(scores), weights, scratch);
    }
  }

  const inputs& in_;
  bool bytes_;
  dnnl::stream stream_;
  scales scales_;
  index_t rows_ = 0, score_bytes_ = 0, weight_bytes_ = 0, scratch_bytes_ = 0, block_bytes_ = 0;
  std::vector<attention_primitives> blocks_;
  std::vector<index_t> causal_masks_;  // where the mask of each block starts
  aligned_buffer<float> out_, mask_;   // (B, H, L, D); (B, S) or (L, S)
  aligned_buffer<std::int8_t> q8_, k8_, v8_;
  aligned_buffer<unsigned char> memory_;
};

}  // namespace

void add_onednn(contender_list& list) {
  const auto* version = dnnl_version();
  const char* limit = std::getenv("ONEDNN_MAX_CPU_ISA") != nullptr ? std::getenv("ONEDNN_MAX_CPU_ISA")
                                                                   : std::getenv("DNNL_MAX_CPU_ISA");
  list.notes.emplace_back("onednn",
                          std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                              std::to_string(version->patch) + ", instruction sets " +
                              (limit != nullptr ? "up to " + std::string(limit) + " (forced)" : "not limited"));
  list.entries.push_back({"softmax_onednn", "f32", "external", true, exactness::float32,
                          [](const problem& p) { return !p.backward && !p.prepared; },
                          [](const inputs& in) { return std::make_unique<onednn_softmax>(in, false); }});
  list.entries.push_back({"softmax_onednn", "s8", "external", true, exactness::bytes,
                          [](const problem& p) { return !p.backward; },
                          [](const inputs& in) { return std::make_unique<onednn_softmax>(in, true); }});
}

}  // namespace bench
}  // namespace inhibitor
