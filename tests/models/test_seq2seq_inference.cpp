// SPDX-License-Identifier: Apache-2.0

// seq2seq_inference and translate against the forward pass of training (models/seq2seq/encoder_decoder.hpp).

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "compiled_models/translation_models.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/small_translator.hpp"
#include "support/threads.hpp"
#include "support/tolerance.hpp"

using namespace inhibitor;
using namespace inhibitor::test;
using ids = std::vector<std::int32_t>;

namespace {

/// A model in which every option but those given differs from the small one's.
seq2seq_config translator(const std::string& mixer, norm_placement norm) {
  seq2seq_config c = small_translator(mixer, mixer, mixer);
  c.vocab_size = 23;
  c.max_position_embeddings = 16;
  c.d_model = 24;
  c.encoder_layers = c.decoder_layers = 2;
  c.encoder_ffn_dim = c.decoder_ffn_dim = 20;
  c.norm = norm;
  const bool is_pre = norm == norm_placement::pre;
  c.positions = is_pre ? position_kind::interleaved : position_kind::learned;
  c.between = is_pre ? activation::relu : activation::silu;
  c.tie_output = is_pre;
  c.layer_norm_epsilon = 1e-5;
  for (const mixing_place place : {mixing_place::encoder_self, mixing_place::decoder_self, mixing_place::cross}) {
    c.set_attention(place, mixer);
  }
  return c;
}

/// Sources one after the other.
struct packed {
  ids tokens;
  std::vector<index_t> starts{0};

  explicit packed(const std::vector<ids>& sources) {
    for (const ids& s : sources) {
      tokens.insert(tokens.end(), s.begin(), s.end());
      starts.push_back(static_cast<index_t>(tokens.size()));
    }
  }
  packed_sequences view() const { return {tokens.data(), starts.data(), static_cast<index_t>(starts.size()) - 1}; }
};

std::vector<ids> random_sources(index_t count, index_t vocab, std::uint64_t seed) {
  random_numbers random(seed);
  std::vector<ids> all;
  for (index_t b = 0; b < count; ++b) {
    ids one;
    for (index_t i = 1 + random.index(7); i > 0; --i)
      one.push_back(static_cast<std::int32_t>(3 + random.index(vocab - 3)));
    all.push_back(one);
  }
  return all;
}

/// Logits (T, V) by the forward pass of training, of one pair.
template <class T>
std::vector<T> training_logits(const seq2seq_tensors<T>& p, const ids& source, const ids& target) {
  const std::vector<std::uint8_t> ones(source.size() + target.size(), 1);
  const pair_view tokens{{source.data(), ones.data(), 1, static_cast<index_t>(source.size())},
                         {target.data(), ones.data(), 1, static_cast<index_t>(target.size())}};
  seq2seq_activations<T> a;
  output_activations<T> output;
  seq2seq_forward(a, tokens, p, {}, {});
  for (index_t i = 0; i < tokens.target.rows(); ++i) output.positions.push_back(i);
  seq2seq_output_forward(output, a, p, {});
  return {output.logits.begin(), output.logits.end()};
}

}  // namespace

TEMPLATE_TEST_CASE("seq2seq_inference: token by token it gives the logits of the whole target", "", float, double) {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const norm_placement norm = GENERATE(norm_placement::post, norm_placement::pre);
  const seq2seq_config c = translator(mixer, norm);
  const auto p = random_translator<TestType>(c, 11);
  seq2seq_inference<TestType> model(p), at_once(p);
  const std::vector<ids> sources{{5, 9, 22, 7, 1}, {4, 1}};
  const std::vector<ids> targets{{2, 8, 9, 10, 4, 21}, {2, 20, 3, 6, 7, 5}};
  const packed all(sources);
  model.start(all.view(), {});
  at_once.start(all.view(), {});
  const std::vector<TestType> whole[] = {training_logits(p, sources[0], targets[0]),
                                         training_logits(p, sources[1], targets[1])};
  ids both = targets[0];
  both.insert(both.end(), targets[1].begin(), targets[1].end());
  const TestType* uncached = at_once.advance(both.data(), 6, {});
  const double bound = (sizeof(TestType) == 4 ? 1e-6 : 1e-14) * (1 + largest_magnitude(whole[0]));
  double off_training = 0, off_uncached = 0;
  for (index_t t = 0; t < 6; ++t) {
    const ids next{targets[0][static_cast<std::size_t>(t)], targets[1][static_cast<std::size_t>(t)]};
    const TestType* logits = model.step(next.data(), {});
    for (index_t b = 0; b < 2; ++b) {
      for (index_t k = 0; k < c.vocab_size; ++k) {
        const auto x = static_cast<double>(logits[b * c.vocab_size + k]);
        const auto at = static_cast<std::size_t>(t * c.vocab_size + k);
        off_training = std::max(off_training, std::abs(x - static_cast<double>(whole[b][at])));
        off_uncached =
            std::max(off_uncached, std::abs(x - static_cast<double>(uncached[(b * 6 + t) * c.vocab_size + k])));
      }
    }
  }
  CHECK(off_uncached <= bound);
  CHECK(off_training <= 4 * bound);
  CHECK(model.given() == 6);
}

TEST_CASE("seq2seq_inference: reordered rows go on from their parents, gone sentences leave the others alone") {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const seq2seq_config c = translator(mixer, norm_placement::post);
  const auto p = random_translator<float>(c, 12);
  const std::vector<ids> sources{{5, 9, 22}, {4, 1, 6, 8}, {7, 7}};
  const packed all(sources), last_alone(std::vector<ids>{sources[2]});
  seq2seq_inference<float> model(p), alone(p);
  model.start(all.view(), {});
  const ids start(3, 2);
  model.step(start.data(), {});
  model.reorder({0, 2, 2, 2});
  const ids second{4, 5, 6, 7};
  model.step(second.data(), {});
  model.reorder({2, 1, 2});  // both of the last sentence, the first of them from its second row
  CHECK(model.rows() == 3);
  CHECK(model.sentence_of(0) == 2);
  const ids third{8, 9, 10};
  const float* logits = model.step(third.data(), {});
  const std::vector<ids> paths{{2, 6, 8}, {2, 5, 9}, {2, 6, 10}};
  for (index_t row = 0; row < 3; ++row) {
    alone.start(last_alone.view(), {});
    const float* expected = nullptr;
    for (const std::int32_t id : paths[static_cast<std::size_t>(row)]) expected = alone.step(&id, {});
    CHECK(std::equal(expected, expected + c.vocab_size, logits + row * c.vocab_size));
  }
  CHECK_THROWS_WITH(model.reorder({3}), contains_text("there is no such row"));
  const std::int32_t outside = 23;
  alone.start(last_alone.view(), {});
  CHECK_THROWS_WITH(alone.step(&outside, {}), contains_text("token of row 0 is 23; expected 0 <= id < 23"));
}

TEMPLATE_TEST_CASE("translate: sentences translate the same alone and together, with any number of workers", "", float,
                   double) {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const seq2seq_config c = translator(mixer, GENERATE(norm_placement::post, norm_placement::pre));
  const auto p = random_translator<TestType>(c, 13);
  seq2seq_inference<TestType> model(p);
  const std::vector<ids> sources = random_sources(16, c.vocab_size, 14);
  beam_options options;
  options.beams = 3;
  const packed all(sources);
  const auto together = translate(model, all.view(), options, {});
  const auto threaded = translate(model, all.view(), options, thread_executor(3));
  index_t differ = 0;
  const auto same = [](const hypothesis& a, const hypothesis& b) {
    return a.tokens == b.tokens && a.score == b.score && a.log_probability == b.log_probability;
  };
  for (std::size_t b = 0; b < sources.size(); ++b) {
    const packed one(std::vector<ids>{sources[b]});
    const auto alone = translate(model, one.view(), options, {})[0];
    REQUIRE(alone.size() == 3);
    CHECK(std::equal(alone.begin(), alone.end(), together[b].begin(), together[b].end(), same));
    CHECK(std::equal(alone.begin(), alone.end(), threaded[b].begin(), threaded[b].end(), same));
    differ += alone[0].tokens != together[0][0].tokens;
  }
  CHECK(differ > 0);
}

TEST_CASE("translate: one beam follows the largest logit, and scores are those of the forward pass") {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  const seq2seq_config c = translator(mixer, norm_placement::post);
  const auto p = random_translator<double>(c, 15);
  seq2seq_inference<double> model(p);
  beam_options options;
  options.beams = 1;
  for (const ids& source : random_sources(6, c.vocab_size, 16)) {
    const packed one(std::vector<ids>{source});
    const hypothesis found = translate(model, one.view(), options, {})[0].at(0);
    ids target{2};
    double sum = 0;
    const auto longest = std::min<std::size_t>(15, source.size() * 6 / 5 + 10);
    for (bool has_ended = false; !has_ended;) {
      const std::vector<double> logits = training_logits(p, source, target);
      std::vector<double> last(logits.end() - c.vocab_size, logits.end());
      double normalizer = 0;
      for (const double x : last) normalizer += std::exp(x);
      last[0] = -1e9;
      if (target.size() == 1) last[1] = -1e9;
      auto best = static_cast<std::int32_t>(std::max_element(last.begin(), last.end()) - last.begin());
      if (target.size() > longest) best = 1;
      sum += last[static_cast<std::size_t>(best)] - std::log(normalizer);
      has_ended = best == 1;
      if (!has_ended) target.push_back(best);
    }
    CHECK(found.tokens == ids(target.begin() + 1, target.end()));
    CHECK(std::abs(found.log_probability - sum) < 1e-10);
    CHECK(std::abs(found.score - sum / static_cast<double>(target.size())) < 1e-10);
  }
}

TEST_CASE("translate: with beams for all there are, beam search is exhaustive search") {
  const std::string mixer = GENERATE("dot_product", "inhibitor");
  seq2seq_config c = small_translator(mixer, mixer, mixer);
  c.vocab_size = 5;
  c.max_position_embeddings = 4;  // up to three tokens
  const auto p = random_translator<double>(c, 17);
  const ids source{4, 3, 2};
  // All translations of 1 to 3 of the words 2, 3 and 4.
  std::vector<hypothesis> all;
  const beam_options defaults;
  std::vector<ids> prefixes{{2}};
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const ids prefix = prefixes[i];
    const std::vector<double> logits = training_logits(p, source, prefix);
    double sum = 0;
    for (std::size_t t = 0; t < prefix.size(); ++t) {
      const double* x = logits.data() + t * 5;
      double normalizer = 0;
      for (int k = 0; k < 5; ++k) normalizer += std::exp(x[k]);
      const std::int32_t next = t + 1 < prefix.size() ? prefix[t + 1] : 1;
      sum += x[next] - std::log(normalizer);
    }
    if (prefix.size() > 1) {
      all.push_back(
          {ids(prefix.begin() + 1, prefix.end()), defaults.score(sum, static_cast<index_t>(prefix.size())), sum});
    }
    for (std::int32_t word = 2; word < 5 && prefix.size() < 4; ++word) {
      prefixes.push_back(prefix);
      prefixes.back().push_back(word);
    }
  }
  std::sort(all.begin(), all.end(), [](const hypothesis& a, const hypothesis& b) { return a.score > b.score; });
  REQUIRE(all.size() == 39);
  seq2seq_inference<double> model(p);
  beam_options options;
  options.beams = 40;
  const packed one(std::vector<ids>{source});
  const auto found = translate(model, one.view(), options, {})[0];
  REQUIRE(found.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(found[i].tokens == all[i].tokens);
    CHECK(std::abs(found[i].score - all[i].score) < 1e-12);
  }
}

TEST_CASE("translate: no sources give no translations, a source that does not fit is refused") {
  const seq2seq_config c = translator("dot_product", norm_placement::post);
  seq2seq_inference<float> model(random_translator<float>(c, 18));
  CHECK(translate(model, packed({}).view(), {}, {}).empty());
  const packed empty(std::vector<ids>{{3}, {}}), long_one(std::vector<ids>{ids(17, 3)});
  CHECK_THROWS_WITH(translate(model, empty.view(), {}, {}), contains_text("source 1 has 0 tokens; expected 1 to"));
  CHECK_THROWS_WITH(translate(model, long_one.view(), {}, {}), contains_text("source 0 has 17 tokens"));
}
