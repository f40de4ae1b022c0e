// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "inhibitor/base/file_error.hpp"

// Files that appear whole or not at all: the content goes to a temporary file in the same folder, which then takes the
// final name in one step. A reader that has the old file open or mapped keeps the old content. There is no fsync: this
// guards against failures of the program, not of the power supply. Only regular files are ever replaced: a link stays
// and the file it leads to gets the content; a device or pipe is written through, as a shell's redirection does.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A file being written under a temporary name. `commit` gives it its final name; without it the destructor removes it.
class atomic_file {
 public:
  /// Creates the temporary file beside `path`, or opens the device or pipe of that name (which waits for a reader).
  /// Throws file_error when the folder is missing or not writable, and when `path` is a folder or a link to nothing.
  explicit atomic_file(std::string path) : path_(std::move(path)) {
    struct ::stat status {};
    const bool exists = ::stat(path_.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) throw file_error(path_, "is a folder; expected a file to write");
    if (exists && !S_ISREG(status.st_mode)) {
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
      if (descriptor_ < 0) fail("cannot be written");
      return;
    }
    if (::lstat(path_.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
      if (!exists) throw file_error(path_, "is a link to a file that does not exist");
      std::error_code error;
      path_ = std::filesystem::canonical(path_, error).string();
      if (error) throw file_error(path_, "is a link that cannot be followed (" + error.message() + ")");
    }
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      temporary_ = path_ + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      // A leftover of a killed process with the same number may hold the name: take the next one.
      if (descriptor_ < 0 && (errno != EEXIST || attempt == 1000)) fail("cannot be written");
    }
  }
  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;
  ~atomic_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_ && !temporary_.empty()) ::unlink(temporary_.c_str());
  }

  /// Appends `size` bytes. Throws file_error (disk full, quota).
  void write(const void* bytes, std::size_t size) {
    const char* next = static_cast<const char*>(bytes);
    while (size > 0) {
      const ::ssize_t written = ::write(descriptor_, next, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing failed");
      next += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Closes the file and renames it to `path`, replacing the regular file that was there. Call once, last. Throws
  /// file_error.
  void commit() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) fail("writing failed");
    if (!temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be replaced");
    committed_ = true;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw file_error(path_, std::string(what) + " (" + std::strerror(errno) + ")");
  }

  std::string path_;
  std::string temporary_;  // empty: written through
  int descriptor_ = -1;
  bool committed_ = false;
};

/// Removes the temporary files that killed programs left in `folder` and below. No other program may be writing there.
inline void remove_temporaries(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const std::size_t mark = name.rfind(".tmp-");
    if (mark == std::string::npos || !entry.is_regular_file()) continue;
    const std::string numbers = name.substr(mark + 5);  // <process>-<attempt>
    const std::size_t dash = numbers.find('-');
    const bool is_ours = dash != std::string::npos && dash > 0 && dash + 1 < numbers.size() &&
                         numbers.find_first_not_of("0123456789-") == std::string::npos;
    if (is_ours) found.push_back(entry.path());
  }
  for (const fs::path& path : found) fs::remove(path);
}

/// Writes `content` to `path`, whole or not at all (a device or pipe: through it). Throws file_error; on failure an
/// older file stays as it was.
inline void write_file_atomically(const std::string& path, std::string_view content) {
  atomic_file file(path);
  file.write(content);
  file.commit();
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
