// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inhibitor/base/file_error.hpp"
#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/io/dtype.hpp"
#include "inhibitor/io/tensor_text.hpp"

// The header of a safetensors file: what it says and whether it can be believed.
//
//   bytes 0..7      N, unsigned 64-bit little-endian
//   bytes 8..7+N    one JSON object: name -> {dtype, shape, data_offsets}, and optionally __metadata__ (string ->
//   string) the rest        tensor data, row-major, little-endian; data_offsets count from its first byte
//
// The JSON is parsed event by event, not into a document: a document would silently drop duplicate keys, and the caps
// below have to act before memory is spent.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// One tensor of a file.
struct tensor_info {
  std::string name;
  dtype type = dtype::f32;
  std::vector<std::uint64_t> shape;  ///< outermost first; empty: one element; zeros allowed
  std::uint64_t begin = 0;           ///< first byte, counted from the start of the data
  std::uint64_t end = 0;             ///< one past the last byte

  /// Number of elements. Exact for every tensor that came out of the parser.
  std::uint64_t elements() const {
    std::uint64_t product = 1;
    for (const std::uint64_t extent : shape) product *= extent;
    return product;
  }
};

/// What a header says; tensors in the order of their data.
struct safetensors_header {
  std::vector<tensor_info> tensors;
  std::map<std::string, std::string> metadata;
};

/// Limits of the format (first) and our own (the others); a file beyond them is rejected.
struct safetensors_limits {
  static constexpr std::uint64_t header_bytes = 100'000'000;
  static constexpr std::size_t rank = 8;
  static constexpr std::size_t name_bytes = 4096;
  static constexpr std::size_t tensors = 1'000'000;
  static constexpr int nesting = 128;
};

namespace detail {

/// Receives the events of the JSON parser and throws file_error at the first violation.
class safetensors_header_events : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit safetensors_header_events(const std::string& file) : file_(file) {}
  safetensors_header take() { return std::move(header_); }

  bool null() override {
    if (place_ == place::root && is_metadata_) return true;
    return other_value();
  }
  bool boolean(bool) override { return other_value(); }
  bool number_integer(number_integer_t) override { return other_value(); }  // the parser calls this for negatives only
  bool number_float(number_float_t, const string_t&) override { return other_value(); }
  bool binary(binary_t&) override { return other_value(); }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == place::shape) {
      if (entry_.shape.size() == safetensors_limits::rank) {
        fail_tensor("shape has more than " + std::to_string(safetensors_limits::rank) + " extents, our limit");
      }
      entry_.shape.push_back(value);
      return true;
    }
    if (place_ == place::offsets) {
      if (offset_count_ == 2) fail_tensor("data_offsets has more than 2 numbers; expected [begin, end]");
      (offset_count_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return other_value();
  }
  bool string(string_t& value) override {
    if (place_ == place::metadata) {
      header_.metadata[key_] = value;
      return true;
    }
    if (place_ == place::entry && key_ == "dtype") {
      const auto type = dtype_from_name(value);
      if (!type)
        fail_tensor("dtype " + in_quotes(value) + " is unknown; expected one of F32, F16, BF16, F64, I64, ...");
      entry_.type = *type;
      return true;
    }
    return other_value();
  }

  bool key(string_t& name) override {
    if (place_ == place::root) {
      is_metadata_ = name == "__metadata__";
      if (is_metadata_ && std::exchange(has_metadata_, true)) fail("duplicate __metadata__ in the header");
      if (name.size() > safetensors_limits::name_bytes) {
        fail("tensor name " + in_quotes(name) + " has " + std::to_string(name.size()) + " bytes; our limit is " +
             std::to_string(safetensors_limits::name_bytes));
      }
      entry_ = tensor_info{};
      entry_.name = name;
    } else if (place_ == place::metadata || place_ == place::entry) {
      if (!keys_.insert(name).second) {
        if (place_ == place::metadata) fail("duplicate key " + in_quotes(name) + " in __metadata__");
        fail_tensor("duplicate field " + in_quotes(name));
      }
      key_ = name;
    }
    return true;
  }

  bool start_object(std::size_t) override {
    deepen();
    if (place_ == place::start) {
      place_ = place::root;
    } else if (place_ == place::root) {
      place_ = is_metadata_ ? place::metadata : place::entry;
      keys_.clear();
      offset_count_ = 0;
    } else if (place_ == place::entry && is_unknown_field()) {
      place_ = place::ignored;
      ignored_depth_ = 1;
    } else if (place_ == place::ignored) {
      ++ignored_depth_;
    } else {
      other_value();
    }
    return true;
  }
  bool start_array(std::size_t) override {
    deepen();
    if (place_ == place::entry && key_ == "shape") {
      place_ = place::shape;
    } else if (place_ == place::entry && key_ == "data_offsets") {
      place_ = place::offsets;
    } else if (place_ == place::entry && is_unknown_field()) {
      place_ = place::ignored;
      ignored_depth_ = 1;
    } else if (place_ == place::ignored) {
      ++ignored_depth_;
    } else {
      other_value();
    }
    return true;
  }
  bool end_object() override {
    --nesting_;
    if (place_ == place::ignored) {
      if (--ignored_depth_ == 0) place_ = place::entry;
    } else if (place_ == place::entry) {
      finish_entry();
      place_ = place::root;
    } else if (place_ == place::metadata) {
      place_ = place::root;
    }
    return true;
  }
  bool end_array() override {
    --nesting_;
    if (place_ == place::ignored) {
      if (--ignored_depth_ == 0) place_ = place::entry;
    } else {
      if (place_ == place::offsets && offset_count_ != 2) {
        fail_tensor("data_offsets has " + std::to_string(offset_count_) + " numbers; expected [begin, end]");
      }
      place_ = place::entry;
    }
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail("the header is not valid JSON at its byte " + std::to_string(position) + "; expected one object in UTF-8");
  }

 private:
  enum class place { start, root, metadata, entry, shape, offsets, ignored };

  [[noreturn]] void fail(const std::string& problem) const { throw file_error(file_, problem); }
  [[noreturn]] void fail_tensor(const std::string& problem) const {
    fail("tensor " + in_quotes(entry_.name) + ": " + problem);
  }

  void deepen() {
    if (++nesting_ > safetensors_limits::nesting) {
      fail("the header nests deeper than " + std::to_string(safetensors_limits::nesting) + " levels");
    }
  }
  bool is_unknown_field() const { return key_ != "dtype" && key_ != "shape" && key_ != "data_offsets"; }

  /// A value of a kind this place has no use for.
  bool other_value() const {
    switch (place_) {
      case place::start:
        fail("the header is not a JSON object");
      case place::root:
        if (is_metadata_) fail("__metadata__ is not an object of strings");
        fail_tensor("its entry is not an object with dtype, shape and data_offsets");
      case place::metadata:
        fail("the value of " + in_quotes(key_) + " in __metadata__ is not a string");
      case place::entry:
        if (key_ == "dtype") fail_tensor("dtype is not a string");
        if (!is_unknown_field()) fail_tensor(key_ + " is not an array");
        return true;
      case place::shape:
        fail_tensor("shape holds something other than integers from 0 to 2^64-1");
      case place::offsets:
        fail_tensor("data_offsets holds something other than integers from 0 to 2^64-1");
      case place::ignored:
        return true;
    }
    return true;
  }

  void finish_entry() {
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      if (keys_.count(field) == 0) fail_tensor(std::string("field ") + field + " is missing");
    }
    std::uint64_t bytes = 0;
    const std::string problem = count_bytes(entry_.type, entry_.shape, bytes);
    if (!problem.empty()) fail_tensor(problem);
    if (entry_.end < entry_.begin) {
      fail_tensor("data_offsets [" + std::to_string(entry_.begin) + ", " + std::to_string(entry_.end) +
                  "] end before they begin");
    }
    if (entry_.end - entry_.begin != bytes) {
      fail_tensor("data_offsets span " + std::to_string(entry_.end - entry_.begin) + " bytes; shape " +
                  shape_text(entry_.shape) + " of " + std::string(dtype_name(entry_.type)) + " needs " +
                  std::to_string(bytes));
    }
    if (header_.tensors.size() == safetensors_limits::tensors) {
      fail("more than " + std::to_string(safetensors_limits::tensors) + " tensors, our limit");
    }
    header_.tensors.push_back(std::move(entry_));
  }

  const std::string& file_;
  safetensors_header header_;
  place place_ = place::start;
  bool is_metadata_ = false;   // the value being read belongs to __metadata__
  bool has_metadata_ = false;  // __metadata__ was seen
  int nesting_ = 0;
  int ignored_depth_ = 0;
  int offset_count_ = 0;
  std::string key_;             // last key inside an entry or __metadata__
  std::set<std::string> keys_;  // all keys of that object
  tensor_info entry_;
};

/// Names must differ and the data of the tensors must tile [0, data_bytes): no hole, no overlap, nothing left over.
inline void check_tiling(std::vector<tensor_info>& tensors, std::uint64_t data_bytes, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const tensor_info& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end()) throw file_error(file, "duplicate tensor name " + in_quotes(*twin));

  std::stable_sort(tensors.begin(), tensors.end(), [](const tensor_info& a, const tensor_info& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t expected = 0;
  for (const tensor_info& tensor : tensors) {
    if (tensor.begin != expected) {
      throw file_error(file, "tensor " + in_quotes(tensor.name) + ": its data begins at " +
                                 std::to_string(tensor.begin) + "; expected " + std::to_string(expected) + " (" +
                                 (tensor.begin < expected ? "overlap)" : "hole)"));
    }
    expected = tensor.end;
  }
  if (expected != data_bytes) {
    throw file_error(file, std::string(expected < data_bytes ? "trailing bytes" : "truncated") + ": the tensors take " +
                               std::to_string(expected) + " bytes, the file has " + std::to_string(data_bytes) +
                               " after the header");
  }
}

}  // namespace detail

/// Length N of the JSON header from the first bytes of a file. `prefix` holds min(8, file_size) bytes. Throws
/// file_error.
inline std::uint64_t safetensors_header_length(const unsigned char* prefix, std::uint64_t file_size,
                                               const std::string& file) {
  if (file_size < 8) {
    throw file_error(file, "has " + std::to_string(file_size) + " bytes; a safetensors file has at least 8");
  }
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = (length << 8) | prefix[i];
  if (length > safetensors_limits::header_bytes) {
    const std::string kind = foreign_content({reinterpret_cast<const char*>(prefix), 8});
    if (!kind.empty()) throw file_error(file, kind);
    throw file_error(file, "header length " + std::to_string(length) + " is above the format's limit of " +
                               std::to_string(safetensors_limits::header_bytes) + " (not a safetensors file?)");
  }
  if (length > file_size - 8) {
    throw file_error(file, "header length " + std::to_string(length) + " exceeds the file size of " +
                               std::to_string(file_size) + " bytes");
  }
  if (length == 0) throw file_error(file, "header length is 0; expected a JSON object");
  return length;
}

/// Parses and verifies the JSON header of a file of `file_size` bytes (the eight length bytes included). After it
/// returns, every tensor's [begin, end) lies inside the data, matches its shape and type, and no two overlap.
/// `file` is used in messages only. Throws file_error naming the tensor.
inline safetensors_header parse_safetensors_header(std::string_view json, std::uint64_t file_size,
                                                   const std::string& file) {
  // The parser would skip a byte order mark and take a NUL byte for the end of the input.
  if (json.substr(0, 3) == "\xEF\xBB\xBF") {
    throw file_error(file, "the header starts with a byte order mark; expected a JSON object");
  }
  if (json.find('\0') != std::string_view::npos)
    throw file_error(file, "the header contains a NUL byte; expected JSON");
  detail::safetensors_header_events events(file);
  nlohmann::json::sax_parse(json.begin(), json.end(), &events);
  safetensors_header header = events.take();
  detail::check_tiling(header.tensors, file_size - 8 - json.size(), file);
  return header;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
