// SPDX-License-Identifier: Apache-2.0

// How far u8 attention is from the same attention in double, on Gaussian numbers and on the queries, keys and values of
// a trained model:
//
//   u8_error [MODEL_FOLDER TSV]      default: Gaussian numbers alone
//
// MODEL_FOLDER is an inhibitor model with its vocab.txt, TSV sentences in the SST-2 layout. Prints a Markdown table;
// the error is |u8 - double| / |double| in the Euclidean norm over all outputs of real tokens.

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/attention/u8/attention.hpp"
#include "inhibitor/data/glue_reader.hpp"
#include "inhibitor/pretrained/model_folder.hpp"
#include "inhibitor/training/evaluate.hpp"

using namespace inhibitor;

namespace {

/// Squared norms, summed over calls.
struct error_sum {
  double difference = 0, reference = 0;

  double relative() const { return std::sqrt(difference / reference); }
};

template <class T>
heads_view<T> view(T* data, const attention_shape& s) {
  return {data, s.queries * s.heads * s.head_size, s.heads * s.head_size, s.head_size};
}

/// Adds the error of one self-attention call. q, k, v (B, L, H, D); scalars (H) each; key_mask (B, L) or null.
void add_error(error_sum& sum, const float* q, const float* k, const float* v, const attention_shape& s,
               const std::uint8_t* key_mask, const inhibitor_attention<float>& mechanism) {
  const index_t size = s.batch * s.queries * s.heads * s.head_size;
  const auto widen = [](const float* x, index_t n) { return std::vector<double>(x, x + n); };
  const std::vector<double> qd = widen(q, size), kd = widen(k, size), vd = widen(v, size);
  const std::vector<double> scale = widen(mechanism.scalars.score_scale, s.heads);
  const std::vector<double> shift = widen(mechanism.scalars.shift, s.heads);
  const std::vector<double> output = widen(mechanism.scalars.output_scale, s.heads);
  std::vector<float> u8(static_cast<std::size_t>(size));
  std::vector<double> exact(u8.size());
  attention_workspace workspace;
  const attention_mask mask{key_mask, false, {}};
  u8::multi_head_attention_forward(view(u8.data(), s), view(q, s), view(k, s), view(v, s), s, mask, mechanism,
                                   workspace, {});
  const inhibitor_attention<double> reference{mechanism.options, {scale.data(), shift.data(), output.data()}};
  multi_head_attention_forward<double>(view(exact.data(), s), view(qd.data(), s), view(kd.data(), s),
                                       view(vd.data(), s), s, mask, reference, workspace, {});
  const index_t row = s.heads * s.head_size;
  for (index_t i = 0; i < size; ++i) {
    if (key_mask != nullptr && key_mask[i / row] == 0) continue;
    const auto at = static_cast<std::size_t>(i);
    const double difference = static_cast<double>(u8[at]) - exact[at];
    sum.difference += difference * difference;
    sum.reference += exact[at] * exact[at];
  }
}

void print_row(const std::string& what, const error_sum& sum) {
  fmt::print("| {} | {:.2f} % |\n", what, 100 * sum.relative());
}

/// Normal numbers, distances of the size that the default scalars meet in a trained model: `spread` is the deviation of
/// q and k, that of v is 1.
void gaussian(index_t length, float spread) {
  const attention_shape s{1, 12, length, length, 64, 64};
  const auto size = static_cast<std::size_t>(s.queries * s.heads * s.head_size);
  std::mt19937_64 bits(7);
  std::normal_distribution<float> normal;
  std::vector<float> q(size), k(size), v(size);
  for (auto* x : {&q, &k}) {
    for (float& value : *x) value = spread * normal(bits);
  }
  for (float& value : v) value = normal(bits);
  const std::vector<float> one(12, 1.0F), half(12, 0.5F);
  error_sum sum;
  add_error(sum, q.data(), k.data(), v.data(), s, nullptr, {{}, {one.data(), half.data(), one.data()}});
  print_row(fmt::format("Gaussian, 12 heads, L = S = {}, D = 64, deviation of q and k {}", length, spread), sum);
}

void trained(const std::string& folder, const std::string& table) {
  const encoder_tensors<float> model = load_model_folder<float>(folder);
  const encoder_config& c = model.config();
  const wordpiece tokenizer = wordpiece::load(folder + "/vocab.txt");
  const token_dataset data = tokenize(tokenizer, read_task_file(find_task("sst2"), table), c.max_position_embeddings);
  std::vector<error_sum> sums(static_cast<std::size_t>(c.n_layers));
  encoder_activations<float> a;
  for (const auto& rows : length_sorted_batches(data, 32)) {
    const token_batch batch = make_batch(data, rows, static_cast<std::int32_t>(c.pad_token_id));
    const token_view tokens = view_of(batch);
    encoder_forward(a, tokens, model, {}, {});
    for (std::size_t l = 0; l < sums.size(); ++l) {
      const auto* p = model.layer[l].attention.as<inhibitor_mixer>();
      if (p == nullptr) continue;
      const auto& inner = a.block[l].mixing.inner;
      const attention_shape s{tokens.batch, c.n_heads, tokens.length, tokens.length, c.head_size(), c.head_size()};
      add_error(
          sums[l], inner[attention_inner::q].data(), inner[attention_inner::k].data(), inner[attention_inner::v].data(),
          s, tokens.key_mask,
          {c.inhibitor, {p->inhibitor_score_scale.data, p->inhibitor_shift.data, p->inhibitor_output_scale.data}});
    }
  }
  for (std::size_t l = 0; l < sums.size(); ++l) {
    if (sums[l].reference > 0) print_row(fmt::format("trained model, layer {}, {} sentences", l, data.size()), sums[l]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 1 && argc != 3) {
    fmt::print(stderr, "usage: u8_error [MODEL_FOLDER TSV]\n");
    return 2;
  }
  try {
    fmt::print("| queries, keys and values | error of u8 against double |\n| --- | ---: |\n");
    for (index_t length : {128, 512}) {
      for (float spread : {0.25F, 1.0F}) gaussian(length, spread);
    }
    if (argc == 3) trained(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "u8_error: {}\n", e.what());
    return 2;
  }
}
