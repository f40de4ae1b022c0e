// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "inhibitor/attention/multi_head.hpp"
#include "inhibitor/reference/attention.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace inhibitor {
namespace test {

/// How a (B, L, H, D) array lies in memory.
enum class layout { blhd, bhld };

/// A multi-head attention call with its numbers, run by the library in T and by the reference in double.
template <class T>
struct attention_case {
  attention_shape shape;
  std::vector<std::uint8_t> key_mask;  ///< (B, S) or empty
  bool causal = false;
  layout order = layout::blhd;
  index_t gap = 0;     ///< extra numbers between rows
  index_t offset = 0;  ///< first number's distance from an aligned address
  std::vector<T> q, k, v, dout, score_scale, shift, output_scale;

  struct results {
    std::vector<double> out, dq, dk, dv, dscalars;
  };

  std::string text() const {
    const auto n = [](index_t x) { return std::to_string(x); };
    return "B " + n(shape.batch) + " H " + n(shape.heads) + " L " + n(shape.queries) + " S " + n(shape.keys) + " D " +
           n(shape.head_size) + " Dv " + n(shape.value_size) + (key_mask.empty() ? "" : " key mask") +
           (causal ? " causal" : "") + " offset " + n(offset);
  }

  heads_view<T> view(std::vector<T>& x, index_t rows, index_t width) const {
    const index_t pitch = width + gap;
    heads_view<T> w;
    w.data = x.data() + offset;
    w.row_stride = order == layout::blhd ? shape.heads * pitch : pitch;
    w.head_stride = order == layout::blhd ? pitch : rows * pitch;
    w.batch_stride = shape.heads * rows * pitch;
    return w;
  }
  index_t storage(index_t rows, index_t width) const {
    return shape.batch * shape.heads * rows * (width + gap) + offset;
  }

  void fill(random_numbers& random, bool on_grid) {
    const auto draw = [&](index_t n) { return on_grid ? random.grid<T>(n) : random.numbers<T>(n); };
    q = draw(storage(shape.queries, shape.head_size));
    k = draw(storage(shape.keys, shape.head_size));
    v = draw(storage(shape.keys, shape.value_size));
    dout = draw(storage(shape.queries, shape.value_size));
    score_scale = random.numbers<T>(shape.heads, 0.5, 1);
    shift = random.numbers<T>(shape.heads, 0, 0.5);
    output_scale = random.numbers<T>(shape.heads, 0.5, 2);
    if (on_grid) {  // powers of two: everything stays exact while D is a power of four
      score_scale.assign(score_scale.size(), T(0.5));
      shift.assign(shift.size(), T(0.25));
      output_scale.assign(output_scale.size(), T(2));
    }
  }

  attention_mask mask() const { return {key_mask.empty() ? nullptr : key_mask.data(), causal}; }

  std::vector<double> gather(const std::vector<T>& x, index_t rows, index_t width, index_t b, index_t h) const {
    auto w = view(const_cast<std::vector<T>&>(x), rows, width);
    std::vector<double> y;
    for (index_t r = 0; r < rows; ++r) {
      for (index_t c = 0; c < width; ++c) y.push_back(static_cast<double>(w.head(b, h)[r * w.row_stride + c]));
    }
    return y;
  }
  std::vector<double> gather(const std::vector<T>& x, index_t rows, index_t width) const {
    std::vector<double> all;
    for (index_t b = 0; b < shape.batch; ++b) {
      for (index_t h = 0; h < shape.heads; ++h) {
        const auto one = gather(x, rows, width, b, h);
        all.insert(all.end(), one.begin(), one.end());
      }
    }
    return all;
  }

  /// The library: outputs and gradients in (B, H, row, column) order; `start` fills the gradients beforehand.
  template <class Mechanism, class Isa = default_isa>
  results run(const Mechanism& mechanism, const executor& run_on = {}, T start = T(0)) {
    const index_t L = shape.queries, S = shape.keys, D = shape.head_size, Dv = shape.value_size;
    const auto filled = [&](index_t rows, index_t width, T value) {
      return std::vector<T>(static_cast<std::size_t>(storage(rows, width)) + 1, value);
    };
    std::vector<T> out = filled(L, Dv, T(77)), dq = filled(L, D, start), dk = filled(S, D, start),
                   dv = filled(S, Dv, start);
    std::vector<T> ds(static_cast<std::size_t>(3 * shape.heads), start);
    attention_workspace workspace;
    const heads_view<const T> q_in = view(q, L, D), k_in = view(k, S, D), v_in = view(v, S, Dv);
    const heads_view<const T> g_in = view(dout, L, Dv);
    multi_head_attention_forward<T, Mechanism, Isa>(view(out, L, Dv), q_in, k_in, v_in, shape, mask(), mechanism,
                                                    workspace, run_on);
    if constexpr (std::is_same_v<Mechanism, inhibitor_attention<T>>) {
      const inhibitor_scalars<T> dscalars{ds.data(), ds.data() + shape.heads, ds.data() + 2 * shape.heads};
      multi_head_attention_backward<T, Isa>(view(dq, L, D), view(dk, S, D), view(dv, S, Dv), dscalars, g_in, q_in, k_in,
                                            v_in, shape, mask(), mechanism, workspace, run_on);
    } else {
      multi_head_attention_backward<T, Isa>(view(dq, L, D), view(dk, S, D), view(dv, S, Dv), g_in, q_in, k_in, v_in,
                                            shape, mask(), mechanism, workspace, run_on);
      ds.assign(ds.size(), T(0));
    }
    return {gather(out, L, Dv), gather(dq, L, D), gather(dk, S, D), gather(dv, S, Dv), {ds.begin(), ds.end()}};
  }

  inhibitor_attention<T> inhibitor(const inhibitor_options& options) const {
    return {options, {score_scale.data(), shift.data(), output_scale.data()}};
  }

  /// The reference in double, head by head. `problem` brings scoring, aggregation and centering.
  results expected(reference::attention_problem problem) const {
    const index_t L = shape.queries, S = shape.keys, D = shape.head_size, Dv = shape.value_size;
    problem.queries = L;
    problem.keys = S;
    problem.head_size = D;
    problem.value_size = Dv;
    results all;
    all.dscalars.assign(static_cast<std::size_t>(3 * shape.heads), 0.0);
    const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    for (index_t b = 0; b < shape.batch; ++b) {
      std::vector<std::uint8_t> attend(static_cast<std::size_t>(L * S), 1);
      for (index_t i = 0; i < L; ++i) {
        for (index_t j = 0; j < S; ++j) {
          const bool keep =
              (key_mask.empty() || key_mask[static_cast<std::size_t>(b * S + j)] != 0) && (!causal || j <= i + S - L);
          attend[static_cast<std::size_t>(i * S + j)] = keep ? 1 : 0;
        }
      }
      problem.attend = attend.data();
      for (index_t h = 0; h < shape.heads; ++h) {
        const auto x = static_cast<std::size_t>(h);
        const bool plain = problem.score == reference::scoring::dot_product;
        const reference::attention_scalars<double> scalars =
            plain ? reference::attention_scalars<double>{}
                  : reference::attention_scalars<double>{static_cast<double>(score_scale[x]),
                                                         static_cast<double>(shift[x]),
                                                         static_cast<double>(output_scale[x])};
        const auto qh = gather(q, L, D, b, h), kh = gather(k, S, D, b, h), vh = gather(v, S, Dv, b, h);
        const auto gh = gather(dout, L, Dv, b, h);
        std::vector<double> out(static_cast<std::size_t>(L * Dv)), dq(static_cast<std::size_t>(L * D));
        std::vector<double> dk(static_cast<std::size_t>(S * D)), dv(static_cast<std::size_t>(S * Dv));
        reference::attention_scalars<double> d{0, 0, 0};
        reference::attention_forward(out.data(), qh.data(), kh.data(), vh.data(), scalars, problem);
        reference::attention_backward(dq.data(), dk.data(), dv.data(), d, gh.data(), qh.data(), kh.data(), vh.data(),
                                      scalars, problem);
        append(all.out, out);
        append(all.dq, dq);
        append(all.dk, dk);
        append(all.dv, dv);
        if (!plain) {
          all.dscalars[x] += d.score_scale;
          all.dscalars[x + static_cast<std::size_t>(shape.heads)] += d.shift;
          all.dscalars[x + 2 * static_cast<std::size_t>(shape.heads)] += d.output_scale;
        }
      }
    }
    return all;
  }
};

}  // namespace test
}  // namespace inhibitor
