// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>

#include "inhibitor/base/aligned_buffer.hpp"
#include "inhibitor/nn/tensor.hpp"

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// A model with its numbers: the tensors of `Model`, views in `visit` order into one buffer without gaps. The same type
/// holds parameters, gradients and optimizer moments; copying copies the numbers. Model has visit(f), calling f(name,
/// tensor&) in a fixed order, and may be copied.
template <class T, class Model>
class parameters : public Model {
 public:
  parameters() = default;
  /// The constructors of Model; all numbers are zero.
  using Model::Model;
  parameters(const parameters& other) : Model(other), values_(other.values_) { place(values_); }
  parameters(parameters&&) noexcept = default;
  parameters& operator=(const parameters& other) { return *this = parameters(other); }
  parameters& operator=(parameters&&) noexcept = default;

  /// The whole buffer as one flat array.
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  index_t size() const { return values_.size(); }
  void fill_zero() { values_.fill_zero(); }

  /// Calls f(name, tensor&) for every tensor.
  template <class Visitor>
  void visit(Visitor&& f) {
    Model::visit(f);
  }
  /// As above for reading: f(name, const tensor<const T>&).
  template <class Visitor>
  void visit(Visitor&& f) const {
    const_cast<parameters*>(this)->visit([&](const std::string& name, tensor<T>& t) {
      const tensor<const T> read_only = t;
      f(name, read_only);
    });
  }

 private:
  aligned_buffer<T> zeros() {
    index_t total = 0;
    Model::visit([&](const std::string&, tensor<T>& t) { total += t.size(); });
    aligned_buffer<T> values(total);
    place(values);
    return values;
  }
  void place(aligned_buffer<T>& values) {
    T* next = values.data();
    Model::visit([&](const std::string&, tensor<T>& t) {
      t.data = next;
      next += t.size();
    });
  }

  aligned_buffer<T> values_ = zeros();
};

/// Numbers for new models: the same seed gives the same on every platform, as the standard library's distributions do
/// not.
class initial_numbers {
 public:
  explicit initial_numbers(std::uint64_t seed) : bits_(seed) {}

  /// Uniform in (0, 1).
  double uniform() { return (static_cast<double>(bits_() >> 11) + 0.5) * 0x1p-53; }
  /// Normal with mean 0 and this standard deviation: Box-Muller, one value of the pair.
  double normal(double deviation) {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return deviation * radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  std::mt19937_64 bits_;
};

/// Initial values as Hugging Face's DistilBERT draws them: tensors of rank 2 normal with standard deviation
/// `deviation`, the others as they say of themselves (tensor::initial).
template <class T, class Model>
void draw_initial_values(parameters<T, Model>& p, double deviation, std::uint64_t seed) {
  initial_numbers numbers(seed);
  p.visit([&](const std::string&, tensor<T>& t) {
    if (t.rank == 1) {
      std::fill_n(t.data, t.size(), static_cast<T>(t.initial));
      return;
    }
    for (index_t i = 0; i < t.size(); ++i) t.data[i] = static_cast<T>(numbers.normal(deviation));
  });
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
