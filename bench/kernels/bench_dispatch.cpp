// SPDX-License-Identifier: Apache-2.0
// What the choice at run time costs: the same calls in a program for baseline x86-64 with variants (bench_dispatch) and
// in one compiled for this machine alone (bench_dispatch_native). Each prints seconds per problem, the fastest of
// several; bench/kernels/compare_dispatch runs both in turn and prints the ratios.
//
//   bench_dispatch [REPETITIONS]        default: 20; 1 for counting instructions

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/measure/time.hpp"
#include "inhibitor/models/bert/inference.hpp"

namespace {

using namespace inhibitor;

constexpr index_t heads = 8, length = 512, head_size = 64;

std::vector<float> gaussian(index_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> number;
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& value : x) value = number(generator);
  return x;
}

template <class Call>
void measure(const char* name, int repetitions, Call&& call) {
  double fastest = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    const double from = seconds_now(1);
    call();
    fastest = std::min(fastest, seconds_now(1) - from);
  }
  std::printf("%-20s %.6f\n", name, fastest);
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 20;
  std::printf("# %s\n", active_isa());
  attention_shape shape;
  shape.heads = heads;
  shape.queries = shape.keys = length;
  shape.head_size = shape.value_size = head_size;
  const index_t size = heads * length * head_size;
  const auto q = gaussian(size, 1), k = gaussian(size, 2), v = gaussian(size, 3), dout = gaussian(size, 4);
  std::vector<float> out(q), dk(k), dv(v), dq(q);
  const auto in = [](const std::vector<float>& x) {
    return heads_view<const float>{x.data(), 0, heads * head_size, head_size};
  };
  const auto to = [](std::vector<float>& x) { return heads_view<float>{x.data(), 0, heads * head_size, head_size}; };
  const std::vector<float> one(heads, 1.0F), shift(heads, 0.5F);
  const inhibitor_attention<float> mechanism{{}, {one.data(), shift.data(), one.data()}};
  attention_workspace workspace;
  measure("f32_forward", repetitions, [&] {
    multi_head_attention_forward<float>(to(out), in(q), in(k), in(v), shape, {}, mechanism, workspace, {});
  });
  measure("f32_backward", repetitions, [&] {
    multi_head_attention_backward<float>(to(dq), to(dk), to(dv), {}, in(dout), in(q), in(k), in(v), shape, {},
                                         mechanism, workspace, {});
  });
  measure("softmax_forward", repetitions, [&] {
    multi_head_attention_forward<float>(to(out), in(q), in(k), in(v), shape, {}, dot_product_attention<float>{},
                                        workspace, {});
  });
  measure("u8_forward", repetitions,
          [&] { u8::multi_head_attention_forward(to(out), in(q), in(k), in(v), shape, {}, mechanism, workspace, {}); });

  encoder_config config;
  config.n_layers = 2;
  config.vocab_size = 1000;
  encoder_tensors<float> tensors(config);
  initialize(tensors, 1);
  encoder_inference<float> model(tensors);
  constexpr index_t sequences = 4, tokens_each = 128;
  std::vector<std::int32_t> ids;
  std::vector<index_t> starts{0};
  for (index_t i = 0; i < sequences * tokens_each; ++i) ids.push_back(static_cast<std::int32_t>(i * 37 % 1000));
  for (index_t b = 1; b <= sequences; ++b) starts.push_back(b * tokens_each);
  packed_tokens tokens;
  tokens.ids = ids.data();
  tokens.starts = starts.data();
  tokens.batch = sequences;
  measure("model_inference", std::max(1, repetitions / 2), [&] { model.hidden(tokens, {}); });
  return 0;
}
