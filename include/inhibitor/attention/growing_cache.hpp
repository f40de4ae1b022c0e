// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "inhibitor/attention/u8_cache.hpp"
#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/base/check.hpp"

namespace inhibitor {

/// Caches of a batch of sequences that own their memory and double it when it is full, so that a row costs its own
/// numbers on average:
///
///   growing_cache<float_cache<float>> cache(B, extents);
///   growing_cache<u8_cache> cache(B, extents, key_range, value_range, true);
///   cache.append<float>(b, k, v, 1);
///
/// Attention calls take caches(), whose contents change when a sequence grows: ask again after appending.
template <class Cache>
class growing_cache {
 public:
  /// `batch` empty caches: float_cache takes the extents alone, u8_cache also its ranges and sign option. Throws
  /// std::invalid_argument for negative numbers.
  template <class... Settings>
  growing_cache(index_t batch, const cache_extents& extents, const Settings&... settings) {
    check(batch >= 0 && extents.kv_heads >= 0 && extents.head_size >= 1 && extents.value_size >= 0,
          "growing_cache: batch and extents must not be negative, and the head size at least 1");
    memory_.resize(static_cast<std::size_t>(batch));
    for (auto& memory : memory_) {
      memory.resize(Cache::bytes(extents, 1));
      caches_.push_back(Cache(extents, memory.data(), 1, settings...));
    }
  }
  growing_cache(const growing_cache&) = delete;
  growing_cache& operator=(const growing_cache&) = delete;
  growing_cache(growing_cache&&) noexcept = default;
  growing_cache& operator=(growing_cache&&) noexcept = default;

  /// (B) for the attention calls.
  const Cache* caches() const { return caches_.data(); }
  const Cache& operator[](index_t b) const { return caches_[static_cast<std::size_t>(b)]; }
  index_t batch() const { return static_cast<index_t>(caches_.size()); }
  /// The longest sequence: a lower bound for the `keys` of a call's shape.
  index_t longest() const {
    index_t most = 0;
    for (const Cache& cache : caches_) most = cache.length() > most ? cache.length() : most;
    return most;
  }
  void clear(index_t b) { caches_[static_cast<std::size_t>(b)].clear(); }

  /// Makes room for `rows` keys of sequence b. Allocates.
  void reserve(index_t b, index_t rows) {
    Cache& cache = caches_[static_cast<std::size_t>(b)];
    if (rows <= cache.capacity()) return;
    aligned_buffer<unsigned char> memory(Cache::bytes(cache.extents(), rows));
    Cache larger(cache, memory.data(), rows);
    larger.copy_from(cache);
    cache = larger;
    memory_[static_cast<std::size_t>(b)] = std::move(memory);
  }

  /// Adds `rows` keys and values to sequence b: k (rows, Hkv, D), v (rows, Hkv, Dv), batch strides unused. Throws
  /// std::invalid_argument for null pointers with extent, negative rows and, in bytes, values that are not finite, with
  /// nothing changed. Allocates only when the memory doubles.
  template <class T>
  void append(index_t b, heads_view<const T> k, heads_view<const T> v, index_t rows) {
    check(b >= 0 && b < batch(), "growing_cache: there is no such sequence");
    const Cache& cache = (*this)[b];
    const index_t needed = cache.length() + rows, twice = 2 * cache.capacity();
    if (needed > cache.capacity()) reserve(b, needed > twice ? needed : twice);
    const attention_status status = caches_[static_cast<std::size_t>(b)].append(k, v, rows);
    check(status == attention_status::ok, [&] { return std::string("growing_cache: ") + describe(status); });
  }

 private:
  std::vector<Cache> caches_;
  std::vector<aligned_buffer<unsigned char>> memory_;
};

}  // namespace inhibitor
