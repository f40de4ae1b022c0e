// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/io/input_file.hpp"
#include "inhibitor/io/safetensors_header.hpp"
#include "inhibitor/io/tensor_text.hpp"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the safetensors code copies little-endian data as it is"
#endif

// Reading safetensors files. Every way of opening verifies the whole header first (safetensors_header.hpp), so what is
// handed out afterwards is inside the file.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

namespace detail {

template <class Stored, class T>
void convert_run(const std::byte* in, std::uint64_t count, T* out) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, in + i * sizeof(Stored), sizeof(Stored));  // files promise no alignment
    out[i] = static_cast<T>(value);
  }
}

/// Converts `count` stored elements to float or double. Returns false when the type is no supported floating type.
template <class T>
bool convert_floats(dtype type, const std::byte* in, std::uint64_t count, T* out) {
  const auto from_16_bits = [&](float (*widen)(std::uint16_t)) {
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint16_t bits;
      std::memcpy(&bits, in + i * 2, 2);
      out[i] = static_cast<T>(widen(bits));
    }
    return true;
  };
  switch (type) {
    case dtype::f32:
      return convert_run<float>(in, count, out), true;
    case dtype::f64:
      return convert_run<double>(in, count, out), true;
    case dtype::f16:
      return from_16_bits(f16_to_float);
    case dtype::bf16:
      return from_16_bits(bf16_to_float);
    default:
      return false;
  }
}

/// Converts `count` stored elements to int64. Returns false when the type is no integer; U64 values above the range of
/// int64 keep their bits.
inline bool convert_integers(dtype type, const std::byte* in, std::uint64_t count, std::int64_t* out) {
  switch (type) {
    case dtype::boolean:
    case dtype::u8:
      return convert_run<std::uint8_t>(in, count, out), true;
    case dtype::i8:
      return convert_run<std::int8_t>(in, count, out), true;
    case dtype::i16:
      return convert_run<std::int16_t>(in, count, out), true;
    case dtype::u16:
      return convert_run<std::uint16_t>(in, count, out), true;
    case dtype::i32:
      return convert_run<std::int32_t>(in, count, out), true;
    case dtype::u32:
      return convert_run<std::uint32_t>(in, count, out), true;
    case dtype::i64:
    case dtype::u64:
      return convert_run<std::int64_t>(in, count, out), true;
    default:
      return false;
  }
}

}  // namespace detail

/// A verified safetensors file, opened for reading. Movable, not copyable; const functions may run in parallel.
/// All four ways to open throw file_error for anything that is not exactly a safetensors file.
class safetensors_file {
 public:
  /// Reads the whole file into memory. Nothing that happens to the file later matters.
  static safetensors_file read(const std::string& path) {
    const input_file file(path);
    safetensors_file result;
    result.path_ = path;
    // new, not a vector: the bytes are overwritten at once, zeroing them first would cost a pass over the memory.
    result.copy_.reset(new std::byte[static_cast<std::size_t>(file.size())]);
    file.read_at(0, result.copy_.get(), static_cast<std::size_t>(file.size()));
    result.parse(result.copy_.get(), file.size());
    return result;
  }

  /// Maps the file: fastest start, memory shared between processes. See file_mapping for what may go wrong.
  static safetensors_file map(const std::string& path) {
    safetensors_file result;
    result.path_ = path;
    result.mapping_ = file_mapping(input_file(path));
    result.parse(result.mapping_.data(), result.mapping_.size());
    return result;
  }

  /// Reads the header only; `copy_to` fetches tensors from the file as they are asked for, so that a large model is in
  /// memory once, at its destination. `data` is not available.
  static safetensors_file open(const std::string& path) {
    safetensors_file result;
    result.path_ = path;
    result.file_.emplace(path);
    const std::uint64_t size = result.file_->size();
    unsigned char prefix[8] = {};
    result.file_->read_at(0, prefix, static_cast<std::size_t>(std::min<std::uint64_t>(size, 8)));
    std::string json(static_cast<std::size_t>(safetensors_header_length(prefix, size, path)), '\0');
    result.file_->read_at(8, json.data(), json.size());
    result.adopt(json, size);
    return result;
  }

  /// Reads from memory of the caller, which must outlive the object: `size` bytes at `bytes`. `name` is for messages.
  static safetensors_file view(const void* bytes, std::size_t size, std::string name) {
    safetensors_file result;
    result.path_ = std::move(name);
    result.parse(static_cast<const std::byte*>(bytes), size);
    return result;
  }

  const std::string& path() const { return path_; }
  /// All tensors, in the order of their data.
  const std::vector<tensor_info>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

  /// The tensor called `name`, or null.
  const tensor_info* find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &header_.tensors[found->second];
  }

  /// First byte of a tensor's data: row-major, little-endian, not necessarily aligned. Throws std::invalid_argument
  /// for a file opened by `open`.
  const std::byte* data(const tensor_info& tensor) const {
    check(!file_, [&] { return path_ + ": opened without its data; use copy_to, or open by read or map"; });
    return bytes_ + data_begin_ + tensor.begin;
  }

  /// Copies a tensor to `out` (tensor.elements()), converting: F16, BF16, F32, F64 to float or double (F64 to float
  /// rounds); BOOL and all integers to std::int64_t. Throws file_error for any other type, naming tensor and type.
  template <class T>
  void copy_to(const tensor_info& tensor, T* out) const {
    const std::uint64_t count = tensor.elements();
    if (!file_) {
      convert(tensor, data(tensor), count, out);
      return;
    }
    const std::uint64_t start = data_begin_ + tensor.begin;
    const std::size_t width = dtype_bits(tensor.type) / 8;
    if (tensor.type == dtype_of<T>()) {
      file_->read_at(start, out, static_cast<std::size_t>(count) * width);
      return;
    }
    std::vector<std::byte> chunk(static_cast<std::size_t>(std::min(count, chunk_elements)) * width);
    for (std::uint64_t done = 0; done < count; done += chunk_elements) {
      const std::uint64_t now = std::min(count - done, chunk_elements);
      file_->read_at(start + done * width, chunk.data(), static_cast<std::size_t>(now) * width);
      convert(tensor, chunk.data(), now, out + done);
    }
  }

 private:
  static constexpr std::uint64_t chunk_elements = 1 << 16;

  safetensors_file() = default;

  void parse(const std::byte* bytes, std::uint64_t size) {
    bytes_ = bytes;
    const auto* text = reinterpret_cast<const char*>(bytes);
    const std::uint64_t length = safetensors_header_length(reinterpret_cast<const unsigned char*>(bytes), size, path_);
    adopt(std::string_view(text + 8, static_cast<std::size_t>(length)), size);
  }

  void adopt(std::string_view json, std::uint64_t size) {
    header_ = parse_safetensors_header(json, size, path_);
    data_begin_ = 8 + json.size();
    by_name_.reserve(header_.tensors.size());
    for (std::size_t i = 0; i < header_.tensors.size(); ++i) by_name_.emplace(header_.tensors[i].name, i);
  }

  template <class T>
  void convert(const tensor_info& tensor, const std::byte* in, std::uint64_t count, T* out) const {
    bool is_done = false;
    if constexpr (dtype_of<T>() == dtype::i64) {
      is_done = detail::convert_integers(tensor.type, in, count, out);
    } else {
      is_done = detail::convert_floats(tensor.type, in, count, out);
    }
    if (!is_done) {
      throw file_error(path_, "tensor " + in_quotes(tensor.name) + " is " +
                                  std::string(dtype_name(tensor.type)) + "; expected " +
                                  (dtype_of<T>() == dtype::i64 ? "an integer type" : "F32, F16, BF16 or F64"));
    }
  }

  std::string path_;
  std::unique_ptr<std::byte[]> copy_;
  file_mapping mapping_;
  std::optional<input_file> file_;  // only for `open`
  const std::byte* bytes_ = nullptr;
  std::uint64_t data_begin_ = 0;
  safetensors_header header_;
  std::unordered_map<std::string_view, std::size_t> by_name_;  // views into header_.tensors, which never changes
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
