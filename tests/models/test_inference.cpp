// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/models/bert/inference.hpp"

#include <tuple>
#include <vector>

#include "compiled_models/compiled_models.hpp"
#include "inhibitor/models/bert/fold_scales.hpp"
#include "inhibitor/models/bert/heads.hpp"
#include "inhibitor/nn/gemm_eigen.hpp"
#include "support/catch.hpp"
#include "support/counted_new.hpp"
#include "support/inference_problem.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;

namespace {

using kinds = std::vector<std::string>;
const std::string dot = "dot_product", inhibiting = "inhibitor";

template <class T>
struct results {
  std::vector<T> hidden, first, logits;
};

/// What the code that training uses computes.
template <class T>
results<T> expected(const encoder_tensors<T>& p, const some_tokens& tokens) {
  encoder_activations<T> a;
  classification_activations<T> head;
  encoder_forward(a, tokens.padded(), p, {}, {});
  classification_forward(head, a, tokens.padded(), p, {}, {});
  results<T> r;
  const index_t dim = p.config().dim;
  for (index_t b = 0; b < tokens.batch(); ++b) {
    const T* rows = a.hidden.back().data() + b * tokens.longest * dim;
    const auto s = static_cast<std::size_t>(b);
    r.hidden.insert(r.hidden.end(), rows, rows + (tokens.starts[s + 1] - tokens.starts[s]) * dim);
    r.first.insert(r.first.end(), rows, rows + dim);
  }
  r.logits.assign(head.logits.begin(), head.logits.end());
  return r;
}

template <class Model>
auto computed(Model& model, const some_tokens& tokens, const executor& workers) {
  const packed_tokens t = tokens.packed();
  const encoder_config& c = model.config();
  const auto* hidden = model.hidden(t, workers);
  using number = std::decay_t<decltype(*hidden)>;
  results<number> r;
  r.hidden.assign(hidden, hidden + t.rows() * c.dim);
  const number* first = model.first_hidden(t, workers);
  r.first.assign(first, first + t.batch * c.dim);
  const number* logits = model.classify(t, workers);
  r.logits.assign(logits, logits + t.batch * c.num_labels);
  return r;
}

template <class T>
void check_close(const results<T>& a, const results<T>& b, double relative) {
  CHECK(largest_difference(a.hidden, b.hidden) < relative * largest_magnitude(b.hidden));
  CHECK(largest_difference(a.first, b.first) < relative * largest_magnitude(b.first));
  CHECK(largest_difference(a.logits, b.logits) < relative * largest_magnitude(b.logits));
}

const std::vector<index_t> ragged{7, 129, 1, 64, 30};

}  // namespace

TEST_CASE("encoder_inference: hidden states and logits of encoder_forward, for every mechanism, family and product") {
  const kinds layers = GENERATE(kinds{dot, dot}, kinds{inhibiting, inhibiting}, kinds{dot, inhibiting, dot});
  const model_family family = GENERATE(model_family::distilbert, model_family::bert);
  const encoder_config c = some_config(layers, family);
  const encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, ragged);
  const auto truth = expected(p, tokens);
  encoder_inference<float> own(p);
  check_close(computed(own, tokens, {}), truth, 1e-5);
  encoder_inference<float, eigen_gemm> eigen(p);
  check_close(computed(eigen, tokens, {}), truth, 1e-5);
}

TEST_CASE("encoder_inference: packed agrees with padded whatever the mean of the scores is over") {
  const centering center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const model_family family = GENERATE(model_family::distilbert, model_family::bert);
  encoder_config c = some_config({inhibiting, dot, inhibiting}, family);
  c.inhibitor.center = center;
  encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, ragged);
  const auto truth = expected(p, tokens);
  encoder_inference<float> model(p);
  CHECK(model.counts_padding() == (center == centering::all_keys));
  check_close(computed(model, tokens, {}), truth, 1e-5);
  fold_scales(p);
  encoder_inference<float> folded(p);
  check_close(computed(folded, tokens, {}), truth, 1e-5);
}

TEST_CASE("encoder_inference: centering over all keys counts the padding it is told of, or none") {
  encoder_config c = some_config({inhibiting, inhibiting}, model_family::distilbert);
  c.inhibitor.center = centering::all_keys;
  const encoder_tensors<float> p = random_model<float>(c);
  const some_tokens longer(c, {7, 40}), alone(c, {7});
  const auto size = static_cast<std::ptrdiff_t>(7 * c.dim);
  const std::vector<float> want = expected(p, longer).hidden;
  // The first sequence without its neighbor, padded to the neighbor's length.
  encoder_inference<float> model(p);
  packed_tokens tokens = alone.packed();
  tokens.padded_length = 40;
  const float* got = model.hidden(tokens, {});
  const std::vector<float> padded(got, got + size), first(want.begin(), want.begin() + size);
  CHECK(largest_difference(padded, first) < 1e-5 * largest_magnitude(first));
  got = model.hidden(alone.packed(), {});
  CHECK(largest_difference(std::vector<float>(got, got + size), first) > 1e-3 * largest_magnitude(first));

  inference_options plain;
  plain.counts_padding = false;
  encoder_inference<float> unpadded(p, plain);
  CHECK_FALSE(unpadded.counts_padding());
  const std::vector<float> own = expected(p, alone).hidden;
  got = unpadded.hidden(longer.packed(), {});
  CHECK(largest_difference(std::vector<float>(got, got + size), own) < 1e-5 * largest_magnitude(own));

  tokens.padded_length = 6;
  CHECK_THROWS_WITH(model.hidden(tokens, {}), contains_text("padded_length is 6; expected 7"));
  tokens.padded_length = 301;
  CHECK_THROWS_WITH(model.hidden(tokens, {}), contains_text("max_position_embeddings = 300"));
}

TEST_CASE("encoder_inference: in double, and for more rows than the feed-forward network takes at a time") {
  const encoder_config c = some_config({inhibiting, dot}, model_family::bert);
  const encoder_tensors<double> p = random_model<double>(c);
  const some_tokens tokens(c, {300, 11, 300, 5, 299, 150});
  encoder_inference<double> model(p);
  check_close(computed(model, tokens, {}), expected(p, tokens), 1e-12);
}

TEST_CASE("encoder_inference: the smallest model, all options of the inhibitor") {
  const centering center = GENERATE(centering::none, centering::attended_keys, centering::all_keys);
  const bool is_signed = GENERATE(false, true), skip = GENERATE(false, true);
  encoder_config c = some_config({inhibiting, inhibiting}, model_family::distilbert, true);
  c.inhibitor.center = center;
  c.inhibitor.is_signed = is_signed;
  c.inhibitor.skip_inhibited = skip;
  c.inhibitor.normalize_by_length = skip;
  const encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, {5, 2, 4});
  encoder_inference<float> model(p);
  check_close(computed(model, tokens, {}), expected(p, tokens), 1e-5);
}

TEST_CASE("encoder_inference: a model whose scales are folded attends by additions alone") {
  const encoder_config c = some_config({inhibiting, inhibiting}, model_family::distilbert);
  encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, ragged);
  const auto truth = expected(p, tokens);
  fold_scales(p);
  REQUIRE(p.config().add_only);
  encoder_inference<float> model(p);
  check_close(computed(model, tokens, {}), truth, 2e-5);
}

TEST_CASE("encoder_inference: the same bits for any number of workers, company in the batch and call before") {
  const bool in_bytes = GENERATE(false, true);
  const encoder_config c = some_config({inhibiting, dot, inhibiting}, model_family::bert);
  const encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, ragged);
  encoder_inference<float> model(p, {in_bytes});
  const auto once = computed(model, tokens, {});
  CHECK(once.first.size() == ragged.size() * 120);
#if defined(_OPENMP)
  for (const int threads : {2, 3, 5}) {
    const auto again = computed(model, tokens, openmp_executor(threads));
    CHECK(again.hidden == once.hidden);
    CHECK(again.first == once.first);
    CHECK(again.logits == once.logits);
  }
#endif
  const packed_tokens all = tokens.packed();
  for (std::size_t b = 0; b < ragged.size(); ++b) {
    const index_t from = tokens.starts[b], rows = tokens.starts[b + 1] - from;
    const std::vector<index_t> starts{0, rows};
    const float* alone = model.hidden({all.ids + from, all.type_ids + from, starts.data(), 1}, {});
    CHECK(std::equal(alone, alone + rows * c.dim, once.hidden.data() + from * c.dim));
  }
}

TEST_CASE("encoder_inference: u8 attention is near the float model, and its first rows are those of all rows") {
  encoder_config c = some_config({inhibiting, inhibiting}, model_family::distilbert);
  const encoder_tensors<float> p = random_model<float>(c);
  const some_tokens tokens(c, ragged);
  encoder_inference<float> model(p, {true}), exact(p);
  const auto bytes = computed(model, tokens, {});
  const auto floats = computed(exact, tokens, {});
  const double error = largest_difference(bytes.hidden, floats.hidden) / largest_magnitude(floats.hidden);
  CHECK(error < 0.05);
  CHECK(error > 0);
  for (std::size_t b = 0; b < ragged.size(); ++b) {
    const auto* whole = bytes.hidden.data() + tokens.starts[b] * c.dim;
    const auto* first = bytes.first.data() + static_cast<index_t>(b) * c.dim;
    double difference = 0;
    for (index_t k = 0; k < c.dim; ++k)
      difference = std::max(difference, std::abs(double(whole[k]) - double(first[k])));
    CHECK(difference < 1e-5 * largest_magnitude(bytes.hidden));
  }
  CHECK_THROWS_AS((encoder_inference<double>(random_model<double>(c), {true})), std::invalid_argument);
}

TEST_CASE("encoder_inference: allocates nothing once its buffers have grown") {
  const bool in_bytes = GENERATE(false, true);
  const encoder_config c = some_config({inhibiting, dot, inhibiting}, model_family::bert);
  encoder_inference<float> model(random_model<float>(c), {in_bytes});
  const some_tokens large(c, ragged), small(c, {3, 128, 2});
  model.hidden(large.packed(), {});
  model.classify(large.packed(), {});
  const long before = allocations;
  for (const some_tokens* tokens : {&small, &large, &small}) {
    model.hidden(tokens->packed(), {});
    model.classify(tokens->packed(), {});
  }
  CHECK(allocations == before);
}

TEST_CASE("encoder_inference: refuses tokens that do not fit, with their position") {
  const encoder_config c = some_config({dot}, model_family::bert, true);  // 11 words, 6 positions
  encoder_inference<float> model(random_model<float>(c));
  const auto message = [&](std::vector<std::int32_t> ids, std::vector<std::int32_t> types,
                           std::vector<index_t> starts) {
    try {
      model.hidden({ids.data(), types.data(), starts.data(), static_cast<index_t>(starts.size()) - 1}, {});
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(message({1, 2, 3}, {0, 1, 0}, {0, 2, 3}) == "accepted");
  CHECK(message({1, 2, 11}, {0, 1, 0}, {0, 1, 3}) ==
        "token id of sequence 1, position 1 is 11; expected 0 <= id < vocab_size = 11");
  CHECK(message({1, -1, 3}, {0, 1, 0}, {0, 2, 3}).find("token id of sequence 0, position 1 is -1") == 0);
  CHECK(message({1, 2, 3}, {0, 2, 0}, {0, 2, 3}) ==
        "token type of sequence 0, position 1 is 2; expected 0 <= id < type_vocab_size = 2");
  CHECK(message({1, 2, 3}, {0, 1, 0}, {0, 0, 3}).find("packed tokens: sequence 0 has 0 tokens") == 0);
  CHECK(message({1, 2, 3}, {0, 1, 0}, {0, 3, 2}).find("packed tokens: sequence 1 has -1 tokens") == 0);
  CHECK(message({1, 2, 3}, {0, 1, 0}, {1, 2, 3}).find("packed tokens: the first sequence starts at row 1") == 0);
  CHECK(message(std::vector<std::int32_t>(7), std::vector<std::int32_t>(7), {0, 7}) ==
        "packed tokens: sequence 0 has 7 tokens; expected 1 to max_position_embeddings = 6");
  CHECK(model.hidden({}, {}) == model.hidden({}, {}));  // no sequences, no rows

  encoder_inference<float> headless(encoder_tensors<float>(c, {}));
  const std::vector<std::int32_t> ids{1};
  const std::vector<index_t> starts{0, 1};
  CHECK_FALSE(headless.has_classifier());
  CHECK_THROWS_AS(headless.classify({ids.data(), nullptr, starts.data(), 1}, {}), std::invalid_argument);
}

TEST_CASE("encoder_inference: set_profile collects the time of every part") {
  const encoder_config c = some_config({inhibiting, dot}, model_family::distilbert);
  encoder_inference<float> model(random_model<float>(c));
  const some_tokens tokens(c, ragged);
  inference_profile profile;
  model.set_profile(&profile);
  model.classify(tokens.packed(), {});
  for (const double seconds : {profile.embeddings, profile.projections, profile.attention, profile.feed_forward,
                               profile.norms, profile.head}) {
    CHECK(seconds > 0);
  }
  const double before = profile.feed_forward;
  model.set_profile(nullptr);
  model.classify(tokens.packed(), {});
  CHECK(profile.feed_forward == before);
}
