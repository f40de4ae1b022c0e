// SPDX-License-Identifier: Apache-2.0

// An encoder composed of oneDNN primitives, as well as we can: q, k and v in one product, weights in the library's own
// format, bias, GELU and residual fused into products, layer normalization in place, attention head by head in blocks
// of queries that suit the cache. For every product the fastest of three forms is found by trying.

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "inhibitor/measure/time.hpp"
#include "models/contenders.hpp"

namespace inhibitor {
namespace bench {
namespace {

using dnnl::memory;
using dims = memory::dims;
using number = memory::data_type;
using tag = memory::format_tag;
using arguments = std::unordered_map<int, memory>;

dnnl::engine& cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory over(const memory::desc& desc, const float* data) { return memory(desc, cpu(), const_cast<float*>(data)); }

/// (rows, cols) with rows `stride` numbers apart.
memory::desc matrix(index_t rows, index_t cols, index_t stride) {
  return memory::desc(dims{rows, cols}, number::f32, dims{stride, 1});
}

dnnl::primitive_attr with_post_ops(const dnnl::post_ops& ops) {
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  return attr;
}

/// What follows a product and its bias.
enum class after { nothing, gelu, sum };

/// y = x W^T + bias, + y or GELU of it.
class product {
 public:
  /// As a matmul (or, dense alone, as an inner product) with weights in the format that the library likes best.
  product(const float* w, const float* bias, index_t rows, index_t in, index_t out, index_t x_stride, index_t y_stride,
          after then, bool inner) {
    dnnl::post_ops ops;
    if (then == after::gelu) ops.append_eltwise(1, dnnl::algorithm::eltwise_gelu_erf, 0, 0);
    if (then == after::sum) ops.append_sum(1);
    x_ = matrix(rows, in, x_stride);
    y_ = matrix(rows, out, y_stride);
    memory::desc plain;
    if (inner) {
      const dnnl::inner_product_forward::primitive_desc desc(
          {dnnl::prop_kind::forward_inference, x_, memory::desc(dims{out, in}, number::f32, tag::any),
           memory::desc(dims{out}, number::f32, tag::a), y_},
          with_post_ops(ops), cpu());
      adopt(desc);
      primitive_ = dnnl::inner_product_forward(desc);
      plain = memory::desc(dims{out, in}, number::f32, tag::ab);
      bias_ = over(memory::desc(dims{out}, number::f32, tag::a), bias);
    } else {
      const dnnl::matmul::primitive_desc desc({x_, memory::desc(dims{in, out}, number::f32, tag::any),
                                               memory::desc(dims{1, out}, number::f32, tag::ab), y_},
                                              with_post_ops(ops), cpu());
      adopt(desc);
      primitive_ = dnnl::matmul(desc);
      plain = memory::desc(dims{in, out}, number::f32, tag::ba);
      bias_ = over(memory::desc(dims{1, out}, number::f32, tag::ab), bias);
    }
    weights_ = memory(weights_desc_, cpu());
    dnnl::stream stream(cpu());
    memory source = over(plain, w);
    dnnl::reorder(source, weights_).execute(stream, source, weights_);
    stream.wait();
  }

  void run(dnnl::stream& stream, float* y, const float* x) {
    primitive_.execute(stream, arguments{{DNNL_ARG_SRC, over(x_, x)},
                                         {DNNL_ARG_WEIGHTS, weights_},
                                         {DNNL_ARG_BIAS, bias_},
                                         {DNNL_ARG_DST, over(y_, y)}});
  }
  const std::string& name() const { return name_; }

 private:
  template <class Desc>
  void adopt(const Desc& desc) {
    weights_desc_ = desc.weights_desc();
    name_ = desc.impl_info_str();
  }

  memory::desc x_, y_, weights_desc_;
  memory weights_, bias_;
  dnnl::primitive primitive_;
  std::string name_;
};

/// Attention of one head for a block of queries.
class head_block {
 public:
  head_block(index_t rows, index_t keys, index_t size, index_t stride, index_t out_stride) {
    q_ = matrix(rows, size, stride);
    k_ = memory::desc(dims{size, keys}, number::f32, dims{1, stride});
    v_ = matrix(keys, size, stride);
    scores_ = matrix(rows, keys, keys);
    out_ = matrix(rows, size, out_stride);
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::primitive_attr scaled;  // of its own: copies share what they hold
    scaled.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    scaled.set_output_scales(0, {1.0F / std::sqrt(static_cast<float>(size))});
    const dnnl::matmul::primitive_desc score({q_, k_, scores_}, scaled, cpu());
    const dnnl::softmax_v2_forward::primitive_desc softmax(
        {dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, scores_, scores_, 1}, attr, cpu());
    const dnnl::matmul::primitive_desc value({scores_, v_, out_}, attr, cpu());
    scratch_ = {score.scratchpad_desc(), softmax.scratchpad_desc(), value.scratchpad_desc()};
    score_ = dnnl::matmul(score);
    softmax_ = dnnl::softmax_v2_forward(softmax);
    value_ = dnnl::matmul(value);
  }

  /// Numbers that a worker's scores and scratch take.
  index_t numbers() const {
    std::size_t most = 0;
    for (const auto& desc : scratch_) most = std::max(most, desc.get_size());
    return static_cast<index_t>((scores_.get_size() + most) / sizeof(float)) + 64;
  }
  void run(dnnl::stream& stream, float* out, const float* q, const float* k, const float* v, float* memory_of_worker) {
    const memory scores = over(scores_, memory_of_worker);
    const float* scratch = memory_of_worker + (scores_.get_size() / sizeof(float) + 15) / 16 * 16;
    score_.execute(stream, arguments{{DNNL_ARG_SRC, over(q_, q)},
                                     {DNNL_ARG_WEIGHTS, over(k_, k)},
                                     {DNNL_ARG_DST, scores},
                                     {DNNL_ARG_SCRATCHPAD, over(scratch_[0], scratch)}});
    softmax_.execute(
        stream,
        arguments{{DNNL_ARG_SRC, scores}, {DNNL_ARG_DST, scores}, {DNNL_ARG_SCRATCHPAD, over(scratch_[1], scratch)}});
    value_.execute(stream, arguments{{DNNL_ARG_SRC, scores},
                                     {DNNL_ARG_WEIGHTS, over(v_, v)},
                                     {DNNL_ARG_DST, over(out_, out)},
                                     {DNNL_ARG_SCRATCHPAD, over(scratch_[2], scratch)}});
  }

 private:
  memory::desc q_, k_, v_, scores_, out_;
  std::vector<memory::desc> scratch_;
  dnnl::primitive score_, softmax_, value_;
};

/// x = LayerNorm(x), in place.
class norm {
 public:
  norm(const norm_tensors<float>& p, index_t rows, index_t cols, double epsilon) : x_(matrix(rows, cols, cols)) {
    using flags = dnnl::normalization_flags;
    primitive_ = dnnl::layer_normalization_forward(
        {{dnnl::prop_kind::forward_inference, x_, static_cast<float>(epsilon), flags::use_scale | flags::use_shift},
         cpu()});
    const memory::desc vector(dims{cols}, number::f32, tag::a);
    scale_ = over(vector, p.weight.data);
    shift_ = over(vector, p.bias.data);
  }
  void run(dnnl::stream& stream, float* x) {
    primitive_.execute(stream, arguments{{DNNL_ARG_SRC, over(x_, x)},
                                         {DNNL_ARG_DST, over(x_, x)},
                                         {DNNL_ARG_SCALE, scale_},
                                         {DNNL_ARG_SHIFT, shift_}});
  }

 private:
  memory::desc x_;
  memory scale_, shift_;
  dnnl::primitive primitive_;
};

/// Sets the library's threads for as long as it lives.
class thread_limit {
 public:
  explicit thread_limit(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~thread_limit() { omp_set_num_threads(before_); }

 private:
  int before_;
};

class onednn_encoder : public model_contender {
 public:
  explicit onednn_encoder(const encoder_tensors<float>& p) : p_(p), c_(p.config()), stream_(cpu()) {
    const index_t dim = c_.dim;
    for (const transformer_block<float>& b : p.layer) {
      const attention_projections<float>& a = *b.attention.projections();
      aligned_buffer<float> w(3 * dim * dim), bias(3 * dim);
      index_t part = 0;
      for (const linear_tensors<float>* l : {&a.q_lin, &a.k_lin, &a.v_lin}) {
        std::copy_n(l->weight.data, dim * dim, w.data() + part * dim * dim);
        std::copy_n(l->bias.data, dim, bias.data() + part++ * dim);
      }
      qkv_weights_.push_back(std::move(w));
      qkv_biases_.push_back(std::move(bias));
    }
  }

  void prepare(const model_problem& problem) override {
    problem_ = problem;
    const thread_limit limit(problem.threads);
    const index_t rows = problem.rows();
    hidden_.resize(rows * c_.dim);
    qkv_.resize(rows * (3 * c_.dim + most_gap));
    context_.resize(rows * (c_.dim + most_gap));
    ffn_.resize(rows * (c_.intermediate_dim + most_gap));
    // Rows with a gap between them make products with dense weights of the library's packing kind, rows without allow
    // the blocked formats. Which is faster depends on the shape.
    double shortest = 1e300;
    index_t best = 0;
    for (const index_t gap : {index_t{0}, most_gap}) {
      const double seconds = choose_products(gap);
      if (seconds < shortest) shortest = seconds, best = gap;
    }
    choose_products(best);
    choose_blocks();
    run();
  }
  double run() override {
    const thread_limit limit(problem_.threads);
    const double from = seconds_now(problem_.threads);
    embed();
    for (std::size_t l = 0; l < qkv_products_.size(); ++l) {
      qkv_products_[l].run(stream_, qkv_.data(), hidden_.data());
      attend();
      out_products_[l].run(stream_, hidden_.data(), context_.data());
      norms_[2 * l].run(stream_, hidden_.data());
      lin1_products_[l].run(stream_, ffn_.data(), hidden_.data());
      lin2_products_[l].run(stream_, hidden_.data(), ffn_.data());
      norms_[2 * l + 1].run(stream_, hidden_.data());
    }
    stream_.wait();
    return seconds_now(problem_.threads) - from;
  }
  std::vector<float> result() override { return {hidden_.begin(), hidden_.end()}; }
  std::string details() override {
    return "q,k,v " + qkv_products_[0].name() + ", out " + out_products_[0].name() + ", lin1 " +
           lin1_products_[0].name() + ", lin2 " + lin2_products_[0].name() + (gap_ == 0 ? "" : ", padded rows") +
           ", attention in blocks of " + std::to_string(block_rows_) + " queries";
  }

 private:
  static constexpr index_t most_gap = 16;

  /// Makes the products of all layers for rows `gap` numbers longer than their contents; seconds that one layer takes.
  double choose_products(index_t gap) {
    gap_ = gap;
    const index_t dim = c_.dim, wide = c_.intermediate_dim;
    for (auto* list : {&qkv_products_, &out_products_, &lin1_products_, &lin2_products_}) list->clear();
    norms_.clear();
    double seconds = 0;
    const auto make = [&](std::vector<product>& list, auto weight_of, index_t in, index_t out, index_t x_stride,
                          index_t y_stride, after then, float* y, const float* x) {
      bool inner = false;
      double shortest = 1e300;
      for (const bool candidate : {false, true}) {
        if (candidate && gap != 0) continue;  // inner products want dense rows
        const auto [w, bias] = weight_of(0);
        product p(w, bias, problem_.rows(), in, out, x_stride, y_stride, then, candidate);
        double took = 1e300;
        for (int i = 0; i < 4; ++i) {
          const double from = seconds_now(problem_.threads);
          p.run(stream_, y, x);
          stream_.wait();
          took = std::min(took, seconds_now(problem_.threads) - from);
        }
        if (took < shortest) shortest = took, inner = candidate;
      }
      seconds += shortest;
      for (index_t l = 0; l < c_.n_layers; ++l) {
        const auto [w, bias] = weight_of(l);
        list.emplace_back(w, bias, problem_.rows(), in, out, x_stride, y_stride, then, inner);
      }
    };
    const auto stored = [&](auto member) {
      return [this, member](index_t l) {
        const linear_tensors<float>& t = member(p_.layer[static_cast<std::size_t>(l)]);
        return std::pair<const float*, const float*>(t.weight.data, t.bias.data);
      };
    };
    const auto fused = [this](index_t l) {
      const auto i = static_cast<std::size_t>(l);
      return std::pair<const float*, const float*>(qkv_weights_[i].data(), qkv_biases_[i].data());
    };
    using block = transformer_block<float>;
    make(qkv_products_, fused, dim, 3 * dim, dim, 3 * dim + gap, after::nothing, qkv_.data(), hidden_.data());
    make(out_products_, stored([](const block& b) { return b.attention.out_lin(); }), dim, dim, dim + gap, dim,
         after::sum, hidden_.data(), context_.data());
    make(lin1_products_, stored([](const block& b) { return b.ffn.lin1; }), dim, wide, dim, wide + gap, after::gelu,
         ffn_.data(), hidden_.data());
    make(lin2_products_, stored([](const block& b) { return b.ffn.lin2; }), wide, dim, wide + gap, dim, after::sum,
         hidden_.data(), ffn_.data());
    for (const block& b : p_.layer) {
      norms_.emplace_back(b.sa_layer_norm, problem_.rows(), dim, c_.layer_norm_epsilon);
      norms_.emplace_back(b.output_layer_norm, problem_.rows(), dim, c_.layer_norm_epsilon);
    }
    return seconds;
  }

  void choose_blocks() {
    double shortest = 1e300;
    index_t best = problem_.length;
    for (const index_t rows : {index_t{64}, index_t{128}, problem_.length}) {
      if (problem_.length % rows != 0) continue;
      set_blocks(rows);
      for (int i = 0; i < 4; ++i) {
        const double from = seconds_now(problem_.threads);
        attend();
        const double took = seconds_now(problem_.threads) - from;
        if (took < shortest) shortest = took, best = rows;
      }
    }
    set_blocks(best);
  }
  void set_blocks(index_t rows) {
    const thread_limit one(1);  // work is shared out by heads
    block_rows_ = rows;
    block_ = std::make_unique<head_block>(rows, problem_.length, c_.head_size(), 3 * c_.dim + gap_, c_.dim + gap_);
    worker_numbers_ = (block_->numbers() + 15) / 16 * 16;
    worker_memory_.resize(problem_.threads * worker_numbers_);
  }

  executor workers() const { return problem_.threads == 1 ? executor() : openmp_executor(problem_.threads); }
  void attend() {
    const index_t size = c_.head_size(), stride = 3 * c_.dim + gap_, out_stride = c_.dim + gap_;
    workers().for_each(problem_.batch * c_.n_heads, [&](index_t item, index_t worker) {
      const index_t first = item / c_.n_heads * problem_.length, column = item % c_.n_heads * size;
      const float* q = qkv_.data() + first * stride + column;
      dnnl::stream own(cpu());
      for (index_t i = 0; i < problem_.length; i += block_rows_) {
        block_->run(own, context_.data() + (first + i) * out_stride + column, q + i * stride, q + c_.dim,
                    q + 2 * c_.dim, worker_memory_.data() + worker * worker_numbers_);
      }
    });
  }
  void embed() {
    const auto& e = p_.embeddings;
    const norm_view<float> normal{e.LayerNorm.weight.data, e.LayerNorm.bias.data,
                                  static_cast<float>(c_.layer_norm_epsilon)};
    workers().for_each(problem_.rows(), [&](index_t row, index_t) {
      const std::int32_t position = static_cast<std::int32_t>(row % problem_.length);
      const std::int32_t id = token_id(row / problem_.length, position);
      embed_norm_rows<float>(hidden_.data() + row * c_.dim, c_.dim, &id, &position, nullptr, e.word_embeddings.data,
                             e.position_embeddings.data, nullptr, normal, 1, c_.dim);
    });
  }

  const encoder_tensors<float>& p_;
  encoder_config c_;
  dnnl::stream stream_;
  model_problem problem_;
  index_t gap_ = 0, block_rows_ = 0, worker_numbers_ = 0;
  std::vector<aligned_buffer<float>> qkv_weights_, qkv_biases_;  // per layer (3C, C), (3C)
  std::vector<product> qkv_products_, out_products_, lin1_products_, lin2_products_;
  std::vector<norm> norms_;
  std::unique_ptr<head_block> block_;
  aligned_buffer<float> hidden_, qkv_, context_, ffn_, worker_memory_;
};

}  // namespace

void add_onednn_encoder(std::vector<model_entry>& entries, std::vector<std::string>& notes,
                        const bench_models& models) {
  const auto* version = dnnl_version();
  notes.push_back("oneDNN encoder: oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) +
                  "." + std::to_string(version->patch) + " primitives");
  const encoder_tensors<float>& tensors = models.dot;
  entries.push_back(
      {"oneDNN encoder, dot product", "dot", 1e-4, [&tensors] { return std::make_unique<onednn_encoder>(tensors); }});
}

}  // namespace bench
}  // namespace inhibitor
