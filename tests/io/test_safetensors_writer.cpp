// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/io/safetensors_writer.hpp"

#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "inhibitor/io/safetensors_reader.hpp"
#include "support/catch.hpp"
#include "support/temp_folder.hpp"

using namespace inhibitor;
using inhibitor::test::file_content;
using inhibitor::test::temp_folder;

namespace {

std::string header_of(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  return bytes.substr(8, static_cast<std::size_t>(length));
}

/// Files of this process may not grow beyond `bytes` while the object lives; writing more fails as on a full disk.
class file_size_limit {
 public:
  explicit file_size_limit(::rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ::rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  ::rlimit before_{};
};

}  // namespace

TEST_CASE("safetensors_writer: known bytes of an empty file", "[io]") {
  const temp_folder folder;
  safetensors_writer writer;
  writer.write(folder.file("f"));
  CHECK(file_content(folder.file("f")) == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST_CASE("safetensors_writer: known bytes of one tensor", "[io]") {
  const temp_folder folder;
  const float values[6] = {0, 1, 2, 3, 4, 5};
  safetensors_writer writer;
  writer.add("attn.0", dtype::f32, {1, 2, 3}, values);
  writer.write(folder.file("f"));
  const std::string bytes = file_content(folder.file("f"));
  REQUIRE(bytes.size() == 8 + 64 + 24);
  CHECK(bytes.substr(0, 8) == std::string("\x40\0\0\0\0\0\0\0", 8));
  CHECK(bytes.substr(8, 64) == R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})");
  CHECK(std::memcmp(bytes.data() + 72, values, sizeof values) == 0);
}

TEST_CASE("safetensors_writer: order by type descending, then name; metadata first; header padded", "[io]") {
  const temp_folder folder;
  const std::uint8_t bytes8[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  safetensors_writer writer;
  writer.metadata("z", "\"\\\n\x01\xC3\xA9/");
  writer.metadata("format", "pt");
  writer.add("b", dtype::f16, {1}, bytes8);
  writer.add("z", dtype::i64, {}, bytes8);
  writer.add("c", dtype::boolean, {2}, bytes8);
  writer.add("a", dtype::bf16, {1}, bytes8);
  writer.add("aa", dtype::f16, {1}, bytes8);
  writer.add("m", dtype::f32, {0, 3}, nullptr);
  writer.write(folder.file("f"));
  const std::string content = file_content(folder.file("f"));
  const std::string header = header_of(content);
  CHECK(header.size() % 8 == 0);
  CHECK(
      header.substr(0, header.find_last_not_of(' ') + 1) ==
      R"({"__metadata__":{"format":"pt","z":"\"\\\n\u0001)"
      "\xC3\xA9"
      R"(/"},"z":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("m":{"dtype":"F32","shape":[0,3],"data_offsets":[8,8]},)"
      R"("a":{"dtype":"BF16","shape":[1],"data_offsets":[8,10]},)"
      R"("aa":{"dtype":"F16","shape":[1],"data_offsets":[10,12]},"b":{"dtype":"F16","shape":[1],"data_offsets":[12,14]},)"
      R"("c":{"dtype":"BOOL","shape":[2],"data_offsets":[14,16]}})");
  const auto file = safetensors_file::read(folder.file("f"));
  CHECK(file.metadata().at("z") == "\"\\\n\x01\xC3\xA9/");
  CHECK(file.tensors().size() == 6);
}

TEST_CASE("safetensors_writer: unusable tensors are refused", "[io]") {
  safetensors_writer writer;
  const float value = 0;
  writer.add("a", dtype::f32, {1}, &value);
  CHECK_THROWS_AS(writer.add("a", dtype::f32, {1}, &value), std::invalid_argument);
  CHECK_THROWS_AS(writer.add("__metadata__", dtype::f32, {1}, &value), std::invalid_argument);
  CHECK_THROWS_AS(writer.add(std::string(4097, 'n'), dtype::f32, {1}, &value), std::invalid_argument);
  CHECK_THROWS_AS(writer.add("r", dtype::f32, std::vector<std::uint64_t>(9, 1), &value), std::invalid_argument);
  CHECK_THROWS_AS(writer.add("o", dtype::f32, {2, ~std::uint64_t{0}}, &value), std::invalid_argument);
  CHECK_THROWS_AS(writer.add("h", dtype::f4, {3}, &value), std::invalid_argument);
}

TEST_CASE("safetensors_writer: a name that is no UTF-8 fails before anything is written", "[io]") {
  const temp_folder folder;
  const float value = 0;
  safetensors_writer writer;
  writer.add("\xFF", dtype::f32, {1}, &value);
  CHECK_THROWS_AS(writer.write(folder.file("f")), std::invalid_argument);
  CHECK(folder.names().empty());
}

TEST_CASE("safetensors_writer: a failed write leaves the old file and nothing else", "[io]") {
  const temp_folder folder;
  const std::string path = folder.write("model.safetensors", "old");
  const std::vector<float> values(10'000, 1.0F);
  safetensors_writer writer;
  writer.add("a", dtype::f32, {10'000}, values.data());
  {
    const file_size_limit limit(4096);
    CHECK_THROWS_AS(writer.write(path), file_error);
  }
  CHECK(folder.names() == std::vector<std::string>{"model.safetensors"});
  CHECK(file_content(path) == "old");
  CHECK_THROWS_AS(writer.write(folder.file("no/folder")), file_error);
}

TEST_CASE("safetensors_writer: a reader that mapped the old file keeps the old content", "[io]") {
  const temp_folder folder;
  float value = 1;
  safetensors_writer writer;
  writer.add("a", dtype::f32, {}, &value);
  writer.write(folder.file("f"));
  const auto before = safetensors_file::map(folder.file("f"));
  value = 2;
  writer.write(folder.file("f"));
  float old = 0;
  float now = 0;
  before.copy_to(before.tensors()[0], &old);
  const auto after = safetensors_file::map(folder.file("f"));
  after.copy_to(after.tensors()[0], &now);
  CHECK(old == 1.0F);
  CHECK(now == 2.0F);
}

TEST_CASE("write_file_atomically: replaces whole files and leaves no temporary", "[io]") {
  const temp_folder folder;
  write_file_atomically(folder.file("t"), "one");
  write_file_atomically(folder.file("t"), "two");
  CHECK(file_content(folder.file("t")) == "two");
  CHECK(folder.names().size() == 1);
  {
    atomic_file abandoned(folder.file("t"));
    abandoned.write("three");
  }
  CHECK(file_content(folder.file("t")) == "two");
  CHECK(folder.names().size() == 1);
  CHECK_THROWS_AS(write_file_atomically(folder.path(), "over a folder"), file_error);
}
