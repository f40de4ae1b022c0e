// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "inhibitor/base/check.hpp"
#include "inhibitor/io/atomic_file.hpp"
#include "inhibitor/io/safetensors_header.hpp"
#include "inhibitor/io/tensor_text.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Collects tensors and writes them as one safetensors file, byte for byte as the reference writer lays it out:
/// tensors by descending type, then by name; compact JSON, metadata first; header padded with spaces to a multiple
/// of 8. Metadata keys are written in ascending order. Hugging Face loaders expect the metadata {"format": "pt"}.
class safetensors_writer {
 public:
  /// Registers a tensor; `data` holds its elements row-major and must stay alive and unchanged until `write`.
  /// Throws std::invalid_argument for a duplicate or unusable name, a rank above 8 or a size that overflows.
  void add(std::string name, dtype type, std::vector<std::uint64_t> shape, const void* data) {
    check(name != "__metadata__" && name.size() <= safetensors_limits::name_bytes,
          [&] { return "tensor name " + in_quotes(name) + " is reserved or too long"; });
    check(shape.size() <= safetensors_limits::rank,
          [&] { return "tensor " + in_quotes(name) + " has rank " + std::to_string(shape.size()); });
    item added;
    const std::string problem = count_bytes(type, shape, added.bytes);
    check(problem.empty(), [&] { return "tensor " + in_quotes(name) + ": " + problem; });
    check(names_.insert(name).second, [&] { return "tensor " + in_quotes(name) + " was added twice"; });
    added.name = std::move(name);
    added.type = type;
    added.shape = std::move(shape);
    added.data = data;
    items_.push_back(std::move(added));
  }

  /// Sets one entry of the metadata; a later call with the same key replaces it.
  void metadata(std::string key, std::string value) { metadata_[std::move(key)] = std::move(value); }

  /// Writes the file; it appears under `path` only when complete. Throws file_error (folder missing, disk full) and
  /// std::invalid_argument (a name that is no UTF-8, a header above the format's limit).
  void write(const std::string& path) {
    std::sort(items_.begin(), items_.end(),
              [](const item& a, const item& b) { return std::tie(b.type, a.name) < std::tie(a.type, b.name); });
    const std::string header = header_text();
    check(header.size() <= safetensors_limits::header_bytes,
          [&] { return "a header of " + std::to_string(header.size()) + " bytes is above the format's limit"; });
    unsigned char length[8];
    for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(header.size() >> (8 * i));

    atomic_file file(path);
    file.write(length, sizeof length);
    file.write(header);
    for (const item& tensor : items_) file.write(tensor.data, static_cast<std::size_t>(tensor.bytes));
    file.commit();
  }

 private:
  struct item {
    std::string name;
    dtype type = dtype::f32;
    std::vector<std::uint64_t> shape;
    const void* data = nullptr;
    std::uint64_t bytes = 0;
  };

  static std::string json_string(const std::string& text) {
    try {
      return nlohmann::json(text).dump();
    } catch (const nlohmann::json::type_error&) {
      throw std::invalid_argument(in_quotes(text) + " is not valid UTF-8");
    }
  }

  std::string header_text() const {
    std::string out = "{";
    if (!metadata_.empty()) {
      out += "\"__metadata__\":{";
      for (const auto& [key, value] : metadata_) out += json_string(key) + ":" + json_string(value) + ",";
      out.back() = '}';
      out += ",";
    }
    std::uint64_t begin = 0;
    for (const item& tensor : items_) {
      out += json_string(tensor.name) + ":{\"dtype\":\"" + std::string(dtype_name(tensor.type)) + "\",\"shape\":[";
      for (std::size_t i = 0; i < tensor.shape.size(); ++i)
        out += (i == 0 ? "" : ",") + std::to_string(tensor.shape[i]);
      out += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(begin + tensor.bytes) + "]},";
      begin += tensor.bytes;
    }
    if (out.size() > 1) out.pop_back();
    out += "}";
    out.resize((out.size() + 7) / 8 * 8, ' ');
    return out;
  }

  std::vector<item> items_;
  std::unordered_set<std::string> names_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
