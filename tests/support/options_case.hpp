// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/random.hpp"

namespace inhibitor {
namespace test {

/// A call with any of the optional parts of attention_shape and attention_mask, run by the library in T and by the
/// reference in double. Arrays are [B,L,H,D], or (total rows, H, D) where sequences are packed.
template <class T>
struct options_case {
  attention_shape shape;  ///< starts are set by shape_of_call
  inhibitor_options options;
  bool dot_product = false, causal = false, shared_mask = false;
  std::vector<std::int32_t> query_starts;  ///< (B + 1) or empty
  std::vector<index_t> key_starts;         ///< (B + 1) or empty
  std::vector<std::uint8_t> key_mask;      ///< (key rows) or empty
  std::vector<std::uint8_t> attend;        ///< (B or 1, L, S) or empty
  std::vector<T> q, k, v, dout, score_scale, shift, output_scale;

  template <class U>
  struct results_of {
    std::vector<U> out, dq, dk, dv, dscalars;
    bool operator==(const results_of& other) const {
      return out == other.out && dq == other.dq && dk == other.dk && dv == other.dv && dscalars == other.dscalars;
    }
  };
  using results = results_of<T>;
  static constexpr double untouched = 77;  ///< what output rows hold before the call

  std::string text() const {
    const auto n = [](index_t x) { return std::to_string(x); };
    return "B " + n(shape.batch) + " H " + n(shape.heads) + "/" + n(shape.key_heads()) + " L " + n(shape.queries) +
           " S " + n(shape.keys) + " D " + n(shape.head_size) + " Dv " + n(shape.value_size) + " rows " +
           n(shape.rows.first) + ".." + n(shape.rows.last) + (dot_product ? " dot product" : "") +
           (causal ? " causal" : "") + (key_mask.empty() ? "" : " key mask") + (attend.empty() ? "" : " mask") +
           (query_starts.empty() ? "" : " packed queries") + (key_starts.empty() ? "" : " packed keys") + " center " +
           n(static_cast<index_t>(options.center)) + (options.is_signed ? "" : " unsigned") +
           (options.normalize_by_length ? " normalized" : "") + (options.skip_inhibited ? " skip" : "");
  }

  index_t first_query(index_t b) const {
    return query_starts.empty() ? b * shape.queries : query_starts[static_cast<std::size_t>(b)];
  }
  index_t first_key(index_t b) const {
    return key_starts.empty() ? b * shape.keys : key_starts[static_cast<std::size_t>(b)];
  }
  index_t queries_of(index_t b) const { return first_query(b + 1) - first_query(b); }
  index_t keys_of(index_t b) const { return first_key(b + 1) - first_key(b); }

  /// Draws masks and lengths as asked for, and all numbers.
  void fill(random_numbers& random, bool with_key_mask, bool with_mask, bool packed_queries, bool packed_keys) {
    const auto B = shape.batch;
    const auto starts = [&](auto& list, index_t longest) {
      list.assign(1, 0);
      for (index_t b = 0; b < B; ++b) {
        const index_t next = list.back() + random.index(longest + 1);
        list.push_back(static_cast<std::decay_t<decltype(list[0])>>(next));
      }
    };
    if (packed_queries) starts(query_starts, shape.queries);
    if (packed_keys) starts(key_starts, shape.keys);
    const auto bytes = [&](index_t n) {
      std::vector<std::uint8_t> list(static_cast<std::size_t>(n));
      for (auto& byte : list) byte = static_cast<std::uint8_t>(random.index(3) != 0 ? 1 + random.index(255) : 0);
      return list;
    };
    if (with_key_mask) key_mask = bytes(first_key(B) + 1);
    if (with_mask) {
      attend = bytes((shared_mask ? 1 : B) * shape.queries * shape.keys + 1);
      for (index_t j = 0; j < shape.keys && shape.queries > 1 && (B > 0 || shared_mask);
           ++j) {  // a query with nothing to attend to
        attend[static_cast<std::size_t>(shape.keys + j)] = 0;
      }
    }
    const index_t H = shape.heads, K = shape.key_heads();
    q = random.numbers<T>(first_query(B) * H * shape.head_size + 1);
    k = random.numbers<T>(first_key(B) * K * shape.head_size + 1);
    v = random.numbers<T>(first_key(B) * K * shape.value_size + 1);
    dout = random.numbers<T>(first_query(B) * H * shape.value_size + 1);
    score_scale = random.numbers<T>(H + 1, 0.5, 1);
    shift = random.numbers<T>(H + 1, 0, 0.5);
    output_scale = random.numbers<T>(H + 1, 0.5, 2);
    if (options.center == centering::none) {
      for (T& s : shift) s -= static_cast<T>(std::sqrt(static_cast<double>(shape.head_size)) * 0.6);
    }
  }

  attention_shape shape_of_call() const {
    attention_shape s = shape;
    if (!query_starts.empty()) s.query_starts = query_starts.data();
    if (!key_starts.empty()) s.key_starts = key_starts.data();
    return s;
  }
  attention_mask mask() const {
    attention_mask m;
    m.causal = causal;
    if (!key_mask.empty()) m.key_mask = key_mask.data();
    if (!attend.empty())
      m.attend = {attend.data(), shared_mask ? 0 : batch_stride(shape.queries, shape.keys), shape.keys};
    return m;
  }
  /// rows * size, or 0 where a shape that a call must refuse is too large to multiply: that stride is never used.
  static index_t batch_stride(index_t rows, index_t size) {
    constexpr index_t limit = index_t{1} << 30;
    return rows < limit && size < limit ? rows * size : 0;
  }
  template <class U>
  heads_view<U> view(U* data, index_t rows, index_t heads, index_t width) const {
    return {data, batch_stride(rows, heads * width), heads * width, width};
  }
  template <class U>
  heads_view<U> query_view(U* data, index_t width) const {
    return view(data, shape.queries, shape.heads, width);
  }
  template <class U>
  heads_view<U> key_view(U* data, index_t width) const {
    return view(data, shape.keys, shape.key_heads(), width);
  }
  inhibitor_attention<T> inhibitor() const {
    return {options, {score_scale.data(), shift.data(), output_scale.data()}};
  }

  results run(const executor& workers = {}) const {
    results r;
    r.out.assign(dout.size(), T(untouched));
    r.dq.assign(q.size(), T(0));
    r.dk.assign(k.size(), T(0));
    r.dv.assign(v.size(), T(0));
    r.dscalars.assign(static_cast<std::size_t>(3 * shape.heads + 1), T(0));
    const index_t D = shape.head_size, Dv = shape.value_size;
    const attention_shape s = shape_of_call();
    const heads_view<const T> q_in = query_view(q.data(), D), k_in = key_view(k.data(), D);
    const heads_view<const T> v_in = key_view(v.data(), Dv), g_in = query_view(dout.data(), Dv);
    const heads_view<T> dq = query_view(r.dq.data(), D), dk = key_view(r.dk.data(), D), dv = key_view(r.dv.data(), Dv);
    T* ds = r.dscalars.data();
    attention_workspace workspace;
    if (dot_product) {
      const dot_product_attention<T> mechanism;
      multi_head_attention_forward<T>(query_view(r.out.data(), Dv), q_in, k_in, v_in, s, mask(), mechanism, workspace,
                                      workers);
      multi_head_attention_backward<T>(dq, dk, dv, g_in, q_in, k_in, v_in, s, mask(), mechanism, workspace, workers);
    } else {
      multi_head_attention_forward<T>(query_view(r.out.data(), Dv), q_in, k_in, v_in, s, mask(), inhibitor(), workspace,
                                      workers);
      multi_head_attention_backward<T>(dq, dk, dv, {ds, ds + shape.heads, ds + 2 * shape.heads}, g_in, q_in, k_in, v_in,
                                       s, mask(), inhibitor(), workspace, workers);
    }
    return r;
  }

  bool in_range(index_t i) const { return i >= shape.rows.first && i < shape.rows.last; }
  bool attends(index_t b, index_t i, index_t j) const {
    if (causal && j > i + keys_of(b) - queries_of(b)) return false;
    if (!key_mask.empty() && key_mask[static_cast<std::size_t>(first_key(b) + j)] == 0) return false;
    const index_t item = shared_mask ? 0 : b * shape.queries * shape.keys;
    return attend.empty() || attend[static_cast<std::size_t>(item + i * shape.keys + j)] != 0;
  }

  results_of<double> expected() const {
    const index_t D = shape.head_size, Dv = shape.value_size, H = shape.heads, K = shape.key_heads();
    results_of<double> r;
    r.out.assign(dout.size(), untouched);
    r.dq.assign(q.size(), 0);
    r.dk.assign(k.size(), 0);
    r.dv.assign(v.size(), 0);
    r.dscalars.assign(static_cast<std::size_t>(3 * H + 1), 0);
    reference::attention_problem p;
    p.head_size = D;
    p.value_size = Dv;
    p.score = dot_product ? reference::scoring::dot_product : reference::scoring::manhattan;
    p.aggregate = dot_product         ? reference::aggregation::softmax
                  : options.is_signed ? reference::aggregation::signed_relu
                                      : reference::aggregation::unsigned_relu;
    p.center = options.center == centering::none            ? reference::centered::no
               : options.center == centering::attended_keys ? reference::centered::attended_keys
                                                           : reference::centered::all_keys;
    p.normalize_by_length = options.normalize_by_length;
    // Rows [first, first + n) of one head of an array (rows, heads, width).
    const auto gather = [](const std::vector<T>& x, index_t first, index_t n, index_t heads, index_t h, index_t width) {
      std::vector<double> y;
      for (index_t row = first; row < first + n; ++row) {
        for (index_t c = 0; c < width; ++c) {
          y.push_back(static_cast<double>(x[static_cast<std::size_t>((row * heads + h) * width + c)]));
        }
      }
      return y;
    };
    const auto add = [](std::vector<double>& to, const std::vector<double>& x, index_t first, index_t heads, index_t h,
                        index_t width) {
      for (index_t i = 0; i < static_cast<index_t>(x.size()); ++i) {
        to[static_cast<std::size_t>(((first + i / width) * heads + h) * width + i % width)] +=
            x[static_cast<std::size_t>(i)];
      }
    };
    for (index_t b = 0; b < shape.batch; ++b) {
      const index_t L = queries_of(b), S = keys_of(b), q0 = first_query(b), k0 = first_key(b);
      std::vector<std::uint8_t> allowed;
      for (index_t i = 0; i < L; ++i) {
        for (index_t j = 0; j < S; ++j) allowed.push_back(in_range(i) && attends(b, i, j) ? 1 : 0);
      }
      p.attend = allowed.data();
      p.queries = L;
      p.keys = S;
      for (index_t h = 0; h < H && L > 0 && S > 0; ++h) {
        const index_t kv = h / (H / K);
        const auto x = static_cast<std::size_t>(h);
        reference::attention_scalars<double> scalars, d{0, 0, 0};
        if (!dot_product) {
          scalars = {static_cast<double>(score_scale[x]), static_cast<double>(shift[x]),
                     static_cast<double>(output_scale[x])};
        } else {
          scalars = {};
        }
        const auto qh = gather(q, q0, L, H, h, D), kh = gather(k, k0, S, K, kv, D), vh = gather(v, k0, S, K, kv, Dv);
        const auto gh = gather(dout, q0, L, H, h, Dv);
        std::vector<double> out(gh.size()), dq(qh.size()), dk(kh.size()), dv(vh.size());
        reference::attention_forward(out.data(), qh.data(), kh.data(), vh.data(), scalars, p);
        reference::attention_backward(dq.data(), dk.data(), dv.data(), d, gh.data(), qh.data(), kh.data(), vh.data(),
                                      scalars, p);
        for (index_t i = 0; i < L * Dv; ++i) {
          if (in_range(i / Dv))
            out[static_cast<std::size_t>(i)] -= untouched;
          else
            out[static_cast<std::size_t>(i)] = 0;
        }
        add(r.out, out, q0, H, h, Dv);
        add(r.dq, dq, q0, H, h, D);
        add(r.dk, dk, k0, K, kv, D);
        add(r.dv, dv, k0, K, kv, Dv);
        if (dot_product) continue;
        const auto heads = static_cast<std::size_t>(H);
        r.dscalars[x] += d.score_scale;
        r.dscalars[heads + x] += d.shift;
        r.dscalars[2 * heads + x] += d.output_scale;
      }
      // Without keys every computed row is zero.
      for (index_t i = 0; i < L && S == 0; ++i) {
        for (index_t c = 0; c < H * Dv && in_range(i); ++c) {
          r.out[static_cast<std::size_t>((q0 + i) * H * Dv + c)] = 0;
        }
      }
    }
    return r;
  }
};

}  // namespace test
}  // namespace inhibitor
