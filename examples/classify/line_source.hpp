// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "inhibitor/base/ends_with.hpp"
#include "inhibitor/base/foreign_content.hpp"
#include "inhibitor/data/table_file.hpp"
#include "support/interrupt.hpp"

namespace inhibitor::examples {

/// What messages call an input; "-" is standard input.
inline std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

/// Lines of a file, a pipe or standard input as they come. Knows whether the next line is there already, so that a
/// caller can wait for more input only when nothing else is left to do.
class line_source {
 public:
  /// "-" is standard input; a name that ends in .gz is unpacked at once. Throws file_error when `path` cannot be opened
  /// or is no gzip file.
  explicit line_source(const std::string& path) : name_(input_name(path)) {
    if (ends_with(path, ".gz")) {
      buffer_ = read_text_file(path);
      at_end_ = true;
      return;
    }
    descriptor_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) throw file_error(name_, std::string("cannot be opened: ") + std::strerror(errno));
  }
  line_source(const line_source&) = delete;
  line_source& operator=(const line_source&) = delete;
  ~line_source() {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }

  const std::string& name() const { return name_; }
  /// Number, from 1, of the line that `next` gave last.
  index_t line() const { return line_; }

  /// The next line without its end (LF, or CR LF) and without a byte order mark; false at the end of the input or after
  /// an interrupt. Waits for input. Throws file_error when reading fails or the input is no UTF-8 text but something
  /// people meet in its place (foreign_content.hpp).
  bool next(std::string& line) {
    std::size_t end = find_end();
    while (end == std::string::npos && !at_end_) {
      read_more();
      end = find_end();
    }
    if (line_ == 0) refuse_foreign_text(name_, buffer_);
    if (end == std::string::npos) {
      if (begin_ == buffer_.size()) return false;
      end = buffer_.size();
    }
    line.assign(buffer_, begin_, end - begin_);
    begin_ = searched_ = end < buffer_.size() ? end + 1 : end;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line_++ == 0 && line.compare(0, 3, "\xEF\xBB\xBF") == 0) line.erase(0, 3);
    return true;
  }

  /// Everything that is left, waiting for its end. Throws file_error as `next` does.
  std::string rest() {
    while (!at_end_) read_more();
    std::string text = buffer_.substr(begin_);
    begin_ = searched_ = buffer_.size();
    if (line_ == 0) refuse_foreign_text(name_, text);
    return text;
  }

  /// Whether `next` would give a line without waiting. False at the end.
  bool ready() {
    while (find_end() == std::string::npos && !at_end_) {
      struct ::pollfd request = {descriptor_, POLLIN, 0};
      if (::poll(&request, 1, 0) <= 0) return false;
      read_more();
    }
    return begin_ < buffer_.size();
  }

 private:
  std::size_t find_end() {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end == std::string::npos) searched_ = buffer_.size();
    return end;
  }

  void read_more() {
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
    const std::size_t size = buffer_.size();
    constexpr std::size_t block = 1 << 16;
    buffer_.resize(size + block);
    const ::ssize_t got = ::read(descriptor_, buffer_.data() + size, block);
    const int reason = errno;
    buffer_.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) at_end_ = true;
    if (got >= 0) return;
    if (reason != EINTR) throw file_error(name_, std::string("cannot be read: ") + std::strerror(reason));
    if (!interrupt_requested()) return;
    at_end_ = true;
    buffer_.clear();
    searched_ = 0;
  }

  std::string name_;
  int descriptor_ = -1;
  std::string buffer_;
  std::size_t begin_ = 0;     // of the next line
  std::size_t searched_ = 0;  // no line end before this
  bool at_end_ = false;
  index_t line_ = 0;
};

}  // namespace inhibitor::examples
