// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inhibitor/io/json_file.hpp"
#include "inhibitor/io/safetensors_reader.hpp"
#include "inhibitor/io/tensor_text.hpp"

// Models whose tensors are spread over several safetensors files, listed in model.safetensors.index.json.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Reads an index: tensor name -> file name. Throws file_error when the file is malformed or a listed name is not a
/// plain file name; an index may not point outside its own folder.
inline std::map<std::string, std::string> read_safetensors_index(const std::string& path) {
  const nlohmann::json root = read_json_file(path);
  const auto found = root.is_object() ? root.find("weight_map") : root.end();
  if (!root.is_object() || found == root.end() || !found->is_object()) {
    throw file_error(path, "has no object 'weight_map' (tensor name -> file name)");
  }
  std::map<std::string, std::string> files;
  for (const auto& [tensor, value] : found->items()) {
    if (!value.is_string()) throw file_error(path, "weight_map: the file of " + in_quotes(tensor) + " is not a string");
    const auto& name = value.get_ref<const std::string&>();
    const bool is_plain = !name.empty() && name.find_first_of(std::string("/\\\0", 3)) == std::string::npos &&
                          name != "." && name != "..";
    if (!is_plain) {
      throw file_error(path, "weight_map: " + in_quotes(name) + " of tensor " + in_quotes(tensor) +
                                 " is not a plain file name; expected a file in the same folder");
    }
    files[tensor] = name;
  }
  return files;
}

/// The tensors of one model, in one file or several, read as they are asked for.
class safetensors_set {
 public:
  /// Opens `folder`/model.safetensors, or the files of `folder`/model.safetensors.index.json. Throws file_error when
  /// neither exists (naming a pickle file if there is one), when a shard lacks a tensor the index promises, or when a
  /// file is malformed.
  static safetensors_set open_folder(const std::string& folder) {
    safetensors_set set;
    const std::string single = folder + "/model.safetensors";
    const std::string index = single + ".index.json";
    if (exists(single) || !exists(index)) {
      if (!exists(single) && exists(folder + "/pytorch_model.bin")) {
        throw file_error(folder,
                         "holds pytorch_model.bin, a pickle file, which is not read because it can run code; "
                         "expected model.safetensors (load the model with its own tools and save it with "
                         "safe_serialization=True)");
      }
      set.add_file(single);
      return set;
    }
    std::map<std::string, std::vector<std::string>> by_file;
    for (const auto& [tensor, file] : read_safetensors_index(index)) by_file[file].push_back(tensor);
    for (const auto& [file, tensors] : by_file) {
      set.files_.push_back(safetensors_file::open(folder + "/" + file));
      for (const std::string& name : tensors) {
        const tensor_info* info = set.files_.back().find(name);
        if (info == nullptr)
          throw file_error(set.files_.back().path(), "lacks tensor " + in_quotes(name) + " promised by " + index);
        set.entries_.push_back({info, set.files_.size() - 1});
      }
    }
    return set;
  }

  /// Opens one safetensors file. Throws file_error.
  static safetensors_set open_file(const std::string& path) {
    safetensors_set set;
    set.add_file(path);
    return set;
  }

  struct entry {
    const tensor_info* info;
    std::size_t file;
  };
  /// Every tensor; `info` stays valid as long as the set lives, also when it is moved.
  const std::vector<entry>& entries() const { return entries_; }
  const safetensors_file& file(const entry& which) const { return files_[which.file]; }

  /// As safetensors_file::copy_to.
  template <class T>
  void copy_to(const entry& which, T* out) const {
    file(which).copy_to(*which.info, out);
  }

 private:
  static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  void add_file(const std::string& path) {
    files_.push_back(safetensors_file::open(path));
    for (const tensor_info& info : files_.back().tensors()) entries_.push_back({&info, files_.size() - 1});
  }

  std::vector<safetensors_file> files_;
  std::vector<entry> entries_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
