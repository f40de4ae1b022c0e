// SPDX-License-Identifier: Apache-2.0

// mixer and transformer_block on their own: other memories, causal masks and norms before the sums, which the encoder
// does not use. The encoder's form is differentiated in test_encoder.cpp.

#include <numeric>
#include <random>
#include <vector>

#include "inhibitor/models/parameters.hpp"
#include "inhibitor/nn/transformer_block.hpp"
#include "support/catch.hpp"
#include "support/finite_difference.hpp"

using namespace inhibitor;
using inhibitor::test::gradient_error;
using numbers = std::vector<double>;

namespace {

numbers draw(index_t size, unsigned seed, double deviation = 1) {
  std::mt19937 bits(seed);
  std::normal_distribution<double> normal(0, deviation);
  numbers x(static_cast<std::size_t>(size));
  for (double& v : x) v = normal(bits);
  return x;
}

double dot(const double* a, const numbers& b) { return std::inner_product(b.begin(), b.end(), a, 0.0); }

/// A box that takes a prefix, as a model of its own.
template <class Box>
struct alone : Box {
  alone() = default;
  template <class... Arguments>
  explicit alone(const std::string& name, Arguments&&... arguments) : Box(name, arguments...) {}
  template <class Visitor>
  void visit(Visitor&& f) {
    Box::visit("", f);
  }
};

template <class Model>
void draw_all(Model& p, double deviation) {
  const numbers values = draw(p.size(), 7, deviation);
  std::copy(values.begin(), values.end(), p.data());
}

/// Central differences over every tensor of p that `wanted` names.
template <class Model, class Loss, class Wanted>
void check_tensors(Model& p, const Model& gradients, const Loss& loss, Wanted&& wanted) {
  p.visit([&](const std::string& name, tensor<double>& t) {
    if (!wanted(name)) return;
    INFO(name);
    CHECK(gradient_error(loss, t.data, gradients.data() + (t.data - p.data()), t.size(), 1e-6) < 1e-6);
  });
}

}  // namespace

TEST_CASE("mixer: refuses the name of none, naming those there are") {
  CHECK_THROWS_WITH(mixer<float>("fourier", 8, 2, {}),
                    contains_text("no mixer \"fourier\"; the mixers are dot_product"));
  for (const std::string& name : mixer_names()) CHECK(mixer<float>(name, 8, 2, {}).name() == name);
}

TEST_CASE("mixer: gradients agree with finite differences, of itself, of another sequence and of the past") {
  const std::string name = GENERATE("dot_product", "inhibitor");
  const bool has_memory = GENERATE(false, true), is_causal = GENERATE(false, true);
  INFO(name << (has_memory ? ", memory" : "") << (is_causal ? ", causal" : ""));
  const index_t batch = 2, length = 3, keys = has_memory ? 5 : length, dim = 8, heads = 2;
  const mixer_shape s{batch, length, keys, dim, heads};
  mixer_options options;
  parameters<double, alone<mixer<double>>> p(name, dim, heads, options);
  draw_all(p, 0.4);
  if (auto* m = p.as<inhibitor_mixer>()) std::fill_n(m->inhibitor_shift.data, heads, 0.1);
  auto d = p;
  d.fill_zero();
  numbers x = draw(batch * length * dim, 1), memory = draw(batch * keys * dim, 2);
  const numbers dcontext = draw(batch * length * dim, 3);
  std::vector<std::uint8_t> key_mask(static_cast<std::size_t>(batch * keys), 1);
  key_mask.back() = 0;
  const mixer_input<double> in{x.data(), has_memory ? memory.data() : nullptr, {key_mask.data(), is_causal}};
  mixer_activations<double> saved;
  attention_workspace workspace;
  const auto loss = [&] {
    p.forward(saved, in, s, options, workspace, {});
    return dot(saved.context.data(), dcontext);
  };
  loss();
  numbers dx(x.size()), dmemory(memory.size());
  mixer_scratch<double> scratch;
  p.backward({dx.data(), dmemory.data()}, d, dcontext.data(), saved, in, s, options, scratch, workspace, {});
  check_tensors(p, d, loss,
                [](const std::string& tensor_name) { return tensor_name.find("out_lin") == std::string::npos; });
  CHECK(gradient_error(loss, x.data(), dx.data(), static_cast<index_t>(x.size()), 1e-6) < 1e-6);
  if (has_memory)
    CHECK(gradient_error(loss, memory.data(), dmemory.data(), static_cast<index_t>(memory.size()), 1e-6) < 1e-6);
}

TEST_CASE("transformer_block: gradients agree with finite differences, norms after and before the sums") {
  const std::string name = GENERATE("dot_product", "inhibitor");
  const norm_placement norm = GENERATE(norm_placement::post, norm_placement::pre);
  block_shape s;
  s.batch = 2;
  s.length = 3;
  s.dim = 8;
  s.heads = 2;
  s.intermediate = 12;
  s.norm = norm;
  s.dropout = 0.3;
  s.attention_output_dropout = 0.2;
  parameters<double, alone<transformer_block<double>>> p(name, s.dim, s.heads, s.intermediate, s.options);
  draw_all(p, 0.4);
  auto d = p;
  d.fill_zero();
  numbers x = draw(s.rows() * s.dim, 1), y(x.size());
  const numbers dy = draw(s.rows() * s.dim, 3);
  const std::vector<std::uint8_t> key_mask{1, 1, 1, 1, 1, 0};
  const block_dropout_streams streams{{1, 2, 3}, {1, 2, 4}};
  block_activations<double> saved;
  saved.resize(s);
  attention_workspace workspace;
  const auto loss = [&] {
    p.context_forward(saved, x.data(), key_mask.data(), s, workspace, {});
    p.output_forward(y.data(), saved, x.data(), s, streams, {});
    return dot(y.data(), dy);
  };
  loss();
  numbers dx(x.size()), dcontext(x.size());
  block_gradients<double> scratch;
  scratch.resize(s);
  p.output_backward(dx.data(), dcontext.data(), d, dy.data(), saved, s, streams, scratch, {});
  p.context_backward(dx.data(), d, dcontext.data(), saved, x.data(), key_mask.data(), s, scratch, workspace, {});
  check_tensors(p, d, loss, [](const std::string&) { return true; });
  CHECK(gradient_error(loss, x.data(), dx.data(), static_cast<index_t>(x.size()), 1e-6) < 1e-6);
}

TEST_CASE("transformer_block: with norms before the sums, zero branches leave the input as it is") {
  block_shape s;
  s.batch = 1;
  s.length = 3;
  s.dim = 8;
  s.heads = 2;
  s.intermediate = 12;
  s.norm = norm_placement::pre;
  parameters<double, alone<transformer_block<double>>> p("inhibitor", s.dim, s.heads, s.intermediate, s.options);
  const numbers x = draw(s.rows() * s.dim, 1);
  numbers y(x.size());
  const std::vector<std::uint8_t> key_mask{1, 1, 1};
  block_activations<double> saved;
  saved.resize(s);
  attention_workspace workspace;
  p.context_forward(saved, x.data(), key_mask.data(), s, workspace, {});
  p.output_forward(y.data(), saved, x.data(), s, {}, {});
  CHECK(y == x);
}
