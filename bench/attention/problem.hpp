// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/attention/params.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/executor.hpp"

// What is measured: one attention call of a given shape on given numbers.

namespace inhibitor {
namespace bench {

enum class masking { none, padding, causal };

/// One attention call. Arrays are [B, H, L, D]: a head is contiguous.
struct problem {
  bool backward = false;
  index_t batch = 1, heads = 12, queries = 512, keys = 512, head_size = 64;
  masking mask = masking::none;
  int alive = 50;     ///< per cent of the values |V_jk| > Z_ij among attended keys that are not inhibited on purpose
  int inhibited = 0;  ///< per cent of the keys that every query fully inhibits
  bool scattered = false;  ///< those keys lie anywhere instead of in runs of 64
  bool prepared = false;   ///< keys and values were quantized or packed beforehand, for int8 softmax queries too
  int threads = 1;

  attention_shape shape() const {
    attention_shape s;
    s.batch = batch;
    s.heads = heads;
    s.queries = queries;
    s.keys = keys;
    s.head_size = s.value_size = head_size;
    return s;
  }
  index_t query_size() const { return batch * heads * queries * head_size; }
  index_t key_size() const { return batch * heads * keys * head_size; }
  /// Pairs of query and key times head size: what a pass over scores or values touches, masked or not.
  double elements() const {
    return static_cast<double>(batch * heads) * static_cast<double>(queries) * static_cast<double>(keys * head_size);
  }
  /// "B:1/H:12/L:512/S:512/D:64", then what differs from the plain case, then the threads.
  std::string name() const;
  executor workers() const;
};

/// The numbers of a problem. Queries, keys and values are N(0,1), but for the keys that are to be inhibited, which lie
/// 4 further out in every feature; the shift of the inhibitor is chosen for the wanted share of living values.
struct inputs {
  problem what;
  aligned_buffer<float> q, k, v;                        ///< (B, H, L or S, D)
  aligned_buffer<float> dout;                           ///< (B, H, L, D), backward alone
  std::vector<std::uint8_t> key_mask;                   ///< (B, S), or empty
  std::vector<float> score_scale, shift, output_scale;  ///< (H)
  double alive_share = 0;                               ///< as found, of all attended (i, j, k)
  double inhibited_share = 0;                           ///< as found, of all attended (i, j)

  attention_mask mask() const {
    attention_mask m;
    m.key_mask = key_mask.empty() ? nullptr : key_mask.data();
    m.causal = what.mask == masking::causal;
    return m;
  }
  /// Keys that query i may see.
  index_t limit(index_t i) const { return what.mask == masking::causal ? i + 1 + what.keys - what.queries : what.keys; }
};

/// Draws the numbers; the same for the same problem, whatever its pass, threads and preparation.
inputs draw_inputs(const problem& p);

template <class T>
heads_view<T> view_of(T* data, const problem& p, index_t rows) {
  return {data, p.heads * rows * p.head_size, p.head_size, rows * p.head_size};
}

}  // namespace bench
}  // namespace inhibitor
