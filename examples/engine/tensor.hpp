// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace engine {

/// A four-dimensional tensor of the kind every inference engine has: owning, with strides, ignorant of attention.
class tensor {
 public:
  enum class layout { batch_row_head, batch_head_row };

  /// All zeros. `rows` are queries or keys.
  tensor(std::ptrdiff_t batch, std::ptrdiff_t heads, std::ptrdiff_t rows, std::ptrdiff_t size, layout order)
      : batch_stride(heads * rows * size),
        row_stride(order == layout::batch_row_head ? heads * size : size),
        head_stride(order == layout::batch_row_head ? size : rows * size),
        numbers(static_cast<std::size_t>(batch * batch_stride)) {}

  float* row(std::ptrdiff_t b, std::ptrdiff_t h, std::ptrdiff_t r) {
    return numbers.data() + b * batch_stride + h * head_stride + r * row_stride;
  }
  const float* row(std::ptrdiff_t b, std::ptrdiff_t h, std::ptrdiff_t r) const {
    return numbers.data() + b * batch_stride + h * head_stride + r * row_stride;
  }

  const std::ptrdiff_t batch_stride, row_stride, head_stride;  // in elements
  std::vector<float> numbers;
};

}  // namespace engine
