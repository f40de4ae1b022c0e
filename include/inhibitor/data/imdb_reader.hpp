// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "inhibitor/base/read_file.hpp"
#include "inhibitor/data/labeled_examples.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// True when `folder` holds reviews the way the Large Movie Review Dataset does: subfolders pos and neg.
inline bool is_review_folder(const std::string& folder) {
  return std::filesystem::is_directory(folder + "/pos") && std::filesystem::is_directory(folder + "/neg");
}

/// One split of the Large Movie Review Dataset as it is published: `folder`/{neg,pos}/<id>_<rating>.txt, one review per
/// file. Reviews come in the order of their ids, the negative one of each id first, so that any beginning of them is
/// balanced; other files are ignored. Texts are unchanged, `<br />` included. Throws file_error when a class has no
/// review. Allocates.
inline raw_examples read_review_folder(const std::string& folder) {
  struct review {
    long id;
    int label;
    std::string file;
  };
  std::vector<review> reviews;
  for (const int label : {0, 1}) {
    const std::string part = folder + (label == 0 ? "/neg" : "/pos");
    const std::size_t before = reviews.size();
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(part, error)) {
      const std::string name = entry.path().filename().string();
      long id = 0;
      const auto number = std::from_chars(name.data(), name.data() + name.size(), id);
      if (number.ec == std::errc() && *number.ptr == '_' && entry.path().extension() == ".txt") {
        reviews.push_back({id, label, entry.path().string()});
      }
    }
    if (error) throw file_error(part, "cannot be read (" + error.message() + ")");
    if (reviews.size() == before) throw file_error(part, "holds no review; expected files named <id>_<rating>.txt");
  }
  std::sort(reviews.begin(), reviews.end(), [](const review& a, const review& b) {
    return std::tie(a.id, a.label, a.file) < std::tie(b.id, b.label, b.file);
  });
  raw_examples rows;
  rows.file = folder;
  for (const review& r : reviews) {
    rows.first.push_back(read_file(r.file));
    rows.labels.emplace_back(r.label == 0 ? "neg" : "pos");
    rows.lines.push_back(0);
  }
  return rows;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
