// SPDX-License-Identifier: Apache-2.0

#include "inspect/statistics.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "inspect/tensor_table.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

TEST_CASE("tensor_statistics: parts give the statistics of the whole", "[inspect]") {
  random_numbers random(1);
  // Far from zero against their spread: a sum of squares would lose all digits.
  const auto x = random.numbers<double>(1000, 1e8, 1e8 + 1);
  double mean = 0, squares = 0;
  for (const double v : x) mean += (v - 1e8) / 1000;
  for (const double v : x) squares += (v - 1e8 - mean) * (v - 1e8 - mean);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{500}, std::size_t{999}}) {
    tensor_statistics s;
    s.add(x.data(), cut);
    s.add(x.data() + cut, x.size() - cut);
    CHECK(s.count() == 1000);
    CHECK_THAT(s.mean() - 1e8, WithinAbs(mean, 1e-6));
    CHECK_THAT(s.standard_deviation(), WithinRel(std::sqrt(squares / 1000), 1e-6));
    CHECK(s.min() == *std::min_element(x.begin(), x.end()));
    CHECK(s.max() == *std::max_element(x.begin(), x.end()));
  }
}

TEST_CASE("tensor_statistics: NaN and infinities are counted and left out", "[inspect]") {
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> x{0, std::nan(""), 2, inf, -inf, -2, 0, 4};
  tensor_statistics s;
  s.add(x.data(), x.size());
  CHECK(s.non_finite() == 3);
  CHECK(s.min() == -2);
  CHECK(s.max() == 4);
  CHECK(s.mean() == 0.8);
  CHECK(s.zero_share() == 0.25);
  CHECK_THAT(s.standard_deviation(), WithinRel(std::sqrt((0.64 + 1.44 + 7.84 + 0.64 + 10.24) / 5), 1e-12));

  tensor_statistics none;
  none.add(&inf, 1);
  CHECK(none.count() == 1);
  CHECK(std::isnan(none.min()));
  CHECK(std::isnan(none.mean()));
}

TEST_CASE("describe_tensors: every type is listed, numbers for those that are read", "[inspect]") {
  temp_folder folder;
  const std::vector<std::uint16_t> halves{0x3C00, 0xC000};  // 1, -2 in F16; in BF16 0.0078125, -2
  const std::vector<std::uint64_t> big{~std::uint64_t{0}, 1};
  const std::vector<std::uint8_t> bytes(16, 0xFF);
  const std::vector<double> doubles(70000, 0.5);
  safetensors_writer file;
  file.add("half", dtype::f16, {2}, halves.data());
  file.add("brain", dtype::bf16, {2}, halves.data());
  file.add("big", dtype::u64, {2}, big.data());
  file.add("signed", dtype::i8, {2}, bytes.data());
  file.add("eight", dtype::f8_e4m3, {2, 2}, bytes.data());
  file.add("four", dtype::f4, {4}, bytes.data());
  file.add("complex", dtype::c64, {2}, bytes.data());
  file.add("empty", dtype::f32, {0, 3}, bytes.data());
  file.add("long", dtype::f64, {70000}, doubles.data());
  file.write(folder.file("all.safetensors"));

  const std::string text = describe_tensors(folder.file("all.safetensors"));
  const auto line = [&](const std::string& name) {
    const std::size_t at = text.find("\n" + name + " ");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  CHECK_THAT(line("half"), contains_text(" -2 ") && contains_text(" -0.5 ") && contains_text(" 1.5 "));
  CHECK_THAT(line("brain"), contains_text("BF16") && contains_text("0.007812"));
  CHECK_THAT(line("big"), contains_text("18446744073709551616") && contains_text(" 1 "));
  CHECK_THAT(line("signed"), contains_text("-1"));
  CHECK_THAT(line("eight"), contains_text("F8_E4M3") && contains_text("[2, 2]") && contains_text("?"));
  CHECK_THAT(line("four"), contains_text("?"));
  CHECK_THAT(line("complex"), contains_text("?"));
  CHECK_THAT(line("empty"), contains_text("[0, 3]"));
  CHECK_THAT(line("long"), contains_text("0.5") && contains_text("0.0 %"));
  CHECK_THAT(text, contains_text("9 tensors"));
}
