// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include "inhibitor/base/config.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// Row-major matrices of Eigen on the caller's memory, any address, rows `OuterStride` numbers apart.
template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using strided_map = Eigen::Map<row_major<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using strided_const_map = Eigen::Map<const row_major<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
