// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/io/safetensors_index.hpp"

#include "inhibitor/io/safetensors_writer.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::temp_folder;

namespace {

void write_one(const std::string& path, const std::string& name, float value) {
  safetensors_writer writer;
  writer.add(name, dtype::f32, {1}, &value);
  writer.write(path);
}

std::string error_of_index(const std::string& json) {
  const temp_folder folder;
  try {
    read_safetensors_index(folder.write("model.safetensors.index.json", json));
  } catch (const file_error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of_folder(const temp_folder& folder) {
  try {
    safetensors_set::open_folder(folder.path());
  } catch (const file_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("safetensors_set: shards named by an index read as one model", "[io]") {
  const temp_folder folder;
  write_one(folder.file("model-1.safetensors"), "a", 1);
  write_one(folder.file("model-2.safetensors"), "b", 2);
  folder.write("model.safetensors.index.json",
               R"({"metadata":{"total_size":8},"weight_map":{"b":"model-2.safetensors","a":"model-1.safetensors"}})");
  auto set = safetensors_set::open_folder(folder.path());
  const auto moved = std::move(set);
  REQUIRE(moved.entries().size() == 2);
  for (const auto& entry : moved.entries()) {
    float value = 0;
    moved.copy_to(entry, &value);
    CHECK(value == (entry.info->name == "a" ? 1.0F : 2.0F));
  }
}

TEST_CASE("safetensors_set: a single file wins over an index", "[io]") {
  const temp_folder folder;
  write_one(folder.file("model.safetensors"), "only", 3);
  folder.write("model.safetensors.index.json", "nonsense");
  const auto set = safetensors_set::open_folder(folder.path());
  REQUIRE(set.entries().size() == 1);
  CHECK(set.entries()[0].info->name == "only");
}

TEST_CASE("safetensors_set: missing shards, tensors and models are reported", "[io]") {
  const temp_folder folder;
  CHECK_THAT(error_of_folder(folder), Catch::Matchers::Contains("model.safetensors: cannot be opened"));
  folder.write("pytorch_model.bin", "pickle");
  CHECK_THAT(error_of_folder(folder),
             Catch::Matchers::Contains("pickle") && Catch::Matchers::Contains("safe_serialization"));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"s.safetensors"}})");
  CHECK_THAT(error_of_folder(folder), Catch::Matchers::Contains("s.safetensors: cannot be opened"));
  write_one(folder.file("s.safetensors"), "other", 1);
  CHECK_THAT(error_of_folder(folder), Catch::Matchers::Contains("lacks tensor 'a'"));
}

TEST_CASE("read_safetensors_index: only plain file names", "[io]") {
  for (const char* name : {"../x.safetensors", "/etc/x", "sub/x", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    INFO(name);
    CHECK_THAT(error_of_index(std::string(R"({"weight_map":{"a":")") + name + "\"}}"),
               Catch::Matchers::Contains("not a plain file name"));
  }
}

TEST_CASE("read_safetensors_index: malformed files", "[io]") {
  CHECK_THAT(error_of_index("{\n\n]"), Catch::Matchers::Contains("index.json:3: is not valid JSON"));
  CHECK_THAT(error_of_index(""), Catch::Matchers::Contains("is not valid JSON"));
  CHECK_THAT(error_of_index("[]"), Catch::Matchers::Contains("'weight_map'"));
  CHECK_THAT(error_of_index("{}"), Catch::Matchers::Contains("'weight_map'"));
  CHECK_THAT(error_of_index(R"({"weight_map":[]})"), Catch::Matchers::Contains("'weight_map'"));
  CHECK_THAT(error_of_index(R"({"weight_map":{"a":1}})"), Catch::Matchers::Contains("not a string"));
  CHECK_THAT(error_of_index(std::string(100'000, '[')), Catch::Matchers::Contains("deeper than 128"));
  CHECK_THAT(error_of_index("{\"a\":1e999}"), Catch::Matchers::Contains("number"));
}
