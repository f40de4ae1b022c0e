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
  CHECK_THAT(error_of_folder(folder), contains_text("model.safetensors: cannot be opened"));
  folder.write("pytorch_model.bin", "pickle");
  CHECK_THAT(error_of_folder(folder), contains_text("pickle") && contains_text("safe_serialization"));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"s.safetensors"}})");
  CHECK_THAT(error_of_folder(folder), contains_text("s.safetensors: cannot be opened"));
  write_one(folder.file("s.safetensors"), "other", 1);
  CHECK_THAT(error_of_folder(folder), contains_text("lacks tensor 'a'"));
}

TEST_CASE("read_safetensors_index: only plain file names", "[io]") {
  for (const char* name : {"../x.safetensors", "/etc/x", "sub/x", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    INFO(name);
    CHECK_THAT(error_of_index(std::string(R"({"weight_map":{"a":")") + name + "\"}}"),
               contains_text("not a plain file name"));
  }
}

TEST_CASE("read_safetensors_index: malformed files", "[io]") {
  CHECK_THAT(error_of_index("{\n\n]"), contains_text("index.json:3: is not valid JSON"));
  CHECK_THAT(error_of_index(""), contains_text("is not valid JSON"));
  CHECK_THAT(error_of_index("[]"), contains_text("'weight_map'"));
  CHECK_THAT(error_of_index("{}"), contains_text("'weight_map'"));
  CHECK_THAT(error_of_index(R"({"weight_map":[]})"), contains_text("'weight_map'"));
  CHECK_THAT(error_of_index(R"({"weight_map":{"a":1}})"), contains_text("not a string"));
  CHECK_THAT(error_of_index(std::string(100'000, '[')), contains_text("deeper than 128"));
  CHECK_THAT(error_of_index("{\"a\":1e999}"), contains_text("number"));
}
