// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <vector>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
namespace test {

/// An array between two unreadable pages, ending (or starting) exactly at one: a read or write beyond it is a crash.
template <class T>
class guarded_buffer {
 public:
  enum class flush { end, start };

  guarded_buffer(const std::vector<T>& values, flush where) : size_(values.size()) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = size_ * sizeof(T);
    const std::size_t middle = (bytes + page - 1) / page * page;
    mapped_ = middle + 2 * page;
    memory_ = static_cast<std::byte*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    if (middle > 0 && mprotect(memory_ + page, middle, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(memory_ + page + (where == flush::end ? middle - bytes : 0));
    for (std::size_t i = 0; i < size_; ++i) data_[i] = values[i];
  }
  guarded_buffer(const guarded_buffer&) = delete;
  guarded_buffer& operator=(const guarded_buffer&) = delete;
  ~guarded_buffer() { munmap(memory_, mapped_); }

  T* data() const { return data_; }
  index_t size() const { return static_cast<index_t>(size_); }
  std::vector<T> values() const { return std::vector<T>(data_, data_ + size_); }

 private:
  std::byte* memory_;
  std::size_t mapped_;
  std::size_t size_;
  T* data_;
};

}  // namespace test
}  // namespace inhibitor
