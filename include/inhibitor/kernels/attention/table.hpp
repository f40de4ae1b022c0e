// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/append.hpp"
#include "inhibitor/kernels/attention/backward.hpp"
#include "inhibitor/kernels/attention/policies.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"

// The float kernels of one instruction set as plain function pointers: what the attention level calls, so that it is
// compiled once for all instruction sets. A call compiled for one instruction set takes the kernels it names, one by
// one; a choice at run time takes them from the table that holds all of forward_policies.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

template <class Isa, class T>
index_t forward_size(index_t queries, index_t scored, index_t head_size, index_t value_size) {
  return forward_scratch<Isa, T>(nullptr, queries, scored, head_size, value_size).size;
}
/// Of the aggregation with the most scratch.
template <class Isa, class T>
index_t backward_size(index_t queries, index_t scored, index_t head_size, index_t value_size) {
  return backward_scratch<Isa, T, signed_relu>(nullptr, queries, scored, head_size, value_size).size;
}
template <class Isa, class T>
index_t cached_size(index_t queries, index_t scored, index_t head_size, index_t value_size) {
  const index_t padded = round_up(scored, append_block<Isa, T>);
  return tile_scratch<Isa, T>(nullptr, queries, padded, head_size, value_size).size;
}
template <class Isa, class T>
index_t appendable_size(index_t capacity, index_t head_size, index_t value_size) {
  return appendable_head<Isa, T>(nullptr, capacity, head_size, value_size).size;
}

template <class Isa, class T>
void append_row_at(T* head, index_t capacity, index_t j, const T* key, index_t head_size, const T* value,
                   index_t value_size) {
  append_row<Isa, T>({head, capacity, head_size, value_size}, j, key, head_size, value, value_size);
}
template <class Isa, class T>
void copy_rows_at(T* to, index_t to_capacity, const T* from, index_t from_capacity, index_t length, index_t head_size,
                  index_t value_size) {
  copy_rows_of_head<Isa, T>({to, to_capacity, head_size, value_size},
                            {const_cast<T*>(from), from_capacity, head_size, value_size}, length, head_size,
                            value_size);
}
template <class Isa, class T, class Score, class Aggregate>
void attention_forward_cached(T* out, index_t out_stride, const head_inputs<T>& in, const T* head, index_t capacity,
                              const weight_options<T>& options, T* memory) {
  const appendable_head<Isa, T> cache(const_cast<T*>(head), capacity, in.head_size, in.value_size);
  const index_t padded = round_up(in.scored, append_block<Isa, T>);
  attention_forward_packed<Isa, T, Score, Aggregate>(
      out, out_stride, in, cache.packed(in.scored), options,
      tile_scratch<Isa, T>(memory, in.queries, padded, in.head_size, in.value_size));
}

template <class Isa, class T>
inline constexpr boundary::head_layout<T> head_layout_of = {
    forward_size<Isa, T>,    backward_size<Isa, T>, cached_size<Isa, T>,  append_block<Isa, T>,
    appendable_size<Isa, T>, append_row_at<Isa, T>, copy_rows_at<Isa, T>,
};

template <class Isa, class T, class... Score, class... Aggregate, class... BackwardScore, class... BackwardAggregate>
constexpr boundary::attention_table<T> list_attention_kernels(
    policy_list<policy_pair<Score, Aggregate>...>, policy_list<policy_pair<BackwardScore, BackwardAggregate>...>) {
  return {head_layout_of<Isa, T>,
          {attention_forward<Isa, T, Score, Aggregate>...},
          {attention_forward_cached<Isa, T, Score, Aggregate>...},
          {attention_backward<Isa, T, BackwardScore, BackwardAggregate>...}};
}

/// Everything, for a choice at run time.
template <class Isa, class T>
inline constexpr boundary::attention_table<T> attention_table_of = list_attention_kernels<Isa, T>(forward_policies(),
                                                                                                  backward_policies());

/// The table chosen at run time.
template <class T>
const boundary::attention_table<T>& active_attention() {
  if constexpr (std::is_same_v<T, float>) {
    return active_tables().floats->attention_f32;
  } else {
    return active_tables().floats->attention_f64;
  }
}

/// What calls on `Isa` use, an instruction set of this translation unit or the choice at run time.
template <class Isa, class T>
const boundary::head_layout<T>& layout_kernels() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_attention<T>().layout;
  } else {
    return head_layout_of<compiled_for<Isa>, T>;
  }
}
template <class Isa, class T, class Score, class Aggregate>
boundary::forward_kernel<T> forward_kernel() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_attention<T>().forward[forward_policies::index<policy_pair<Score, Aggregate>>()];
  } else {
    return attention_forward<compiled_for<Isa>, T, Score, Aggregate>;
  }
}
template <class Isa, class T, class Score, class Aggregate>
boundary::cached_kernel<T> cached_kernel() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_attention<T>().cached[forward_policies::index<policy_pair<Score, Aggregate>>()];
  } else {
    return attention_forward_cached<compiled_for<Isa>, T, Score, Aggregate>;
  }
}
template <class Isa, class T, class Score, class Aggregate>
boundary::backward_kernel<T> backward_kernel() {
  if constexpr (is_chosen_at_run_time<Isa>) {
    return active_attention<T>().backward[backward_policies::index<policy_pair<Score, Aggregate>>()];
  } else {
    return attention_backward<compiled_for<Isa>, T, Score, Aggregate>;
  }
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
