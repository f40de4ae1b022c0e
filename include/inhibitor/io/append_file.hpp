// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "inhibitor/base/file_error.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A file that grows: what `append` was given is in it when the call returns, whatever becomes of the program. Movable,
/// not copyable.
class append_file {
 public:
  append_file() = default;
  /// Opens `path`, which must exist. Throws file_error.
  explicit append_file(std::string path)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)) {
    if (descriptor_ < 0) fail("cannot be written");
  }
  append_file(append_file&& other) noexcept { *this = std::move(other); }
  append_file& operator=(append_file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~append_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool is_open() const { return descriptor_ >= 0; }

  /// Throws file_error (disk full); then a part of `bytes` may be in the file.
  void append(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ::ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing failed");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw file_error(path_, std::string(what) + " (" + std::strerror(errno) + ")");
  }

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
