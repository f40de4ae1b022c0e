// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>
#include <string>

#include "inhibitor/attention/multi_head.hpp"

// Inhibitor attention of one head on Eigen matrices:
//
//   row_matrix<float> q, k, v;                          // (L, D), (S, D), (S, Dv)
//   row_matrix<float> out = attention(q, k, v, {});     // (L, Dv)
//
// Arguments are row-major matrices, maps or blocks of them, with consecutive elements in a row; they are read in place.
// Anything else (column-major, transposed, an unevaluated expression) does not compile rather than being copied.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Row-major matrix of run-time size.
template <class T>
using row_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Parameters of one head. The defaults are the start values of the mechanism's published code.
template <class T>
struct attention_parameters {
  T score_scale = T(1);   ///< gamma: scores are gamma / sqrt(D) * |q - k|_1, centered as `options` says
  T shift = T(0.5);       ///< delta, added to the scores before max(., 0)
  T output_scale = T(1);  ///< eta
  inhibitor_options options;
  attention_mask mask;  ///< key_mask (S), attend (L, S) by its row stride
};

/// Gradients of the three scalars of one head.
template <class T>
struct attention_scalar_gradients {
  T score_scale = T(0), shift = T(0), output_scale = T(0);
};

namespace detail {

/// `matrix` as a single-head view, with the compile-time layout checks.
template <class T, class Derived>
heads_view<T> view_of(const Eigen::DenseBase<Derived>& matrix) {
  static_assert(std::is_same_v<std::remove_const_t<T>, typename Derived::Scalar>,
                "attention: all matrices must have the same element type");
  static_assert((static_cast<unsigned>(Derived::Flags) & static_cast<unsigned>(Eigen::DirectAccessBit)) != 0,
                "attention: pass a matrix, map or block; call .eval() on an expression");
  static_assert(bool(Derived::IsRowMajor), "attention: matrices must be row-major (see inhibitor::row_matrix)");
  static_assert(static_cast<int>(Derived::InnerStrideAtCompileTime) == 1,
                "attention: the elements of a row must be consecutive in memory");
  auto& derived = matrix.const_cast_derived();
  return {const_cast<T*>(derived.data()), 0, derived.outerStride(), 0};
}

template <class Derived>
std::string shape_of(const Eigen::DenseBase<Derived>& m) {
  return "(" + std::to_string(m.rows()) + ", " + std::to_string(m.cols()) + ")";
}

template <class A, class B>
void check_same_shape(const char* what, const Eigen::DenseBase<A>& a, const char* expected,
                      const Eigen::DenseBase<B>& b) {
  check(a.rows() == b.rows() && a.cols() == b.cols(), [&] {
    return std::string("attention: ") + what + " is " + shape_of(a) + ", but " + expected + " is " + shape_of(b);
  });
}

template <class Q, class K, class V>
attention_shape shape_of_call(const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k,
                              const Eigen::DenseBase<V>& v) {
  check(q.cols() == k.cols(), [&] {
    return "attention: queries " + shape_of(q) + " and keys " + shape_of(k) + " must have as many columns (head size)";
  });
  check(k.rows() == v.rows(),
        [&] { return "attention: keys " + shape_of(k) + " and values " + shape_of(v) + " must have as many rows"; });
  return {1, 1, q.rows(), k.rows(), q.cols(), v.cols()};
}

template <class Out, class Q, class V>
void check_output(const char* what, const Eigen::DenseBase<Out>& out, const Eigen::DenseBase<Q>& q,
                  const Eigen::DenseBase<V>& v) {
  check(out.rows() == q.rows() && out.cols() == v.cols(), [&] {
    return std::string("attention: ") + what + " is " + shape_of(out) + ", but queries " + shape_of(q) +
           " and values " + shape_of(v) + " need (" + std::to_string(q.rows()) + ", " + std::to_string(v.cols()) + ")";
  });
}

}  // namespace detail

/// out (L, Dv) = attention of q (L, D), k (S, D), v (S, Dv); overwritten, not resized, not overlapping the inputs.
/// Throws std::invalid_argument naming both shapes when they do not fit; allocates only while `workspace` grows.
template <class Out, class Q, class K, class V>
void attention_forward(const Eigen::DenseBase<Out>& out, const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k,
                       const Eigen::DenseBase<V>& v, const attention_parameters<typename Q::Scalar>& parameters,
                       attention_workspace& workspace) {
  using T = typename Q::Scalar;
  const attention_shape shape = detail::shape_of_call(q, k, v);
  detail::check_output("the output", out, q, v);
  const inhibitor_attention<T> mechanism{parameters.options,
                                         {&parameters.score_scale, &parameters.shift, &parameters.output_scale}};
  multi_head_attention_forward<T>(detail::view_of<T>(out), detail::view_of<const T>(q), detail::view_of<const T>(k),
                                  detail::view_of<const T>(v), shape, parameters.mask, mechanism, workspace, {});
}

/// Adds the gradients of <dout, out> to dq (L, D), dk (S, D), dv (S, Dv) and dscalars; dout (L, Dv). Errors and
/// allocation as in attention_forward.
template <class DQ, class DK, class DV, class DOut, class Q, class K, class V>
void attention_backward(const Eigen::DenseBase<DQ>& dq, const Eigen::DenseBase<DK>& dk, const Eigen::DenseBase<DV>& dv,
                        attention_scalar_gradients<typename Q::Scalar>& dscalars, const Eigen::DenseBase<DOut>& dout,
                        const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k, const Eigen::DenseBase<V>& v,
                        const attention_parameters<typename Q::Scalar>& parameters, attention_workspace& workspace) {
  using T = typename Q::Scalar;
  const attention_shape shape = detail::shape_of_call(q, k, v);
  detail::check_output("the output gradient", dout, q, v);
  detail::check_same_shape("the query gradient", dq, "the query matrix", q);
  detail::check_same_shape("the key gradient", dk, "the key matrix", k);
  detail::check_same_shape("the value gradient", dv, "the value matrix", v);
  const inhibitor_attention<T> mechanism{parameters.options,
                                         {&parameters.score_scale, &parameters.shift, &parameters.output_scale}};
  multi_head_attention_backward<T>(detail::view_of<T>(dq), detail::view_of<T>(dk), detail::view_of<T>(dv),
                                   {&dscalars.score_scale, &dscalars.shift, &dscalars.output_scale},
                                   detail::view_of<const T>(dout), detail::view_of<const T>(q),
                                   detail::view_of<const T>(k), detail::view_of<const T>(v), shape, parameters.mask,
                                   mechanism, workspace, {});
}

/// The same as attention_forward into a new matrix. Allocates the result and scratch memory.
template <class Q, class K, class V>
row_matrix<typename Q::Scalar> attention(const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k,
                                         const Eigen::DenseBase<V>& v,
                                         const attention_parameters<typename Q::Scalar>& parameters = {}) {
  row_matrix<typename Q::Scalar> out(q.rows(), v.cols());
  attention_workspace workspace;
  attention_forward(out, q, k, v, parameters, workspace);
  return out;
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
