// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inhibitor/kernels/attention/pack.hpp"
#include "inhibitor/kernels/attention/packed_head.hpp"
#include "inhibitor/kernels/scratch.hpp"

// Packed keys and values of one head to which rows are added one at a time, for decoding. The layouts are those of
// pack.hpp with keys in blocks of full width alone, so that a row never moves once it is written: adding one costs its
// own numbers, and attention_forward_packed reads the rest as it lies. Sums run in the order of the packing functions,
// hence a head filled row by row gives the bits of one packed at once. Neither allocates nor throws.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {
namespace kernels {

/// Keys of a block: capacities are multiples of it.
template <class Isa, class T>
inline constexpr index_t append_block = register_tile<Isa>::vectors* lanes<Isa, T>;

/// Memory of one head; 64-byte aligned.
template <class Isa, class T>
struct appendable_head {
  T *keys, *key_sums, *values, *value_sum;
  index_t size;  ///< numbers of all four

  /// Lays out `memory` (null: measures) for `capacity` keys, a multiple of append_block.
  appendable_head(T* memory, index_t capacity, index_t head_size, index_t value_size) {
    scratch_cursor<T> cursor(memory);
    keys = cursor.take(capacity * head_size);
    key_sums = cursor.take(capacity);
    values = cursor.take(packed_rows_size<Isa, T>(capacity, value_size));
    value_sum = cursor.take(round_up(value_size, lanes<Isa, T>));
    size = cursor.used();
  }

  packed_head<T> packed(index_t length) const {
    packed_head<T> p{};
    p.keys = keys;
    p.key_sums = key_sums;
    p.values = values;
    p.packed_keys = round_up(length, append_block<Isa, T>);
    p.value_sum = value_sum;
    p.summed = length;
    return p;
  }
};

/// Writes key j (D) and value j (Dv) behind those already there.
template <class Isa, class T>
void append_row(const appendable_head<Isa, T>& head, index_t j, const T* key, index_t head_size, const T* value,
                index_t value_size) {
  constexpr index_t block = append_block<Isa, T>;
  const index_t wide = round_up(value_size, lanes<Isa, T>), lane = j % block;
  T* keys = head.keys + (j - lane) * head_size;
  for (index_t i = 0; i < block * head_size && lane == 0; ++i) keys[i] = T(0);
  for (index_t i = 0; i < block && lane == 0; ++i) head.key_sums[j + i] = T(0);
  T sum(0);
  for (index_t x = 0; x < head_size; ++x) {
    keys[x * block + lane] = key[x];
    sum += key[x];
  }
  head.key_sums[j] = sum;
  T* row = head.values + j * wide;
  for (index_t x = 0; x < wide; ++x) {
    row[x] = x < value_size ? value[x] : T(0);
    head.value_sum[x] = (j == 0 ? T(0) : head.value_sum[x]) + row[x];
  }
}

/// Copies the first `length` rows to a head of another capacity.
template <class Isa, class T>
void copy_rows_of_head(const appendable_head<Isa, T>& to, const appendable_head<Isa, T>& from, index_t length,
                       index_t head_size, index_t value_size) {
  const index_t padded = round_up(length, append_block<Isa, T>), wide = round_up(value_size, lanes<Isa, T>);
  for (index_t i = 0; i < padded * head_size; ++i) to.keys[i] = from.keys[i];
  for (index_t i = 0; i < padded; ++i) to.key_sums[i] = from.key_sums[i];
  for (index_t i = 0; i < length * wide; ++i) to.values[i] = from.values[i];
  for (index_t x = 0; x < wide && length > 0; ++x) to.value_sum[x] = from.value_sum[x];
}

}  // namespace kernels
}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
