// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// The whole content of a file, bytes unchanged. Throws file_error with the system's reason when it cannot be read (a
/// folder cannot). Allocates.
inline std::string read_file(const std::string& path) {
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  const std::unique_ptr<std::FILE, closer> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw file_error(path, std::string("cannot be opened: ") + std::strerror(errno));
  std::string content;
  char block[1 << 16];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file.get())) content.append(block, count);
  if (std::ferror(file.get())) throw file_error(path, std::string("cannot be read: ") + std::strerror(errno));
  return content;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
