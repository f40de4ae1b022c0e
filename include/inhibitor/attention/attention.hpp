// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

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

/// Row-major matrix of run-time size. Not aligned beyond what malloc gives: Eigen's alignment depends on the compiler
/// flags, and memory that one part of a program allocated could not be freed by another. Kernels read any address.
template <class T>
using row_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

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

namespace driver {

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

template <class A, class B>
void check_same_shape(const char* what, const Eigen::DenseBase<A>& a, const char* expected,
                      const Eigen::DenseBase<B>& b) {
  check(a.rows() == b.rows() && a.cols() == b.cols(), [&] {
    return format_message("attention: %s is (%td, %td), but %s is (%td, %td)", what, a.rows(), a.cols(), expected,
                          b.rows(), b.cols());
  });
}

template <class Q, class K, class V>
attention_shape shape_of_call(const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k,
                              const Eigen::DenseBase<V>& v) {
  check(q.cols() == k.cols(), [&] {
    return format_message("attention: queries (%td, %td) and keys (%td, %td) must have as many columns (head size)",
                          q.rows(), q.cols(), k.rows(), k.cols());
  });
  check(k.rows() == v.rows(), [&] {
    return format_message("attention: keys (%td, %td) and values (%td, %td) must have as many rows", k.rows(), k.cols(),
                          v.rows(), v.cols());
  });
  return {1, 1, q.rows(), k.rows(), q.cols(), v.cols()};
}

template <class Out, class Q, class V>
void check_output(const char* what, const Eigen::DenseBase<Out>& out, const Eigen::DenseBase<Q>& q,
                  const Eigen::DenseBase<V>& v) {
  check(out.rows() == q.rows() && out.cols() == v.cols(), [&] {
    return format_message("attention: %s is (%td, %td), but queries (%td, %td) and values (%td, %td) need (%td, %td)",
                          what, out.rows(), out.cols(), q.rows(), q.cols(), v.rows(), v.cols(), q.rows(), v.cols());
  });
}

}  // namespace driver

/// out (L, Dv) = attention of q (L, D), k (S, D), v (S, Dv); overwritten, not resized, not overlapping the inputs.
/// Throws std::invalid_argument naming both shapes when they do not fit; allocates only while `workspace` grows.
template <class Out, class Q, class K, class V>
void attention_forward(const Eigen::DenseBase<Out>& out, const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k,
                       const Eigen::DenseBase<V>& v, const attention_parameters<typename Q::Scalar>& parameters,
                       attention_workspace& workspace) {
  using T = typename Q::Scalar;
  const attention_shape shape = driver::shape_of_call(q, k, v);
  driver::check_output("the output", out, q, v);
  const inhibitor_attention<T> mechanism{parameters.options,
                                         {&parameters.score_scale, &parameters.shift, &parameters.output_scale}};
  multi_head_attention_forward<T>(driver::view_of<T>(out), driver::view_of<const T>(q), driver::view_of<const T>(k),
                                  driver::view_of<const T>(v), shape, parameters.mask, mechanism, workspace, {});
}

/// Adds the gradients of <dout, out> to dq (L, D), dk (S, D), dv (S, Dv) and dscalars; dout (L, Dv). Errors and
/// allocation as in attention_forward.
template <class DQ, class DK, class DV, class DOut, class Q, class K, class V>
void attention_backward(const Eigen::DenseBase<DQ>& dq, const Eigen::DenseBase<DK>& dk, const Eigen::DenseBase<DV>& dv,
                        attention_scalar_gradients<typename Q::Scalar>& dscalars, const Eigen::DenseBase<DOut>& dout,
                        const Eigen::DenseBase<Q>& q, const Eigen::DenseBase<K>& k, const Eigen::DenseBase<V>& v,
                        const attention_parameters<typename Q::Scalar>& parameters, attention_workspace& workspace) {
  using T = typename Q::Scalar;
  const attention_shape shape = driver::shape_of_call(q, k, v);
  driver::check_output("the output gradient", dout, q, v);
  driver::check_same_shape("the query gradient", dq, "the query matrix", q);
  driver::check_same_shape("the key gradient", dk, "the key matrix", k);
  driver::check_same_shape("the value gradient", dv, "the value matrix", v);
  const inhibitor_attention<T> mechanism{parameters.options,
                                         {&parameters.score_scale, &parameters.shift, &parameters.output_scale}};
  multi_head_attention_backward<T>(driver::view_of<T>(dq), driver::view_of<T>(dk), driver::view_of<T>(dv),
                                   {&dscalars.score_scale, &dscalars.shift, &dscalars.output_scale},
                                   driver::view_of<const T>(dout), driver::view_of<const T>(q),
                                   driver::view_of<const T>(k), driver::view_of<const T>(v), shape, parameters.mask,
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
