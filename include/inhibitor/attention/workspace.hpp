// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/base/aligned_buffer.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Owner of the scratch memory of attention calls. It grows to what the largest call needs and then allocates no more.
/// Not to be shared by calls that run at the same time. Calls that take the caller's memory instead: attention/raw.hpp.
class attention_workspace {
 public:
  /// Bytes held.
  index_t size() const { return memory_.size(); }
  /// At least `bytes` bytes, 64-byte aligned; contents are not kept. Called by the attention functions. Allocates, and
  /// throws std::bad_alloc, only beyond the size held.
  unsigned char* reserve(index_t bytes) {
    if (memory_.size() < bytes) memory_.resize(bytes);
    return memory_.data();
  }

 private:
  aligned_buffer<unsigned char> memory_;
};

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
