// SPDX-License-Identifier: Apache-2.0

#include "inspect/attention_map.hpp"

#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/reference/attention.hpp"
#include "inspect/heat_map.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/small_config.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;
using Catch::Matchers::WithinAbs;

namespace {

constexpr index_t length = 7, size = 4, stride = 9;

/// One head of a wider array, and the same head alone.
struct head_data {
  std::vector<float> wide;
  std::vector<double> alone;
};
head_data draw(random_numbers& random) {
  head_data out;
  out.wide = random.numbers<float>(length * stride);
  for (index_t i = 0; i < length; ++i) {
    for (index_t d = 0; d < size; ++d) out.alone.push_back(double{out.wide[static_cast<std::size_t>(i * stride + d)]});
  }
  return out;
}

}  // namespace

TEST_CASE("softmax_map: the weights of the reference", "[inspect]") {
  random_numbers random(3);
  const head_data q = draw(random), k = draw(random);
  reference::attention_problem p;
  p.queries = p.keys = length;
  p.head_size = size;
  p.score = reference::scoring::dot_product;
  p.aggregate = reference::aggregation::softmax;
  std::vector<double> raw(length * length), want(length * length), got(length * length);
  reference::raw_scores(raw.data(), q.alone.data(), k.alone.data(), p);
  reference::weights_from_scores(want.data(), raw.data(), {}, p);
  softmax_map(got.data(), q.wide.data(), k.wide.data(), length, size, stride);
  for (std::size_t i = 0; i < want.size(); ++i) CHECK_THAT(got[i], WithinAbs(want[i], 1e-12));
}

TEST_CASE("inhibition_map: the shares that the reference's thresholds let pass", "[inspect]") {
  random_numbers random(4);
  const head_data q = draw(random), k = draw(random), v = draw(random);
  for (const bool is_signed : {true, false}) {
    for (const centering center : {centering::none, centering::attended_keys, centering::all_keys}) {
      reference::attention_problem p;
      p.queries = p.keys = length;
      p.head_size = size;
      p.center = center == centering::none ? reference::centered::no : reference::centered::attended_keys;
      const double scale = 0.7, shift = center == centering::none ? -0.6 : 0.2;
      std::vector<double> raw(length * length), z(length * length), got(length * length);
      reference::raw_scores(raw.data(), q.alone.data(), k.alone.data(), p);
      reference::weights_from_scores(z.data(), raw.data(), {scale, shift, 1.0}, p);
      inhibitor_options options;
      options.center = center;
      options.is_signed = is_signed;
      inhibition_map(got.data(), q.wide.data(), k.wide.data(), v.wide.data(), length, size, stride, scale, shift,
                     options);
      int between = 0;
      for (std::size_t at = 0; at < z.size(); ++at) {
        const double* value = v.alone.data() + at % length * size;
        double all = 0, passing = 0;
        for (index_t d = 0; d < size; ++d) {
          all += std::abs(value[d]);
          const double positive = std::max(value[d] - z[at], 0.0), negative = std::min(value[d] + z[at], 0.0);
          passing += is_signed ? (value[d] >= 0 ? positive : -negative) : positive;
        }
        CHECK_THAT(got[at], WithinAbs(passing / all, 1e-12));
        between += got[at] > 0 && got[at] < 1 ? 1 : 0;
      }
      CHECK(between > 10);  // the case says something
    }
  }
}

TEST_CASE("inhibition_map: no inhibition passes everything, values of zero pass nothing", "[inspect]") {
  const std::vector<float> k{1, 2, 1, 2}, v{0.5F, -0.25F, 0, 0};
  std::vector<double> got(4, -1);
  const std::vector<float> same{1, 2, 1, 2};
  inhibition_map(got.data(), same.data(), k.data(), v.data(), 2, 2, 2, 1, 0, {});
  CHECK(got == std::vector<double>{1, 0, 1, 0});
}

TEST_CASE("attention_map: each layer by its own mechanism", "[inspect]") {
  const encoder_config config = small_config("inhibitor", "dot_product");
  encoder_tensors<float> model(config);
  initialize(model, 5);
  for (auto& layer : model.layer) {  // initial weights are tiny: make the heads look at something
    const tensor<float>& weight = layer.attention.projections()->q_lin.weight;
    for (index_t i = 0; i < weight.size(); ++i) weight.data[i] *= 50;
  }
  const std::vector<std::int32_t> ids{1, 5, 3, 2};
  const std::vector<std::uint8_t> mask(4, 1);
  token_view tokens;
  tokens.ids = ids.data();
  tokens.key_mask = mask.data();
  tokens.batch = 1;
  tokens.length = 4;
  encoder_activations<float> a;
  encoder_forward(a, tokens, model, {}, executor());
  for (index_t head = 0; head < 2; ++head) {
    const auto weights = attention_map(model, a, 1, head, 4);
    for (index_t i = 0; i < 4; ++i) {
      double sum = 0;
      for (index_t j = 0; j < 4; ++j) sum += weights[static_cast<std::size_t>(i * 4 + j)];
      CHECK_THAT(sum, WithinAbs(1, 1e-12));
    }
    // The weights times the values are the context the model computed.
    const auto& b = a.block[1];
    for (index_t i = 0; i < 4; ++i) {
      for (index_t d = 0; d < 4; ++d) {
        double sum = 0;
        for (index_t j = 0; j < 4; ++j) {
          sum += weights[static_cast<std::size_t>(i * 4 + j)] *
                 double{b.mixing.inner[attention_inner::v].data()[j * 8 + head * 4 + d]};
        }
        CHECK_THAT(sum, WithinAbs(double{b.mixing.context.data()[i * 8 + head * 4 + d]}, 1e-6));
      }
    }
    const auto shares = attention_map(model, a, 0, head, 4);
    CHECK(std::all_of(shares.begin(), shares.end(), [](double x) { return x >= 0 && x <= 1; }));
  }
}

TEST_CASE("heat_map_page: tokens are escaped, cells of one color are one rectangle", "[inspect]") {
  heat_map map;
  map.title = "<b>";
  map.values = {1, 1, 0, 0.5};
  const std::string page = heat_map_page("a & b", {"<i>", "\"'"}, {{"Layer 0", "explained", true, {map}}});
  CHECK_THAT(page, contains_text("M0 0h2v1h-2z") && contains_text("M1 1h1v1h-1z"));
  CHECK_THAT(page, contains_text("fill-opacity=\"1.000\"") && contains_text("fill-opacity=\"0.500\""));
  CHECK_THAT(page, contains_text("&lt;i&gt;") && contains_text("&quot;&#39;") && contains_text("a &amp; b"));
  CHECK_THAT(page, !contains_text("<i>") && !contains_text("<b>"));
}
