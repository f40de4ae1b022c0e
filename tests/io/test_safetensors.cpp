// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/io/safetensors.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "support/catch.hpp"
#include "support/safetensors_cases.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::file_content;
using inhibitor::test::safetensors_bytes;
using inhibitor::test::safetensors_case;
using inhibitor::test::safetensors_cases;
using inhibitor::test::temp_folder;
using inhibitor::test::tensor_json;

namespace {

template <class Open>
std::string error_of(Open&& open) {
  try {
    open();
  } catch (const file_error& error) {
    return error.what();
  }
  return "no error";
}

/// Every case of one number must be refused by every way of opening, for the reason it was made for.
void check_rejected(int number) {
  const temp_folder folder;
  int seen = 0;
  for (const safetensors_case& wrong : safetensors_cases()) {
    if (wrong.rejection != number) continue;
    ++seen;
    const std::string path = folder.write(wrong.name, wrong.bytes);
    INFO(wrong.name);
    const auto check_error = [&](const std::string& error) {
      CHECK_THAT(error, contains_text(wrong.message) && Catch::Matchers::StartsWith(path + ": "));
    };
    check_error(error_of([&] { safetensors_file::read(path); }));
    check_error(error_of([&] { safetensors_file::map(path); }));
    check_error(error_of([&] { safetensors_file::open(path); }));
    check_error(error_of([&] { safetensors_file::view(wrong.bytes.data(), wrong.bytes.size(), path); }));
  }
  REQUIRE(seen > 0);
}

/// A file in memory of one tensor "a" with the given elements.
template <class Stored>
std::string one_tensor(const std::string& dtype, const std::vector<Stored>& values) {
  const std::size_t bytes = values.size() * sizeof(Stored);
  std::string out = safetensors_bytes(
      "{" + tensor_json("a", dtype, "[" + std::to_string(values.size()) + "]", "[0," + std::to_string(bytes) + "]") +
          "}",
      bytes);
  std::memcpy(&out[out.size() - bytes], values.data(), bytes);
  return out;
}

template <class T, class Stored>
std::vector<T> converted(const std::string& dtype, const std::vector<Stored>& values) {
  const std::string bytes = one_tensor(dtype, values);
  const auto file = safetensors_file::view(bytes.data(), bytes.size(), "memory");
  std::vector<T> out(values.size());
  file.copy_to(file.tensors()[0], out.data());
  return out;
}

}  // namespace

TEST_CASE("trap 18, rejection 1: file shorter than the length field", "[io]") { check_rejected(1); }
TEST_CASE("trap 18, rejection 2: header length above the limit", "[io]") { check_rejected(2); }
TEST_CASE("trap 18, rejection 3: header longer than the file", "[io]") { check_rejected(3); }
TEST_CASE("trap 18, rejection 4: header is not exactly one JSON object", "[io]") { check_rejected(4); }
TEST_CASE("trap 18, rejection 5: byte order mark", "[io]") { check_rejected(5); }
TEST_CASE("trap 18, rejection 6: duplicate names, metadata and fields", "[io]") { check_rejected(6); }
TEST_CASE("trap 18, rejection 7: metadata that is not strings", "[io]") { check_rejected(7); }
TEST_CASE("trap 18, rejection 8: unknown dtype", "[io]") { check_rejected(8); }
TEST_CASE("trap 18, rejection 9: shape, offsets or entry of the wrong kind", "[io]") { check_rejected(9); }
TEST_CASE("trap 18, rejection 10: size overflows or is no whole number of bytes", "[io]") { check_rejected(10); }
TEST_CASE("trap 18, rejection 11: end before begin", "[io]") { check_rejected(11); }
TEST_CASE("trap 18, rejection 12: offsets contradict shape and dtype", "[io]") { check_rejected(12); }
TEST_CASE("trap 18, rejection 13: overlaps and holes", "[io]") { check_rejected(13); }
TEST_CASE("trap 18, rejection 14: truncated file and trailing bytes", "[io]") { check_rejected(14); }
TEST_CASE("trap 18, rejection 15: nesting", "[io]") { check_rejected(15); }
TEST_CASE("trap 18, rejection 16: our limits on rank and name length", "[io]") { check_rejected(16); }

TEST_CASE("trap 18, rejection 16: our limit on the number of tensors", "[io]") {
  std::string json = "{";
  for (int i = 0; i < 1'000'001; ++i)
    json += "\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";
  json.back() = '}';
  const std::string bytes = safetensors_bytes(json, 0);
  CHECK_THAT(error_of([&] { safetensors_file::view(bytes.data(), bytes.size(), "many"); }),
             contains_text("more than 1000000 tensors"));
}

TEST_CASE("safetensors_file: odd but valid files load, by every way of opening", "[io]") {
  const temp_folder folder;
  for (const safetensors_case& valid : safetensors_cases()) {
    if (valid.rejection != 0) continue;
    INFO(valid.name);
    const std::string path = folder.write(valid.name, valid.bytes);
    const auto read = safetensors_file::read(path);
    const auto mapped = safetensors_file::map(path);
    const auto opened = safetensors_file::open(path);
    REQUIRE(read.tensors().size() == opened.tensors().size());
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < read.tensors().size(); ++i) {
      const tensor_info& tensor = read.tensors()[i];
      CHECK(tensor.begin == end);
      end = tensor.end;
      CHECK(read.find(tensor.name) == &tensor);
      CHECK(opened.tensors()[i].name == tensor.name);
      const auto size = static_cast<std::size_t>(tensor.end - tensor.begin);
      CHECK(std::memcmp(read.data(tensor), mapped.data(mapped.tensors()[i]), size) == 0);
    }
    CHECK(read.find("no such tensor") == nullptr);
  }
}

TEST_CASE("safetensors_file: metadata and scalar shapes come out as written", "[io]") {
  const std::string bytes =
      safetensors_bytes("{\"__metadata__\":{\"k\":\"\\u00e9\"}," + tensor_json("s", "F32", "[]", "[0,4]") + "}", 4);
  const auto file = safetensors_file::view(bytes.data(), bytes.size(), "memory");
  CHECK(file.metadata().at("k") == "\xC3\xA9");
  CHECK(file.tensors()[0].shape.empty());
  CHECK(file.tensors()[0].elements() == 1);
}

TEST_CASE("safetensors_file: a missing file, a folder and lost data are reported", "[io]") {
  const temp_folder folder;
  CHECK_THAT(error_of([&] { safetensors_file::read(folder.file("none")); }), contains_text("cannot be opened"));
  CHECK_THAT(error_of([&] { safetensors_file::map(folder.path()); }), contains_text("not a regular file"));
  const std::string path = folder.write("f", safetensors_bytes("{" + tensor_json("a", "F32", "[1]", "[0,4]") + "}", 4));
  const auto file = safetensors_file::open(path);
  CHECK_THROWS_AS(file.data(file.tensors()[0]), std::invalid_argument);
  folder.write("f", "short");
  float value = 0;
  CHECK_THAT(error_of([&] { file.copy_to(file.tensors()[0], &value); }), contains_text("became shorter"));
}

TEST_CASE("copy_to: floating types convert exactly", "[io]") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<std::uint16_t> halves{0x0000, 0x8000, 0x3C00, 0xC000, 0x7BFF, 0x0400,
                                          0x0001, 0x03FF, 0x7C00, 0xFC00, 0x7E00};
  const std::vector<float> expected{0.0F, -0.0F, 1.0F, -2.0F, 65504.0F, 0x1p-14F, 0x1p-24F, 0x1.FF8p-15F, inf, -inf};
  const auto wide = converted<float>("F16", halves);
  const auto wider = converted<double>("F16", halves);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(wide[i] == expected[i]);
    CHECK(std::signbit(wide[i]) == std::signbit(expected[i]));
    CHECK(wider[i] == static_cast<double>(expected[i]));
  }
  CHECK(std::isnan(wide.back()));
  const auto brain = converted<float>("BF16", std::vector<std::uint16_t>{0x3F80, 0xC040, 0x0001, 0x7F80, 0x7FC0});
  CHECK(brain[0] == 1.0F);
  CHECK(brain[1] == -3.0F);
  CHECK(brain[2] == 0x1p-133F);
  CHECK(brain[3] == inf);
  CHECK(std::isnan(brain[4]));
  CHECK(converted<float>("F32", std::vector<float>{1.5F, -inf}) == std::vector<float>{1.5F, -inf});
  CHECK(converted<double>("F32", std::vector<float>{0.1F}) == std::vector<double>{static_cast<double>(0.1F)});
  CHECK(converted<float>("F64", std::vector<double>{0.1}) == std::vector<float>{0.1F});
  CHECK(converted<double>("F64", std::vector<double>{0.1}) == std::vector<double>{0.1});
}

TEST_CASE("copy_to: integers convert to int64", "[io]") {
  using ints = std::vector<std::int64_t>;
  CHECK(converted<std::int64_t>("I8", std::vector<std::int8_t>{-128, 127}) == ints{-128, 127});
  CHECK(converted<std::int64_t>("U8", std::vector<std::uint8_t>{255}) == ints{255});
  CHECK(converted<std::int64_t>("BOOL", std::vector<std::uint8_t>{0, 1}) == ints{0, 1});
  CHECK(converted<std::int64_t>("I16", std::vector<std::int16_t>{-2}) == ints{-2});
  CHECK(converted<std::int64_t>("U16", std::vector<std::uint16_t>{65535}) == ints{65535});
  CHECK(converted<std::int64_t>("I32", std::vector<std::int32_t>{-3}) == ints{-3});
  CHECK(converted<std::int64_t>("U32", std::vector<std::uint32_t>{4294967295U}) == ints{4294967295});
  CHECK(converted<std::int64_t>("I64", std::vector<std::int64_t>{-4}) == ints{-4});
}

TEST_CASE("copy_to: a type that does not fit names tensor and type", "[io]") {
  CHECK_THAT(error_of([] { converted<float>("I32", std::vector<std::int32_t>{1}); }),
             contains_text("tensor 'a' is I32; expected F32, F16, BF16 or F64"));
  CHECK_THAT(error_of([] { converted<float>("F8_E4M3", std::vector<std::uint8_t>{1}); }), contains_text("is F8_E4M3"));
  CHECK_THAT(error_of([] { converted<std::int64_t>("F32", std::vector<float>{1}); }),
             contains_text("expected an integer type"));
}

TEST_CASE("copy_to: reading on demand gives the same numbers over many chunks", "[io]") {
  const temp_folder folder;
  std::vector<double> values(200'001);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) * 0.25;
  const std::string path = folder.write("f", one_tensor("F64", values));
  const auto file = safetensors_file::open(path);
  std::vector<float> narrow(values.size());
  std::vector<double> same(values.size());
  file.copy_to(file.tensors()[0], narrow.data());
  file.copy_to(file.tensors()[0], same.data());
  CHECK(same == values);
  CHECK(std::equal(narrow.begin(), narrow.end(), values.begin(),
                   [](float a, double b) { return static_cast<double>(a) == b; }));
}

TEST_CASE("messages: hostile names are made harmless", "[io]") {
  const std::string bytes =
      safetensors_bytes("{" + tensor_json("\\u001b[31m" + std::string(300, 'x'), "F99", "[1]", "[0,4]") + "}", 4);
  const std::string message = error_of([&] { safetensors_file::view(bytes.data(), bytes.size(), "memory"); });
  CHECK_THAT(message, contains_text("'?[31mxxx"));
  CHECK(message.size() < 300);
}

// The seeds of the fuzzer are the cases above. INHIBITOR_WRITE_SEEDS=1 rewrites the files after a change of the table.
TEST_CASE("seed corpus: one file per case, up to date", "[io]") {
  const std::string folder = INHIBITOR_SAFETENSORS_SEEDS;
  for (const safetensors_case& seed : safetensors_cases()) {
    const std::string number = std::to_string(seed.rejection);
    const std::string path = folder + "/" + (seed.rejection == 0 ? "valid" : "rejection" + number) + "-" + seed.name;
    if (std::getenv("INHIBITOR_WRITE_SEEDS") != nullptr) write_file_atomically(path, seed.bytes);
    INFO(path);
    CHECK(file_content(path) == seed.bytes);
    CHECK(std::filesystem::exists(path));
  }
}
