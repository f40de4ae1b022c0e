// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "inhibitor/io/safetensors.hpp"
#include "inhibitor/models/bert/model.hpp"
#include "inhibitor/models/bert/tensor_names.hpp"
#include "support/catch.hpp"
#include "support/tolerance.hpp"

// Stored numbers to compare with: files of tests/golden (written by make_golden.py there) and other safetensors files.

namespace inhibitor {
namespace test {

/// A safetensors file whose tensors must be there: a missing one fails the test with its name.
class golden_file {
 public:
  explicit golden_file(const std::string& path) : file_(safetensors_file::read(path)) {}

  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  const std::vector<tensor_info>& tensors() const { return file_.tensors(); }

  index_t extent(const std::string& name, std::size_t dimension) const {
    return static_cast<index_t>(info(name).shape.at(dimension));
  }

  template <class T>
  std::vector<T> values(const std::string& name) const {
    std::vector<T> result(static_cast<std::size_t>(info(name).elements()));
    file_.copy_to(info(name), result.data());
    return result;
  }

  /// Integers as the type the library wants (ids, labels, masks).
  template <class Integer>
  std::vector<Integer> integers(const std::string& name) const {
    const auto wide = values<std::int64_t>(name);
    std::vector<Integer> result;
    for (const std::int64_t x : wide) result.push_back(static_cast<Integer>(x));
    return result;
  }

  double scalar(const std::string& name) const { return values<double>(name).at(0); }

 private:
  const tensor_info& info(const std::string& name) const {
    const tensor_info* found = file_.find(name);
    if (found == nullptr) FAIL(file_.path() << " has no tensor " << name);
    return *found;
  }

  safetensors_file file_;
};

/// Gradients that are zero in exact arithmetic (the key bias under softmax) are rounding noise: below this size a
/// tensor is compared in absolute terms.
constexpr double gradient_floor = 1e-2;

/// Compares one array with a stored tensor: largest difference over the largest stored magnitude, which counts as
/// `floor` at least.
template <class T>
void check_close(const T* got, const golden_file& golden, const std::string& name, double tolerance, double floor) {
  INFO(name);
  const auto want = golden.values<double>(name);
  const std::vector<T> values(got, got + want.size());
  CHECK(largest_difference(values, want) <= tolerance * std::max(floor, largest_magnitude(want)));
}

/// Compares every tensor of `model` that is stored as prefix + name; each stored one must be in the model. Tensors of
/// the model without a stored counterpart must be zero when `others_are_zero`. Returns how many were compared.
template <class T>
int check_tensors(const encoder_tensors<T>& model, const golden_file& golden, const std::string& prefix,
                  double tolerance, double floor, bool others_are_zero) {
  int compared = 0;
  model.visit([&](const std::string& visited, const tensor<const T>& t) {
    const std::string name = checkpoint_tensor_name(visited, model.config().family);
    if (golden.has(prefix + name)) {
      ++compared;
      REQUIRE(static_cast<std::size_t>(t.size()) == golden.values<double>(prefix + name).size());
      check_close(t.data, golden, prefix + name, tolerance, floor);
    } else if (others_are_zero) {
      INFO(name << " is not in the golden file");
      CHECK(std::all_of(t.data, t.data + t.size(), [](T x) { return x == T(0); }));
    }
  });
  const auto& all = golden.tensors();
  const auto stored =
      std::count_if(all.begin(), all.end(), [&](const tensor_info& i) { return i.name.rfind(prefix, 0) == 0; });
  CHECK(compared == stored);
  return compared;
}

}  // namespace test
}  // namespace inhibitor
