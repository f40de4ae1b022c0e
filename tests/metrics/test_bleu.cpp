// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/metrics/bleu.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "inhibitor/metrics/chrf.hpp"
#include "inhibitor/metrics/token_bleu.hpp"
#include "metrics/translation_lines.hpp"
#include "support/catch.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using inhibitor::test::translation_hypotheses;
using inhibitor::test::translation_references;
using counts4 = std::array<index_t, 4>;
using lines = std::vector<std::string>;

namespace {

bleu_options with(bleu_smoothing smoothing, bool effective_order = false) {
  bleu_options options;
  options.smoothing = smoothing;
  options.effective_order = effective_order;
  return options;
}

bleu_options without_tokenizer() {
  bleu_options options;
  options.tokenizer = bleu_tokenizer::none;
  return options;
}

lines first(const lines& all, std::size_t count) { return {all.begin(), all.begin() + static_cast<index_t>(count)}; }

struct golden_line {
  double exp, none, effective, no_tokenizer;
  counts4 matches, totals;
  index_t hypothesis_length, reference_length;
};

const std::vector<golden_line> golden{
    {63.404663, 63.404663, 63.404663, 58.772837, {10, 8, 6, 4}, {12, 11, 10, 9}, 12, 12},
    {17.026117, 0, 17.026117, 16.341219, {5, 2, 0, 0}, {7, 6, 5, 4}, 7, 8},
    {7.809850, 0, 7.809850, 7.809850, {2, 0, 0, 0}, {7, 6, 5, 4}, 7, 6},
    {48.326978, 48.326978, 48.326978, 35.640265, {9, 6, 4, 2}, {11, 10, 9, 8}, 11, 10},
    {37.700638, 37.700638, 37.700638, 27.482546, {8, 5, 3, 2}, {12, 11, 10, 9}, 12, 10},
    {24.177237, 0, 24.177237, 24.598128, {6, 3, 1, 0}, {7, 6, 5, 4}, 7, 9},
    {0, 0, 100, 0, {1, 0, 0, 0}, {1, 0, 0, 0}, 1, 1},
    {100, 100, 100, 31.947155, {4, 3, 2, 1}, {4, 3, 2, 1}, 4, 4},
    {89.315398, 89.315398, 89.315398, 61.047358, {10, 9, 8, 7}, {11, 10, 9, 8}, 11, 11},
    {0, 0, 0, 0, {0, 0, 0, 0}, {4, 3, 2, 1}, 4, 6}};

constexpr double tolerance = 1e-6;

}  // namespace

TEST_CASE("sentence_bleu: sacreBLEU's scores and counts line by line") {
  for (std::size_t i = 0; i < golden.size(); ++i) {
    INFO("line " << i + 1);
    const golden_line& line = golden[i];
    const std::string& hypothesis = translation_hypotheses[i];
    const lines reference{translation_references[i]};
    const bleu_score score = sentence_bleu(hypothesis, reference, with(bleu_smoothing::exp));
    CHECK_THAT(score.score, WithinAbs(line.exp, tolerance));
    CHECK(score.counts.matches == line.matches);
    CHECK(score.counts.totals == line.totals);
    CHECK(score.counts.hypothesis_length == line.hypothesis_length);
    CHECK(score.counts.reference_length == line.reference_length);
    CHECK_THAT(sentence_bleu(hypothesis, reference, with(bleu_smoothing::none)).score, WithinAbs(line.none, tolerance));
    CHECK_THAT(sentence_bleu(hypothesis, reference, with(bleu_smoothing::exp, true)).score,
               WithinAbs(line.effective, tolerance));
    CHECK_THAT(sentence_bleu(hypothesis, reference, without_tokenizer()).score,
               WithinAbs(line.no_tokenizer, tolerance));
  }
}

TEST_CASE("sentence_bleu: smoothing by a floor and by added counts, default and given values") {
  const auto score_of = [](std::size_t line, bleu_smoothing smoothing, std::optional<double> value) {
    bleu_options options = with(smoothing, true);
    options.smoothing_value = value;
    return sentence_bleu(translation_hypotheses[line], {translation_references[line]}, options).score;
  };
  CHECK_THAT(score_of(1, bleu_smoothing::floor, std::nullopt), WithinAbs(9.054992807, tolerance));
  CHECK_THAT(score_of(5, bleu_smoothing::floor, std::nullopt), WithinAbs(16.168292861, tolerance));
  CHECK_THAT(score_of(1, bleu_smoothing::floor, 0.5), WithinAbs(20.247579451, tolerance));
  CHECK_THAT(score_of(0, bleu_smoothing::add_k, std::nullopt), WithinAbs(66.778835907, tolerance));
  CHECK_THAT(score_of(1, bleu_smoothing::add_k, std::nullopt), WithinAbs(27.551891038, tolerance));
  CHECK_THAT(score_of(6, bleu_smoothing::add_k, std::nullopt), WithinAbs(100, tolerance));
  CHECK_THAT(score_of(9, bleu_smoothing::add_k, std::nullopt), WithinAbs(0, tolerance));
  CHECK_THAT(score_of(2, bleu_smoothing::add_k, 0.5), WithinAbs(12.20642121, tolerance));
}

TEST_CASE("corpus_bleu: counts are summed over the corpus first") {
  const bleu_score all = corpus_bleu(translation_hypotheses, {translation_references});
  CHECK_THAT(all.score, WithinAbs(47.881340, tolerance));
  CHECK(all.counts.matches == counts4{55, 36, 24, 16});
  CHECK(all.counts.totals == counts4{76, 66, 57, 48});
  CHECK(all.counts.hypothesis_length == 76);
  CHECK(all.counts.reference_length == 77);
  CHECK_THAT(all.brevity_penalty, WithinAbs(std::exp(1 - 77.0 / 76), 1e-12));
  CHECK_THAT(all.precisions[3], WithinAbs(1600.0 / 48, 1e-12));
  CHECK_THAT(corpus_bleu(translation_hypotheses, {translation_references}, without_tokenizer()).score,
             WithinAbs(33.189243, tolerance));

  const bleu_score six = corpus_bleu(first(translation_hypotheses, 6), {first(translation_references, 6)});
  CHECK_THAT(six.score, WithinAbs(38.929044, tolerance));
  CHECK(six.counts.matches == counts4{40, 24, 14, 8});
  CHECK(six.counts.totals == counts4{56, 50, 44, 38});
  CHECK_THAT(
      corpus_bleu(first(translation_hypotheses, 6), {first(translation_references, 6)}, without_tokenizer()).score,
      WithinAbs(30.321138, tolerance));

  bleu_options add_half = with(bleu_smoothing::add_k);
  add_half.smoothing_value = 0.5;
  CHECK_THAT(corpus_bleu(translation_hypotheses, {translation_references}, add_half).score,
             WithinAbs(48.344913702, tolerance));
}

TEST_CASE("corpus_bleu: several references, and lower case") {
  const lines second = test::second_translation_references();
  const bleu_score score = corpus_bleu(translation_hypotheses, {translation_references, second});
  CHECK_THAT(score.score, WithinAbs(49.26219593377913, tolerance));
  CHECK(score.counts.reference_length == 81);
  bleu_options lower;
  lower.lower_case = true;
  CHECK_THAT(corpus_bleu(translation_hypotheses, {second}, lower).score, WithinAbs(68.95354205578818, tolerance));
  CHECK_THAT(corpus_bleu({"THE CAT SAT ON \xC3\x84PFEL mats"}, {{"the cat sat on \xC3\xA4pfel MATS"}}, lower).score,
             WithinAbs(100, tolerance));
  CHECK(corpus_bleu({"THE CAT SAT ON \xC3\x84PFEL mats"}, {{"the cat sat on \xC3\xA4pfel MATS"}}).score == 0);
}

TEST_CASE("corpus_bleu: empty lines are segments without n-grams") {
  const bleu_score score = corpus_bleu({"", "a b c d"}, {{"x y", "a b c d"}});
  CHECK(score.counts.totals == counts4{4, 3, 2, 1});
  CHECK_THAT(score.score, WithinAbs(100 * std::exp(1 - 6.0 / 4), tolerance));
  CHECK(corpus_bleu({""}, {{"a"}}).score == 0);
  CHECK(corpus_bleu({""}, {{""}}).score == 0);
  CHECK(corpus_bleu({"a"}, {{""}}).score == 0);
}

TEST_CASE("corpus_bleu: what cannot be compared is refused with both numbers") {
  CHECK_THROWS_WITH(corpus_bleu({}, {{}}), contains_text("no hypotheses"));
  CHECK_THROWS_WITH(corpus_bleu({"a"}, {}), contains_text("no references"));
  CHECK_THROWS_WITH(corpus_bleu({"a", "b"}, {{"a"}}), contains_text("2 hypotheses but 1 references"));
  CHECK_THROWS_WITH(corpus_bleu({"a", "b"}, {{"a", "b"}, {"a", "b", "c"}}), contains_text("2 hypotheses but 3"));
  CHECK_THROWS_WITH(corpus_bleu({"a", "b\xFF"}, {{"a", "b"}}),
                    contains_text("hypothesis 2 is not valid UTF-8 at byte 1"));
  CHECK_THROWS_WITH(corpus_bleu({"a"}, {{"\xC3"}}), contains_text("reference 1 is not valid UTF-8 at byte 0"));
}

TEST_CASE("bleu_signature: sacreBLEU's words") {
  bleu_options options;
  CHECK(bleu_signature(options) == "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
  options.lower_case = true;
  options.effective_order = true;
  options.tokenizer = bleu_tokenizer::none;
  options.smoothing = bleu_smoothing::floor;
  CHECK(bleu_signature(options, 2) == "nrefs:2|case:lc|eff:yes|tok:none|smooth:floor[0.10]|version:2.6.0");
  options.smoothing = bleu_smoothing::add_k;
  CHECK(bleu_signature(options, 2) == "nrefs:2|case:lc|eff:yes|tok:none|smooth:add-k[1.00]|version:2.6.0");
  options.smoothing_value = 0.5;
  CHECK(bleu_signature(options, 2) == "nrefs:2|case:lc|eff:yes|tok:none|smooth:add-k[0.50]|version:2.6.0");
  options.smoothing = bleu_smoothing::none;
  CHECK(bleu_signature(options, 2) == "nrefs:2|case:lc|eff:yes|tok:none|smooth:none|version:2.6.0");
}

TEST_CASE("nltk_token_bleu: nltk's rule for short segments; begin and end tokens raise the score") {
  lines hypotheses, references;
  for (std::size_t i = 0; i < translation_hypotheses.size(); ++i) {
    hypotheses.push_back(tokenize_13a(translation_hypotheses[i]));
    references.push_back(tokenize_13a(translation_references[i]));
  }
  CHECK_THAT(nltk_token_bleu(hypotheses, references), WithinAbs(47.25051924713579, tolerance));
  CHECK_THAT(begin_end_token_bleu(hypotheses, references), WithinAbs(52.09971112392069, tolerance));
  CHECK(nltk_token_bleu({"a"}, {"b"}) == 0);
  CHECK(nltk_token_bleu({""}, {"b"}) == 0);
  const double one_word = nltk_token_bleu({"Hello"}, {"Hello"});
  CHECK((one_word > 1e-229 && one_word < 1e-228));
  CHECK_THROWS_WITH(nltk_token_bleu({"a", "b"}, {"a"}), contains_text("2 hypotheses but 1 references"));
  CHECK_THROWS_WITH(begin_end_token_bleu({}, {}), contains_text("no hypotheses"));
}

TEST_CASE("corpus_bleu, corpus_chrf: a thousand lines of German with every seventh word left out") {
  const char* folder = std::getenv("INHIBITOR_SHARED_DATA");
  if (folder == nullptr) {
    std::cout << "skipped: INHIBITOR_SHARED_DATA is not set\n";
    return;
  }
  std::ifstream file(std::string(folder) + "/multi30k/val.de");
  REQUIRE(file.is_open());
  lines hypotheses, references;
  for (std::string line; std::getline(file, line);) {
    references.push_back(line);
    std::string kept;
    const std::vector<text_span> words = split_words(line);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i % 7 == 6) continue;
      for (int copy = i % 11 == 10 ? 2 : 1; copy > 0; --copy) {
        kept += (kept.empty() ? "" : " ") + line.substr(words[i].begin, words[i].end - words[i].begin);
      }
    }
    hypotheses.push_back(kept);
  }
  const bleu_score score = corpus_bleu(hypotheses, {references});
  CHECK_THAT(score.score, WithinAbs(67.235672, tolerance));
  CHECK(score.counts.matches == counts4{11386, 9294, 6786, 4418});
  CHECK(score.counts.hypothesis_length == 12043);
  CHECK(score.counts.reference_length == 12825);
  CHECK_THAT(corpus_chrf(hypotheses, {references}), WithinAbs(85.568077, tolerance));
}
