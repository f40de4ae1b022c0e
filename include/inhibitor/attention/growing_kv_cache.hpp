// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "inhibitor/attention/kv_cache.hpp"
#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/attention/u8/kv_cache.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Caches of a batch of sequences that own their memory and double it when it is full, so that a row costs its own
/// numbers on average:
///
///   growing_kv_cache<kv_cache<float>> cache(B, extents);
///   growing_kv_cache<u8::kv_cache> cache(B, extents, key_range, value_range, true);
///   cache.append<float>(b, k, v, 1);
///
/// The calls without exceptions take caches(), whose contents change when a sequence grows: ask again after appending.
template <class Cache>
class growing_kv_cache {
 public:
  /// `batch` empty caches: kv_cache takes the extents alone, u8::kv_cache also its ranges and sign option. Throws
  /// std::invalid_argument for negative numbers.
  template <class... Settings>
  growing_kv_cache(index_t batch, const cache_extents& extents, const Settings&... settings) {
    check(batch >= 0 && extents.kv_heads >= 0 && extents.head_size >= 1 && extents.value_size >= 0,
          "growing_kv_cache: batch and extents must not be negative, and the head size at least 1");
    memory_.resize(static_cast<std::size_t>(batch));
    for (auto& memory : memory_) {
      memory.resize(Cache::bytes(extents, 1));
      caches_.push_back(Cache(extents, memory.data(), 1, settings...));
    }
  }
  growing_kv_cache(const growing_kv_cache&) = delete;
  growing_kv_cache& operator=(const growing_kv_cache&) = delete;
  growing_kv_cache(growing_kv_cache&&) noexcept = default;
  growing_kv_cache& operator=(growing_kv_cache&&) noexcept = default;

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
  /// Keys that fit without growing, in the roomiest sequence.
  index_t capacity() const {
    index_t most = 0;
    for (const Cache& cache : caches_) most = cache.capacity() > most ? cache.capacity() : most;
    return most;
  }
  void clear(index_t b) { caches_[static_cast<std::size_t>(b)].clear(); }

  /// Makes sequence i what sequence parents[i] was; from then on there are as many as parents. Rows are copied only
  /// where a parent is named more than once. Throws std::invalid_argument for a parent that there is not.
  void reorder(const std::vector<index_t>& parents) {
    std::vector<index_t> heirs(caches_.size());
    for (const index_t parent : parents) {
      check(parent >= 0 && parent < batch(), "growing_kv_cache: there is no such sequence");
      ++heirs[static_cast<std::size_t>(parent)];
    }
    std::vector<aligned_buffer<unsigned char>> spare;
    for (std::size_t b = 0; b < heirs.size(); ++b) {
      if (heirs[b] == 0) spare.push_back(std::move(memory_[b]));
    }
    std::vector<Cache> caches;
    std::vector<aligned_buffer<unsigned char>> memory;
    for (const index_t parent : parents) {
      const auto p = static_cast<std::size_t>(parent);
      const Cache& old = caches_[p];
      if (--heirs[p] == 0) {
        caches.push_back(old);
        memory.push_back(std::move(memory_[p]));
        continue;
      }
      memory.emplace_back();
      if (!spare.empty()) {
        memory.back() = std::move(spare.back());
        spare.pop_back();
      }
      memory.back().resize(Cache::bytes(old.extents(), old.capacity()));
      caches.emplace_back(old, memory.back().data(), old.capacity());
      caches.back().copy_from(old);
    }
    caches_ = std::move(caches);
    memory_ = std::move(memory);
  }

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
    check(b >= 0 && b < batch(), "growing_kv_cache: there is no such sequence");
    const Cache& cache = (*this)[b];
    const index_t needed = cache.length() + rows, twice = 2 * cache.capacity();
    if (needed > cache.capacity()) reserve(b, needed > twice ? needed : twice);
    const attention_status status = caches_[static_cast<std::size_t>(b)].append(k, v, rows);
    check(status == attention_status::ok, [&] { return format_message("growing_kv_cache: %s", describe(status)); });
  }

 private:
  std::vector<Cache> caches_;
  std::vector<aligned_buffer<unsigned char>> memory_;
};

namespace driver {

/// The shape with the keys of the caches, so that the workspace grows with them and not with every token.
template <class Cache>
attention_shape shape_of_caches(const growing_kv_cache<Cache>& caches, attention_shape shape) {
  check(shape.batch == caches.batch(),
        [&] { return format_message("attention: a batch of %td with %td caches", shape.batch, caches.batch()); });
  shape.keys = caches.capacity();
  return shape;
}

}  // namespace driver

/// The call of attention/kv_cache.hpp with a workspace that grows as the caches do and std::invalid_argument for
/// arguments that do not fit. shape.keys is not used.
template <class T, class Mechanism, class Isa = default_isa>
void cached_attention_forward(heads_view<T> out, input_heads<T> q, const growing_kv_cache<kv_cache<T, Isa>>& caches,
                              const attention_shape& shape, const attention_mask& mask, const Mechanism& mechanism,
                              attention_workspace& workspace, const executor& run) {
  const attention_shape s = driver::shape_of_caches(caches, shape);
  driver::check_status("attention", driver::cache_forward_status<T>(out, q, caches.caches(), s, mask, mechanism), s);
  unsigned char* memory = workspace.reserve(driver::cache_layout<Isa, T>(s, run.workers()).total);
  driver::cached_forward_heads<Isa, T>(out, q, caches.caches(), s, mask, mechanism, memory, run);
}

namespace u8 {

/// The same in bytes, as in attention/u8/kv_cache.hpp; also for a query that is not finite.
template <class Isa = default_isa>
void cached_attention_forward(heads_view<float> out, heads_view<const float> q,
                              const growing_kv_cache<kv_cache>& caches, const attention_shape& shape,
                              const attention_mask& mask, const inhibitor_attention<float>& mechanism,
                              attention_workspace& workspace, const executor& run) {
  const attention_shape s = driver::shape_of_caches(caches, shape);
  driver::check_status("u8 attention", driver::u8_status(s, mechanism), s);  // sizes mean something from here on
  const index_t bytes = driver::u8_cache_layout(s, run.workers()).total + driver::workspace_slack;
  unsigned char* memory = workspace.reserve(bytes);
  const attention_status status =
      try_cached_attention_forward<Isa>(out, q, caches.caches(), s, mask, mechanism, memory, bytes, run);
  driver::check_status("u8 attention", status, s);
}

}  // namespace u8
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
