// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_contenders.hpp"

#include <algorithm>
#include <memory>
#include <random>

#include "inhibitor/nn/gemm_eigen.hpp"
#include "inhibitor/nn/packed_linear.hpp"
#include "inhibitor/nn/packed_linear_s8.hpp"
#include "inhibitor/reference/gemm_s8.hpp"
#include "kernels/product_limit.hpp"
#if defined(INHIBITOR_HAS_ONEDNN) && INHIBITOR_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>

#include "inhibitor/backends/onednn.hpp"
#endif

namespace inhibitor {
namespace bench {
namespace {

std::string onednn_kernel = "none";

linear_tensors<float> tensors_of(const gemm_problem& p) {
  linear_tensors<float> t(p.out, p.in);
  t.weight.data = const_cast<float*>(p.weight.data());
  t.bias.data = const_cast<float*>(p.bias.data());
  return t;
}

/// A contender whose state lives in `run`; call(y) computes.
template <class Call>
gemm_contender contender(std::string name, const gemm_problem& p, double tolerance, Call call) {
  const auto y = std::make_shared<std::vector<float>>(static_cast<std::size_t>(p.rows * p.out));
  return {std::move(name), [y, call] { call(y->data()); }, y.get(), tolerance, p.products()};
}

template <class Gemm>
gemm_contender in_float(const std::string& name, const gemm_problem& p) {
  const auto layer = std::make_shared<packed_linear<float, Gemm>>(std::vector<linear_tensors<float>>{tensors_of(p)});
  return contender(name, p, 1e-4,
                   [layer, &p](float* y) { layer->forward(y, p.out, p.x.data(), p.in, p.rows, activation::none, {}); });
}

#if defined(INHIBITOR_BENCH_PRODUCT_LIMIT)
/// As many products as the problem, in registers.
gemm_contender limit(const gemm_problem& p) {
  using registers = product_limit::registers;
  const auto rounds = static_cast<long>(p.products() / (12 * product_limit::products));
  const auto run = [rounds] {
    registers sums[12], operand{};
    __asm__ volatile("" : "+v"(operand));
    for (registers& sum : sums) {
      sum = registers{};
      __asm__ volatile("" : "+v"(sum));
    }
    for (long r = 0; r < rounds; ++r) {
      INHIBITOR_UNROLL
      for (registers& sum : sums) sum = product_limit::step(sum, operand);
    }
    for (registers& sum : sums) __asm__ volatile("" : : "v"(sum));
  };
  return {std::string("limit, ") + product_limit::name, run, nullptr, 0,
          static_cast<double>(rounds) * 12 * product_limit::products};
}
#endif

#if defined(INHIBITOR_HAS_ONEDNN) && INHIBITOR_BENCH_ONEDNN

/// oneDNN's matmul of signed bytes, weights in the format that it likes best, scales of outputs and bias applied; rows
/// are quantized beforehand with one scale for all, which is all that its attributes know, and that is not timed. Without
/// VNNI it saturates sums of two products (oneDNN's own page on int8 says so), hence the tolerance.
gemm_contender onednn_in_bytes(const gemm_problem& p) {
  using dnnl::memory;
  using dims = memory::dims;
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  struct state {
    dnnl::matmul product;
    std::vector<std::int8_t> x;
    std::vector<float> bias;
    memory weights;
    dnnl::stream stream{cpu};
    memory::desc x_desc, y_desc, bias_desc;
  };
  const auto s = std::make_shared<state>();
  const auto x = reference::s8_quantize(p.x.data(), p.rows * p.in);
  s->x = x.numbers;
  std::vector<std::int8_t> w;
  std::vector<float> scales;
  for (index_t o = 0; o < p.out; ++o) {
    const auto row = reference::s8_quantize(p.weight.data() + o * p.in, p.in);
    w.insert(w.end(), row.numbers.begin(), row.numbers.end());
    scales.push_back(row.scale * x.scale);
    s->bias.push_back(p.bias[static_cast<std::size_t>(o)] /
                      scales.back());  // it is added to the sums, before the scales
  }
  s->x_desc = {dims{p.rows, p.in}, memory::data_type::s8, memory::format_tag::ab};
  s->y_desc = {dims{p.rows, p.out}, memory::data_type::f32, memory::format_tag::ab};
  s->bias_desc = {dims{1, p.out}, memory::data_type::f32, memory::format_tag::ab};
  const memory::desc any(dims{p.in, p.out}, memory::data_type::s8, memory::format_tag::any);
  const memory::desc plain(dims{p.in, p.out}, memory::data_type::s8, memory::format_tag::ba);
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(1 << 1, scales);
  const dnnl::matmul::primitive_desc description({s->x_desc, any, s->bias_desc, s->y_desc}, attributes, cpu);
  onednn_kernel = description.impl_info_str();
  s->product = dnnl::matmul(description);
  s->weights = memory(description.weights_desc(), cpu);
  memory from(plain, cpu, w.data());
  dnnl::reorder(from, s->weights).execute(s->stream, from, s->weights);
  s->stream.wait();
  return contender("oneDNN int8, operands prepared", p, 0.5, [s](float* y) {
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    s->product.execute(s->stream, {{DNNL_ARG_SRC, memory(s->x_desc, cpu, s->x.data())},
                                   {DNNL_ARG_WEIGHTS, s->weights},
                                   {DNNL_ARG_BIAS, memory(s->bias_desc, cpu, s->bias.data())},
                                   {DNNL_ARG_DST, memory(s->y_desc, cpu, y)}});
    s->stream.wait();
    omp_set_num_threads(threads);
  });
}

#endif

}  // namespace

gemm_problem::gemm_problem(index_t rows_, index_t in_, index_t out_) : rows(rows_), in(in_), out(out_) {
  std::mt19937 generator(1);
  std::normal_distribution<float> number;
  const auto draw = [&](std::vector<float>& to, index_t n, float scale) {
    for (index_t i = 0; i < n; ++i) to.push_back(scale * number(generator));
  };
  draw(x, rows * in, 1);
  draw(weight, out * in, 0.05F);
  draw(bias, out, 0.1F);
}

std::vector<gemm_contender> make_gemm_contenders(const gemm_problem& p) {
  std::vector<gemm_contender> all;
  all.push_back(in_float<panel_gemm>("ours f32", p));  // what the others' results are compared with
  all.push_back(in_float<eigen_gemm>("Eigen f32", p));
#if defined(INHIBITOR_HAS_ONEDNN) && INHIBITOR_BENCH_ONEDNN
  all.push_back(in_float<onednn_gemm>("oneDNN f32", p));
  all.push_back(onednn_in_bytes(p));
#endif
  const auto layer = std::make_shared<packed_linear_s8>(std::vector<linear_tensors<float>>{tensors_of(p)});
  const auto ready = std::make_shared<quantized_rows>(), scratch = std::make_shared<quantized_rows>();
  ready->quantize(p.x.data(), p.in, p.rows, p.in, {});
  all.push_back(contender("ours int8, operands prepared", p, 0.1,
                          [layer, ready, &p](float* y) { layer->forward(y, p.out, *ready, activation::none, {}); }));
  all.push_back(contender("ours int8, from floats", p, 0.1, [layer, scratch, &p](float* y) {
    layer->forward(y, p.out, p.x.data(), p.in, p.rows, activation::none, *scratch, {});
  }));
#if defined(INHIBITOR_BENCH_PRODUCT_LIMIT)
  all.push_back(limit(p));
#endif
  return all;
}

std::string gemm_contenders_description() {
  std::string text = "ours: " + panel_gemm::name() + "; " + eigen_gemm::name();
#if defined(INHIBITOR_HAS_ONEDNN) && INHIBITOR_BENCH_ONEDNN
  text += "; " + onednn_gemm::name() + ", int8 by " + onednn_kernel;
#endif
  return text;
}

}  // namespace bench
}  // namespace inhibitor
