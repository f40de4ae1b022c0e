// SPDX-License-Identifier: Apache-2.0

#include "inspect/compare.hpp"

#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using namespace inhibitor::examples;
using namespace inhibitor::test;

namespace {

using values = std::vector<std::pair<std::string, std::vector<float>>>;

/// A file with one-dimensional float tensors.
safetensors_file file_with(const temp_folder& folder, const std::string& name, const values& tensors) {
  safetensors_writer file;
  for (const auto& [tensor, x] : tensors) file.add(tensor, dtype::f32, {x.size()}, x.data());
  file.write(folder.file(name));
  return safetensors_file::open(folder.file(name));
}

std::vector<std::string> names_of(const file_comparison& c) {
  std::vector<std::string> names;
  for (const auto& t : c.tensors) names.push_back(t.name);
  return names;
}

}  // namespace

TEST_CASE("compare_files: the first divergence in forward order is named", "[inspect]") {
  temp_folder folder;
  const values base{{"logits", {1, 2}},           {"layer.1.q", {1, 2}},       {"hidden_states.1", {1, 2}},
                    {"hidden_states.0", {1, 2}},  {"layer.0.context", {1, 2}}, {"layer.0.ffn_in", {1, 2}},
                    {"hidden_states.10", {1, 2}}, {"embeddings.sum", {1, 2}},  {"layer.9.ffn_act", {1, 2}}};
  values other = base;
  other[0].second[1] = 3;
  other[1].second[0] = 1.01F;
  const auto a = file_with(folder, "a", base), b = file_with(folder, "b", other);
  const file_comparison c = compare_files(a, b, {}, {});
  CHECK(names_of(c) == std::vector<std::string>{"embeddings.sum", "hidden_states.0", "layer.0.context",
                                                "layer.0.ffn_in", "hidden_states.1", "layer.1.q", "layer.9.ffn_act",
                                                "hidden_states.10", "logits"});
  REQUIRE(c.first_divergence() != nullptr);
  CHECK(c.first_divergence()->name == "layer.1.q");
  CHECK_THAT(describe(c), contains_text("first to diverge: layer.1.q (layer 1)"));

  tolerance_table loose;
  loose.set("attention=0.01");
  CHECK(compare_files(a, b, {}, loose).first_divergence()->name == "logits");
  loose.set("head=1");
  CHECK(compare_files(a, b, {}, loose).first_divergence() == nullptr);
  CHECK_THAT(describe(compare_files(a, b, {}, loose)), contains_text("all 9 compared tensors agree"));
}

TEST_CASE("compare_files: differences are relative to the largest magnitude of the second file", "[inspect]") {
  temp_folder folder;
  const auto a = file_with(folder, "a", {{"x", {100, 0.5F, -400}}});
  const auto b = file_with(folder, "b", {{"x", {101, 0, -400}}});
  const file_comparison c = compare_files(a, b, {}, {});
  CHECK(c.tensors.at(0).max_abs == 1);
  CHECK(c.tensors.at(0).max_rel == 0.0025);
}

TEST_CASE("compare_files: what is not finite agrees with nothing but the same infinity", "[inspect]") {
  temp_folder folder;
  const float inf = INFINITY, nan = NAN;
  const auto against = [&](std::vector<float> x, std::vector<float> y) {
    const auto a = file_with(folder, "a", {{"x", std::move(x)}});
    const auto b = file_with(folder, "b", {{"x", std::move(y)}});
    return compare_files(a, b, {}, {}).tensors.at(0).is_within();
  };
  CHECK(against({inf, 1}, {inf, 1}));
  CHECK_FALSE(against({inf, 1}, {-inf, 1}));
  CHECK_FALSE(against({inf, 1}, {1, 1}));
  CHECK_FALSE(against({nan, 1}, {nan, 1}));
  CHECK_FALSE(against({nan, 1}, {1, 1}));
  CHECK_FALSE(against({1, 0}, {nan, 0}));
  CHECK(against({0, 0}, {0, 0}));
  CHECK_FALSE(against({1e-30F, 0}, {0, 0}));
}

TEST_CASE("compare_files: shapes count without extents of 1, types by what they can hold", "[inspect]") {
  temp_folder folder;
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint16_t> bf16{0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C1};  // the last is 6.03
  const std::vector<std::int64_t> ids{1, 2, 3, 4, 5, 6};
  safetensors_writer first, second;
  first.add("hidden_states.1", dtype::f32, {1, 2, 3}, x.data());
  second.add("hidden_states.1", dtype::bf16, {2, 3}, bf16.data());
  first.add("hidden_states.2", dtype::f32, {2, 3}, x.data());
  second.add("hidden_states.2", dtype::f32, {3, 2}, x.data());
  first.add("input_ids", dtype::i64, {6}, ids.data());
  second.add("input_ids", dtype::f32, {6}, x.data());
  first.write(folder.file("a"));
  second.write(folder.file("b"));
  const auto a = safetensors_file::open(folder.file("a")), b = safetensors_file::open(folder.file("b"));
  const file_comparison c = compare_files(a, b, {}, {});
  CHECK(c.tensors.at(0).name == "input_ids");
  CHECK_THAT(c.tensors.at(0).problem, contains_text("type I64 against F32"));
  CHECK(c.tensors.at(1).is_within());  // BF16 keeps eight bits
  CHECK(c.tensors.at(1).max_abs > 0.03);
  CHECK_THAT(c.tensors.at(2).problem, contains_text("shape [2, 3] against [3, 2]"));
}

TEST_CASE("compare_files: weights must be equal, kinds come from names", "[inspect]") {
  temp_folder folder;
  const auto kind = [](const std::string& name) { return tolerance_table::kind_of(name, dtype::f32); };
  CHECK(kind("bert.encoder.layer.0.attention.self.query.weight") == "weights");
  CHECK(kind("distilbert.transformer.layer.0.attention.inhibitor_shift") == "weights");
  CHECK(kind("hidden_states.0") == "embeddings");
  CHECK(kind("a.hidden_states.3") == "hidden");
  CHECK(kind("layer.0.k") == "attention");
  CHECK(kind("layer.0.ffn_act") == "feed_forward");
  CHECK(kind("masked_lm.logits") == "head");
  CHECK(kind("pooler_output") == "head");
  CHECK(kind("loss") == "other");
  CHECK(tolerance_table::kind_of("hidden_states.0", dtype::i64) == "ids");

  const auto a = file_with(folder, "a", {{"classifier.weight", {1, 2}}});
  const auto b = file_with(folder, "b", {{"classifier.weight", {1, std::nextafter(2.0F, 3.0F)}}});
  CHECK_FALSE(compare_files(a, b, {}, {}).tensors.at(0).is_within());
  CHECK(compare_files(a, a, {}, {}).tensors.at(0).is_within());
}

TEST_CASE("name_map: exact names win over patterns, unknown names stand for themselves", "[inspect]") {
  temp_folder folder;
  const std::string path =
      folder.write("map.json", R"({"hidden_states.*": "a.hidden_states.*", "hidden_states.0": "a.embedding_output"})");
  const name_map map = name_map::read(path);
  CHECK(map("hidden_states.0") == "a.embedding_output");
  CHECK(map("hidden_states.12") == "a.hidden_states.12");
  CHECK(map("logits") == "logits");
  CHECK(map.exact_names().size() == 1);
  for (const char* bad : {"[]", R"({"a": 1})", R"({"a*b*": "c*d*"})", R"({"a*": "b"})", R"({"a": "b*"})", "{"}) {
    INFO(bad);
    CHECK_THROWS_AS(name_map::read(folder.write("bad.json", bad)), file_error);
  }
}

TEST_CASE("compare_files: a map that names what is not there, and files without anything in common, are refused",
          "[inspect]") {
  temp_folder folder;
  const auto a = file_with(folder, "a", {{"x", {1}}}), b = file_with(folder, "b", {{"y", {1}}});
  CHECK_THROWS_WITH(compare_files(a, b, {}, {}), contains_text("no tensor in common"));
  const name_map map = name_map::read(folder.write("map.json", R"({"x": "y"})"));
  CHECK(compare_files(a, b, map, {}).tensors.at(0).other == "y");
  const name_map wrong = name_map::read(folder.write("wrong.json", R"({"x": "z"})"));
  CHECK_THROWS_WITH(compare_files(a, b, wrong, {}), contains_text("\"z\""));
}

TEST_CASE("tolerance_table: one number for all but ids, or one kind", "[inspect]") {
  tolerance_table t;
  t.set("0.25");
  CHECK(t.of("hidden") == 0.25);
  CHECK(t.of("weights") == 0.25);
  CHECK(t.of("ids") == 0);
  t.set("hidden=1e-3");
  CHECK(t.of("hidden") == 1e-3);
  for (const char* bad : {"", "x", "-1", "nan", "inf", "1e-3x", "depth=1", "hidden="}) {
    INFO(bad);
    CHECK_THROWS_AS(t.set(bad), std::invalid_argument);
  }
}
