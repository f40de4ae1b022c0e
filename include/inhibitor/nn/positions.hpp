// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "inhibitor/base/config.hpp"

// Sinusoidal positions (Vaswani et al. 2017, arXiv 1706.03762 section 3.5) in the three layouts that published models
// use. They are not interchangeable: a model says which it was trained with.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// What is added to the words of a sequence so that their order counts.
enum class position_kind {
  none,
  learned,      ///< a table (P, dim) of the model
  interleaved,  ///< sin, cos, sin, ... of p / 10000^(2i/dim), as in the paper
  halves,       ///< the same, all sines before all cosines, as Marian's models in Hugging Face's form
  fairseq       ///< sines before cosines of p / 10000^(i/(dim/2-1)), counted from padding_id + 1, as M2M100 and fairseq
};

/// True for the three sinusoidal kinds.
inline bool is_sinusoidal(position_kind kind) { return kind != position_kind::none && kind != position_kind::learned; }

/// table (positions, dim) of a sinusoidal kind, dim even. `padding_id` is read for `fairseq` alone. Computed in double.
template <class T>
void sinusoidal_positions(T* table, position_kind kind, index_t positions, index_t dim, index_t padding_id) {
  const index_t half = dim / 2;
  const bool is_fairseq = kind == position_kind::fairseq;
  const double exponents = is_fairseq ? static_cast<double>(half > 1 ? half - 1 : 1) : static_cast<double>(half);
  for (index_t p = 0; p < positions; ++p) {
    const auto position = static_cast<double>(is_fairseq ? p + padding_id + 1 : p);
    for (index_t i = 0; i < half; ++i) {
      const double angle = position / std::pow(10000.0, static_cast<double>(i) / exponents);
      const bool alternates = kind == position_kind::interleaved;
      T* row = table + p * dim;
      row[alternates ? 2 * i : i] = static_cast<T>(std::sin(angle));
      row[alternates ? 2 * i + 1 : half + i] = static_cast<T>(std::cos(angle));
    }
  }
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
