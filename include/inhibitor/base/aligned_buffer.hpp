// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Owning, 64-byte-aligned array of trivially copyable `T`. 64 bytes is a cache line and the widest vector of any
/// instruction set the library knows, so the alignment does not change with compiler flags.
template <class T>
class aligned_buffer {
  static_assert(std::is_trivially_copyable_v<T>, "aligned_buffer holds plain numbers");

 public:
  static constexpr std::size_t alignment = 64;

  aligned_buffer() = default;
  explicit aligned_buffer(index_t size) { resize(size); }
  aligned_buffer(const aligned_buffer& other) : aligned_buffer(other.size_) {
    if (size_ > 0) std::memcpy(data(), other.data(), static_cast<std::size_t>(size_) * sizeof(T));
  }
  aligned_buffer(aligned_buffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  aligned_buffer& operator=(aligned_buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  /// Sets the size. Contents are kept when the capacity suffices; otherwise storage is new and zero-filled.
  void resize(index_t size) {
    if (size > capacity_) {
      const std::size_t bytes = (static_cast<std::size_t>(size) * sizeof(T) + alignment - 1) / alignment * alignment;
      data_.reset(static_cast<T*>(::operator new (bytes, std::align_val_t{alignment})));
      std::memset(static_cast<void*>(data_.get()), 0, bytes);
      capacity_ = size;
    }
    size_ = size;
  }

  void fill_zero() {
    if (size_ > 0) std::memset(static_cast<void*>(data()), 0, static_cast<std::size_t>(size_) * sizeof(T));
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  index_t size() const { return size_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](index_t i) { return data_.get()[i]; }
  const T& operator[](index_t i) const { return data_.get()[i]; }

 private:
  struct deleter {
    void operator()(T* p) const { ::operator delete (static_cast<void*>(p), std::align_val_t{alignment}); }
  };
  std::unique_ptr<T, deleter> data_;
  index_t size_ = 0;
  index_t capacity_ = 0;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
