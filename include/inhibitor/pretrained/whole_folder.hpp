// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Calls write_files(path) to write the files of `folder`: a new folder appears complete or not at all, in one that
/// exists the files are written in place. Throws file_error, and what write_files throws; then nothing unfinished is
/// left of a new folder.
template <class WriteFiles>
void write_whole_folder(const std::string& folder, WriteFiles&& write_files) {
  namespace fs = std::filesystem;
  std::string target = folder;
  while (target.size() > 1 && target.back() == '/') target.pop_back();
  if (fs::exists(target)) {
    write_files(target);
    return;
  }
  const std::string stage = target + ".tmp-" + std::to_string(::getpid());
  std::error_code error;
  fs::remove_all(stage, error);
  try {
    if (!fs::create_directory(stage, error)) throw file_error(target, "cannot be created (" + error.message() + ")");
    write_files(stage);
    fs::rename(stage, target, error);
    if (error) throw file_error(target, "cannot be created (" + error.message() + ")");
  } catch (...) {
    fs::remove_all(stage, error);
    throw;
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
