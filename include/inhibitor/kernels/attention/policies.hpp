// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/add_only.hpp"
#include "inhibitor/kernels/attention/scores.hpp"
#include "inhibitor/kernels/attention/skip.hpp"

// Which scoring and aggregation policies are compiled per instruction set: the numbers of the kernels in
// boundary::attention_table. A mechanism that calls can name needs its policies here.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Policies of one kernel.
template <class Score, class Aggregate>
struct policy_pair {};

template <class... Pairs>
struct policy_list {
  static constexpr int size = sizeof...(Pairs);
  /// Number of a pair in the list.
  template <class Pair>
  static constexpr int index() {
    constexpr bool is_it[] = {std::is_same_v<Pair, Pairs>...};
    int i = 0;
    while (!is_it[i]) ++i;  // beyond the list: not a constant, hence an error at the call
    return i;
  }
};

using forward_policies = policy_list<   //
    policy_pair<dot_product, softmax>,  //
    policy_pair<manhattan_by_max, signed_relu>, policy_pair<manhattan_by_max, unsigned_relu>,
    policy_pair<manhattan_by_max, skipping<signed_relu>>, policy_pair<manhattan_by_max, skipping<unsigned_relu>>,
    policy_pair<manhattan_by_max, add_only<signed_relu, true>>,
    policy_pair<manhattan_by_max, add_only<signed_relu, false>>,
    policy_pair<manhattan_by_max, add_only<unsigned_relu, true>>,
    policy_pair<manhattan_by_max, add_only<unsigned_relu, false>>,
    policy_pair<manhattan_by_max, skipping<add_only<signed_relu, true>>>,
    policy_pair<manhattan_by_max, skipping<add_only<signed_relu, false>>>,
    policy_pair<manhattan_by_max, skipping<add_only<unsigned_relu, true>>>,
    policy_pair<manhattan_by_max, skipping<add_only<unsigned_relu, false>>>>;
static_assert(forward_policies::size == boundary::forward_kernels);

using backward_policies = policy_list<policy_pair<dot_product, softmax>, policy_pair<manhattan_by_max, signed_relu>,
                                      policy_pair<manhattan_by_max, unsigned_relu>>;
static_assert(backward_policies::size == boundary::backward_kernels);

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
