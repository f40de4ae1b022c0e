// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include "attention/contender.hpp"
#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/attention/multi_head.hpp"

// The library's own attention in float or double, for either mechanism and pass, compiled for the flags of the report.
// One translation unit per type: the kernels take long to compile.

namespace inhibitor {
namespace bench {

template <class T>
using own_inhibitor = inhibitor_attention<T>;
template <class T>
using own_softmax = dot_product_attention<T>;

template <class T, class Mechanism>
class own_float : public contender {
 public:
  explicit own_float(const inputs& in, bool skip = false)
      : what_(in.what), mask_(in.mask()), workers_(in.what.workers()) {
    fill(q_, in.q);
    fill(k_, in.k);
    fill(v_, in.v);
    out_.resize(what_.query_size());
    if (what_.backward) {
      fill(dout_, in.dout);
      dk_.resize(what_.key_size());
      dv_.resize(what_.key_size());
    }
    if constexpr (std::is_same_v<Mechanism, own_inhibitor<T>>) {
      for (const auto* from : {&in.score_scale, &in.shift, &in.output_scale}) {
        scalars_.insert(scalars_.end(), from->begin(), from->end());
      }
      dscalars_.resize(scalars_.size());
      mechanism_.options.skip_inhibited = skip;
      const index_t h = what_.heads;
      mechanism_.scalars = {scalars_.data(), scalars_.data() + h, scalars_.data() + 2 * h};
    }
  }

  void run() override {
    if constexpr (std::is_same_v<T, float>) {
      if (what_.prepared) {
        run_cached();
        return;
      }
    }
    const auto q = view_of<const T>(q_.data(), what_, what_.queries),
               k = view_of<const T>(k_.data(), what_, what_.keys), v = view_of<const T>(v_.data(), what_, what_.keys);
    const auto out = view_of(out_.data(), what_, what_.queries);
    const attention_shape shape = what_.shape();
    if (!what_.backward) {
      multi_head_attention_forward<T, Mechanism, best_isa>(out, q, k, v, shape, mask_, mechanism_, workspace_,
                                                           workers_);
      return;
    }
    const auto dout = view_of<const T>(dout_.data(), what_, what_.queries);
    const auto dk = view_of(dk_.data(), what_, what_.keys), dv = view_of(dv_.data(), what_, what_.keys);
    if constexpr (std::is_same_v<Mechanism, own_inhibitor<T>>) {
      const index_t h = what_.heads;
      const inhibitor_scalars<T> dscalars{dscalars_.data(), dscalars_.data() + h, dscalars_.data() + 2 * h};
      multi_head_attention_backward<T, best_isa>(out, dk, dv, dscalars, dout, q, k, v, shape, mask_, mechanism_,
                                                 workspace_, workers_);
    } else {
      multi_head_attention_backward<T, best_isa>(out, dk, dv, dout, q, k, v, shape, mask_, mechanism_, workspace_,
                                                 workers_);
    }
  }
  /// Against keys and values that were packed when the contender was made, as in decoding.
  void run_cached() {
    if (cache_ == nullptr) {
      cache_ = std::make_unique<growing_kv_cache<kv_cache<T, best_isa>>>(
          index_t{1}, cache_extents{what_.heads, what_.head_size, what_.head_size});
      cache_->template append<T>(0, view_of<const T>(k_.data(), what_, what_.keys),
                                 view_of<const T>(v_.data(), what_, what_.keys), what_.keys);
      cache_workspace_.resize(cached_attention_workspace_size<T, best_isa>(what_.shape(), what_.threads));
    }
    const attention_status status = try_cached_attention_forward<T, Mechanism, best_isa>(
        view_of(out_.data(), what_, what_.queries), view_of<const T>(q_.data(), what_, what_.queries), cache_->caches(),
        what_.shape(), mask_, mechanism_, cache_workspace_.data(), cache_workspace_.size(), workers_);
    check(status == attention_status::ok, "bench: the call against a cache was refused");
  }
  void clear() override {
    out_.fill_zero();  // dq in the backward pass
    dk_.fill_zero();
    dv_.fill_zero();
  }
  std::vector<double> result() const override {
    if (!what_.backward) return {out_.begin(), out_.end()};
    const index_t queries = what_.queries * what_.head_size, keys = what_.keys * what_.head_size;
    std::vector<double> all(out_.end() - queries, out_.end());
    all.insert(all.end(), dk_.end() - keys, dk_.end());
    all.insert(all.end(), dv_.end() - keys, dv_.end());
    return all;
  }
  index_t workspace_bytes() const override { return workspace_.size() + cache_workspace_.size(); }

 private:
  static void fill(aligned_buffer<T>& to, const aligned_buffer<float>& from) {
    to.resize(from.size());
    for (index_t i = 0; i < from.size(); ++i) to[i] = static_cast<T>(from[i]);
  }

  problem what_;
  attention_mask mask_;
  executor workers_;
  Mechanism mechanism_;
  std::vector<T> scalars_, dscalars_;
  aligned_buffer<T> q_, k_, v_, out_, dout_, dk_, dv_;  // out_: dq in the backward pass
  attention_workspace workspace_;
  std::unique_ptr<growing_kv_cache<kv_cache<T, best_isa>>> cache_;
  aligned_buffer<unsigned char> cache_workspace_;
};

/// Adds inhibitor and softmax of type T.
template <class T>
void add_own_float(contender_list& list, const char* type, exactness limit) {
  const auto takes = [](const problem& p) {
    const bool cached = std::is_same_v<T, float> && !p.backward && p.mask != masking::padding && p.batch == 1;
    return !p.prepared || cached;
  };
  contender_entry entry{"inhibitor", type, isa_name<best_isa>(), false, limit, takes, [](const inputs& in) {
                          return std::make_unique<own_float<T, own_inhibitor<T>>>(in);
                        }};
  list.entries.push_back(entry);
  entry.name = "inhibitor_skip";
  entry.takes = [](const problem& p) { return !p.prepared && !p.backward; };
  entry.make = [](const inputs& in) { return std::make_unique<own_float<T, own_inhibitor<T>>>(in, true); };
  list.entries.push_back(entry);
  entry.takes = takes;
  entry.name = "softmax";
  entry.is_softmax = true;
  entry.make = [](const inputs& in) { return std::make_unique<own_float<T, own_softmax<T>>>(in); };
  list.entries.push_back(entry);
}

}  // namespace bench
}  // namespace inhibitor
