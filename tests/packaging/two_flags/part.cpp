// SPDX-License-Identifier: Apache-2.0
// One part of a program whose parts are compiled with different flags: every public way to call attention, on fixed
// numbers. INHIBITOR_PART names the function. Only plain arrays: what this file used of the standard library would be
// shared between the parts, and that would be this file's doing.
#include "parts.hpp"

#include "inhibitor/attention/add_only.hpp"
#include "inhibitor/attention/attention.hpp"
#include "inhibitor/attention/growing_kv_cache.hpp"
#include "inhibitor/attention/raw.hpp"
#include "inhibitor/attention/u8/kv_cache.hpp"
#include "inhibitor/attention/u8/packed_key_values.hpp"
#include "inhibitor/attention/u8/raw.hpp"

namespace {

using namespace inhibitor;

constexpr index_t L = 33, S = 65, D = 40, Dv = 24;

template <class T>
struct problem {
  T q[L * D], k[S * D], v[S * Dv], out[L * Dv], dq[L * D], dk[S * D], dv[S * Dv], d[3];
  unsigned char key_mask[S];
  T scale = T(1), shift = T(0.5);
  inhibitor_attention<T> mechanism{{}, {&scale, &shift, &scale}};
  attention_mask mask{key_mask, true, {}};
  attention_shape shape{1, 1, L, S, D, Dv};

  problem() {
    for (int i = 0; i < L * D; ++i) q[i] = static_cast<T>((i * 37) % 101) / T(50) - T(1);
    for (int i = 0; i < S * D; ++i) k[i] = static_cast<T>((i * 53) % 103) / T(50) - T(1);
    for (int i = 0; i < S * Dv; ++i) v[i] = static_cast<T>((i * 29) % 97) / T(50) - T(1);
    for (int i = 0; i < S; ++i) key_mask[i] = i == 3 ? 0 : 1;
    clear();
  }
  void clear() {
    for (T& x : out) x = T(0);
    for (T& x : dq) x = T(0);
    for (T& x : dk) x = T(0);
    for (T& x : dv) x = T(0);
    for (T& x : d) x = T(0);
  }
  heads_view<const T> q_in() const { return {q, L * D, D, D}; }
  heads_view<const T> k_in() const { return {k, S * D, D, D}; }
  heads_view<const T> v_in() const { return {v, S * Dv, Dv, Dv}; }
  heads_view<T> result() { return {out, L * Dv, Dv, Dv}; }
  heads_view<const T> dout() const { return {v, L * Dv, Dv, Dv}; }
  double forward_sum() const {
    double sum = 0;
    for (int i = 0; i < L * Dv; ++i) sum += static_cast<double>(out[i]) * (i % 7 + 1);
    return sum;
  }
  double backward_sum() const {
    double sum = static_cast<double>(d[0]) + static_cast<double>(d[1]) + static_cast<double>(d[2]);
    for (int i = 0; i < L * D; ++i) sum += static_cast<double>(dq[i]) * (i % 7 + 1);
    for (int i = 0; i < S * D; ++i) sum += static_cast<double>(dk[i]) * (i % 5 + 1);
    for (int i = 0; i < S * Dv; ++i) sum += static_cast<double>(dv[i]) * (i % 3 + 1);
    return sum;
  }
};

alignas(64) unsigned char memory[1 << 20], cached[1 << 20];
constexpr index_t bytes = sizeof(memory);

template <class T>
void float_calls(double*& to, bool everything) {
  static problem<T> p;
  attention_workspace workspace;
  const auto add = [&](bool ok) {
    *to++ = ok ? p.forward_sum() : -1e9;
    p.clear();
  };
  const auto add_backward = [&](bool ok) {
    *to++ = ok ? p.backward_sum() : -1e9;
    p.clear();
  };
  const auto ok = attention_status::ok;
  const inhibitor_scalars<T> d{p.d, p.d + 1, p.d + 2};
  const dot_product_attention<T> dot{};
  const add_only_inhibitor_attention<T> add_only{centering::attended_keys, true, true, &p.shift};
  add(try_multi_head_attention_forward<T>(p.result(), p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, p.mechanism,
                                          memory, bytes, {}) == ok);
  add_backward(try_multi_head_attention_backward<T>({p.dq, 0, D, D}, {p.dk, 0, D, D}, {p.dv, 0, Dv, Dv}, d, p.dout(),
                                                    p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, p.mechanism, memory,
                                                    bytes, {}) == ok);
  if (everything) {
    multi_head_attention_forward<T>(p.result(), p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, dot, workspace, {});
    add(true);
  } else {
    *to++ = left_out;
  }
  multi_head_attention_forward<T>(p.result(), p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, add_only, workspace, {});
  add(true);
  if (everything) {
    multi_head_attention_backward<T>({p.dq, 0, D, D}, {p.dk, 0, D, D}, {p.dv, 0, Dv, Dv}, p.dout(), p.q_in(), p.k_in(),
                                     p.v_in(), p.shape, p.mask, dot, workspace, {});
    add_backward(true);
  } else {
    *to++ = left_out;
  }
  const cache_extents extents{1, D, Dv};
  kv_cache<T> cache(extents, cached, S);
  add(cache.append(p.k_in(), p.v_in(), S) == ok &&
      try_cached_attention_forward<T>(p.result(), p.q_in(), &cache, p.shape, {nullptr, true, {}}, p.mechanism, memory,
                                      bytes, {}) == ok);
  growing_kv_cache<kv_cache<T>> growing(1, extents);
  growing.template append<T>(0, p.k_in(), p.v_in(), S);
  cached_attention_forward<T>(p.result(), p.q_in(), growing, p.shape, {nullptr, true, {}}, p.mechanism, workspace, {});
  add(true);
  // Errors come from other functions than results.
  attention_shape wrong = p.shape;
  wrong.kv_heads = 3;
  int caught = 0;
  try {
    multi_head_attention_forward<T>(p.result(), p.q_in(), p.k_in(), p.v_in(), wrong, p.mask, dot, workspace, {});
  } catch (const std::invalid_argument&) {
    ++caught;
  }
  *to++ = caught;
}

void byte_calls(double*& to) {
  static problem<float> p;
  static std::int32_t integers[L * Dv];
  float scales[1] = {0};
  attention_workspace workspace;
  const auto add = [&](bool ok) {
    *to++ = ok ? p.forward_sum() : -1e9;
    p.clear();
  };
  const auto ok = attention_status::ok;
  add(u8::try_multi_head_attention_forward(p.result(), p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, p.mechanism,
                                           memory, bytes, {}) == ok);
  u8::multi_head_attention_forward(p.result(), p.q_in(), p.k_in(), p.v_in(), p.shape, p.mask, p.mechanism, workspace,
                                   {});
  add(true);
  u8::multi_head_attention_forward_integers({integers, L * Dv, Dv, Dv}, scales, p.q_in(), p.k_in(), p.v_in(), p.shape,
                                            p.mask, p.mechanism, workspace, {});
  double sum = 0;
  for (int i = 0; i < L * Dv; ++i) sum += integers[i] * (i % 7 + 1);
  *to++ = sum;
  u8::packed_key_values packed;
  packed.pack(p.k_in(), p.v_in(), p.shape, p.mask, p.mechanism.options, nullptr, {});
  u8::packed_attention_forward(p.result(), p.q_in(), packed, p.shape, p.mask, p.mechanism, workspace, {});
  add(true);
  const float range = 1.1F;
  const cache_extents extents{1, D, Dv};
  u8::kv_cache cache(extents, cached, S, &range, &range, true);
  add(cache.append(p.k_in(), p.v_in(), S) == ok &&
      u8::try_cached_attention_forward(p.result(), p.q_in(), &cache, p.shape, {nullptr, true, {}}, p.mechanism, memory,
                                       bytes, {}) == ok);
  growing_kv_cache<u8::kv_cache> growing(1, extents, &range, &range, true);
  growing.append<float>(0, p.k_in(), p.v_in(), S);
  u8::cached_attention_forward(p.result(), p.q_in(), growing, p.shape, {nullptr, true, {}}, p.mechanism, workspace, {});
  add(true);
}

template <class T>
void eigen_calls(double*& to) {
  static problem<T> p;
  using map = Eigen::Map<row_matrix<T>>;
  using input = Eigen::Map<const row_matrix<T>>;
  attention_workspace workspace;
  attention_parameters<T> parameters;
  parameters.mask = p.mask;
  map out(p.out, L, Dv), dq(p.dq, L, D), dk(p.dk, S, D), dv(p.dv, S, Dv);
  const input q(p.q, L, D), k(p.k, S, D), v(p.v, S, Dv), dout(p.v, L, Dv);
  attention_forward(out, q, k, v, parameters, workspace);
  *to++ = p.forward_sum();
  attention_scalar_gradients<T> d;
  attention_backward(dq, dk, dv, d, dout, q, k, v, parameters, workspace);
  *to++ = p.backward_sum();
  int caught = 0;
  try {
    attention_forward(out, q, v, k, parameters, workspace);
  } catch (const std::invalid_argument&) {
    ++caught;
  }
  *to++ = caught;
}

/// A matrix that the library makes: Eigen's own code allocates it.
template <class T>
void eigen_result(double*& to) {
  static problem<T> p;
  using input = Eigen::Map<const row_matrix<T>>;
  const row_matrix<T> out = attention(input(p.q, L, D), input(p.k, S, D), input(p.v, S, Dv));
  double sum = 0;
  for (int i = 0; i < L * Dv; ++i) sum += static_cast<double>(out.data()[i]) * (i % 7 + 1);
  *to++ = sum;
}

}  // namespace

int INHIBITOR_PART(double* results, bool everything) {
  double* to = results;
  float_calls<float>(to, true);
  float_calls<double>(to, everything);
  byte_calls(to);
  eigen_calls<float>(to);
  eigen_calls<double>(to);
  if (everything) {
    eigen_result<float>(to);
    eigen_result<double>(to);
  }
  return static_cast<int>(to - results);
}
