// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/round_up.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Cuts a block of aligned memory into arrays whose starts are 64-byte aligned. With a null base it only measures.
template <class T>
class scratch_cursor {
 public:
  explicit scratch_cursor(T* base) : base_(base) {}
  T* take(index_t n) {
    T* p = base_ != nullptr ? base_ + used_ : nullptr;
    used_ += round_up(n, 64 / static_cast<index_t>(sizeof(T)));
    return p;
  }
  index_t* take_indices(index_t n) {
    return reinterpret_cast<index_t*>(take(n * static_cast<index_t>(sizeof(index_t) / sizeof(T))));
  }
  index_t used() const { return used_; }

 private:
  T* base_;
  index_t used_ = 0;
};

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
