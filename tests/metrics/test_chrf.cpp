// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/metrics/chrf.hpp"

#include "metrics/translation_lines.hpp"
#include "support/catch.hpp"

using namespace inhibitor;
using Catch::Matchers::WithinAbs;
using inhibitor::test::translation_hypotheses;
using inhibitor::test::translation_references;
using lines = std::vector<std::string>;

namespace {
constexpr double tolerance = 1e-6;
}

TEST_CASE("corpus_chrf: sacreBLEU's scores line by line and of the corpus") {
  const std::vector<double> golden{72.616999, 42.666448, 14.232427, 85.786978, 70.433568,
                                   56.563059, 100,       100,       91.444181, 15.999013};
  for (std::size_t i = 0; i < golden.size(); ++i) {
    INFO("line " << i + 1);
    CHECK_THAT(corpus_chrf({translation_hypotheses[i]}, {{translation_references[i]}}),
               WithinAbs(golden[i], tolerance));
  }
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references}), WithinAbs(62.086933, tolerance));
  CHECK_THAT(corpus_chrf(lines(translation_hypotheses.begin(), translation_hypotheses.begin() + 6),
                         {lines(translation_references.begin(), translation_references.begin() + 6)}),
             WithinAbs(61.810424, tolerance));
}

TEST_CASE("corpus_chrf: chrF++, other orders and weights, lower case, several references") {
  const lines second = test::second_translation_references();
  chrf_options plus_plus;
  plus_plus.word_order = 2;
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references}, plus_plus),
             WithinAbs(60.62829499608413, tolerance));
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references, second}, plus_plus),
             WithinAbs(62.1901593160448, tolerance));
  chrf_options four;
  four.char_order = 4;
  four.beta = 3;
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references}, four), WithinAbs(67.81498074, tolerance));
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references, second}), WithinAbs(63.65507218, tolerance));
  chrf_options lower;
  lower.lower_case = true;
  CHECK_THAT(corpus_chrf(translation_hypotheses, {translation_references, second}, lower),
             WithinAbs(75.99800796, tolerance));
}

TEST_CASE("corpus_chrf: white space does not count, empty lines have no characters") {
  CHECK_THAT(corpus_chrf({"a\xC2\xA0"
                          "b c"},
                         {{"abc"}}),
             WithinAbs(100, tolerance));
  CHECK(corpus_chrf({""}, {{"abc"}}) == 0);
  CHECK(corpus_chrf({"abc"}, {{""}}) == 0);
  CHECK(corpus_chrf({""}, {{""}}) == 0);
}

TEST_CASE("corpus_chrf: what cannot be compared is refused") {
  CHECK_THROWS_WITH(corpus_chrf({}, {{}}), contains_text("no hypotheses"));
  CHECK_THROWS_WITH(corpus_chrf({"a"}, {{"a", "b"}}), contains_text("1 hypotheses but 2 references"));
  CHECK_THROWS_WITH(corpus_chrf({"\x80"}, {{"a"}}), contains_text("hypothesis 1 is not valid UTF-8"));
  chrf_options none;
  none.char_order = 0;
  CHECK_THROWS_WITH(corpus_chrf({"a"}, {{"a"}}, none), contains_text("orders"));
}

TEST_CASE("chrf_signature: sacreBLEU's words") {
  chrf_options options;
  CHECK(chrf_signature(options) == "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
  options.word_order = 2;
  options.lower_case = true;
  CHECK(chrf_signature(options, 2) == "nrefs:2|case:lc|eff:yes|nc:6|nw:2|space:no|version:2.6.0");
}
