// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// Replaces operator new by one that counts. To be included by one translation unit of a program.

namespace inhibitor {
namespace test {

inline std::atomic<long> allocations{0};

inline void* counted_new(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace test
}  // namespace inhibitor

// All forms, because a sanitizer brings its own of those that are left out. Not inlined: g++ 12 would see malloc's
// memory freed by another name.
#define INHIBITOR_TEST_NOT_INLINED __attribute__((noinline))
INHIBITOR_TEST_NOT_INLINED void* operator new(std::size_t size) {
  return inhibitor::test::counted_new(size, alignof(std::max_align_t));
}
INHIBITOR_TEST_NOT_INLINED void* operator new(std::size_t size, std::align_val_t a) {
  return inhibitor::test::counted_new(size, static_cast<std::size_t>(a));
}
INHIBITOR_TEST_NOT_INLINED void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++inhibitor::test::allocations;
  return std::malloc(size);
}
INHIBITOR_TEST_NOT_INLINED void* operator new[](std::size_t size) { return operator new(size); }
INHIBITOR_TEST_NOT_INLINED void* operator new[](std::size_t size, const std::nothrow_t& n) noexcept {
  return operator new(size, n);
}
INHIBITOR_TEST_NOT_INLINED void operator delete(void* p) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete(void* p, std::size_t) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete[](void* p) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
INHIBITOR_TEST_NOT_INLINED void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
