// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "inhibitor/base/file_error.hpp"

// Read access to a regular file by position, and a memory mapping of it; both release what they hold.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// An open regular file. Movable, not copyable.
class input_file {
 public:
  /// Throws file_error when `path` does not exist, cannot be read or is no regular file (a folder, a pipe).
  explicit input_file(std::string path) : path_(std::move(path)) {
    // O_NONBLOCK: opening a pipe nobody writes to must fail below, not wait.
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) throw file_error(path_, std::string("cannot be opened (") + std::strerror(errno) + ")");
    struct ::stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw file_error(path_, "is not a regular file");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  input_file(input_file&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}
  input_file& operator=(input_file&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~input_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  const std::string& path() const { return path_; }
  /// Bytes in the file when it was opened.
  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }

  /// Reads bytes [offset, offset + size) into `out`. Throws file_error when they are not there (any more). Thread-safe.
  void read_at(std::uint64_t offset, void* out, std::size_t size) const {
    char* next = static_cast<char*>(out);
    while (size > 0) {
      const ::ssize_t got = ::pread(descriptor_, next, size, static_cast<::off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw file_error(path_, std::string("reading failed (") + std::strerror(errno) + ")");
      if (got == 0) throw file_error(path_, "became shorter while it was read");
      next += got;
      offset += static_cast<std::uint64_t>(got);
      size -= static_cast<std::size_t>(got);
    }
  }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A read-only mapping of a whole file; the file may be closed afterwards. When another program shortens the file, an
/// access behind its new end raises SIGBUS: map only files that nobody rewrites in place.
class file_mapping {
 public:
  file_mapping() = default;
  /// Throws file_error.
  explicit file_mapping(const input_file& file) : size_(static_cast<std::size_t>(file.size())) {
    if (size_ == 0) return;
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (address == MAP_FAILED)
      throw file_error(file.path(), std::string("cannot be mapped (") + std::strerror(errno) + ")");
    address_ = address;
  }
  file_mapping(file_mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  file_mapping& operator=(file_mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~file_mapping() {
    if (address_ != nullptr) ::munmap(address_, size_);
  }

  const std::byte* data() const { return static_cast<const std::byte*>(address_); }
  std::size_t size() const { return size_; }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
