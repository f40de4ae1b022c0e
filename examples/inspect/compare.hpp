// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "inhibitor/base/ends_with.hpp"
#include "support/aligned_table.hpp"
#include "support/printable.hpp"
#include "inspect/forward_order.hpp"
#include "inspect/name_map.hpp"
#include "inspect/statistics.hpp"

// `inspect compare`: the tensors of two files side by side, in the order of the forward pass.

namespace inhibitor::examples {

/// Allowed difference, relative to the largest magnitude of the tensor in B, by kind of tensor.
class tolerance_table {
 public:
  /// float32 on both sides, products summed in different orders: measured differences stay below a tenth of these.
  /// Weights and integers are copies, not computations: equal.
  tolerance_table()
      : values_{{"ids", 0},       {"embeddings", 1e-6}, {"attention", 1e-5}, {"feed_forward", 1e-5},
                {"hidden", 1e-5}, {"head", 1e-5},       {"weights", 0},      {"other", 1e-5}} {}

  /// "1e-4" for every kind but ids, "hidden=1e-4" for one. Throws std::invalid_argument.
  void set(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string kind = equals == std::string::npos ? "" : text.substr(0, equals);
    const std::string number = equals == std::string::npos ? text : text.substr(equals + 1);
    double value = 0;
    const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
    check(result.ec == std::errc() && result.ptr == number.data() + number.size() && value >= 0 && std::isfinite(value),
          [&] { return "--tolerance " + text + ": \"" + number + "\" is no number from 0 up"; });
    if (kind.empty()) {
      for (auto& [name, tolerance] : values_) tolerance = name == "ids" ? 0 : value;
      return;
    }
    check(values_.count(kind) == 1, [&] {
      std::string known;
      for (const auto& [name, tolerance] : values_) known += (known.empty() ? "" : ", ") + name;
      return "--tolerance " + text + ": unknown kind \"" + kind + "\"; expected one of " + known;
    });
    values_[kind] = value;
  }

  double of(const std::string& kind) const { return values_.at(kind); }

  /// Kind of a tensor, told from its type and name.
  static std::string kind_of(const std::string& name, dtype type) {
    if (!is_floating(type)) return "ids";
    const auto ends = [&](std::string_view ending) { return ends_with(name, ending); };
    if (ends(".weight") || ends(".bias") || ends(".gamma") || ends(".beta") ||
        ends(".alpha") || name.find(".inhibitor_") != std::string::npos) {
      return "weights";
    }
    const forward_key key = forward_position(name);
    switch (std::get<0>(key)) {
      case 1:
        return "embeddings";
      case 2:
        return std::get<2>(key) <= 6 ? "attention" : std::get<2>(key) < 20 ? "feed_forward" : "hidden";
      case 3:
      case 4:
      case 5:
        return "head";
      default:
        return "other";
    }
  }

 private:
  std::map<std::string, double> values_;
};

/// How one tensor of A differs from its counterpart in B.
struct tensor_difference {
  std::string name, other;  ///< in A, in B
  std::string kind;
  double max_abs = 0;    ///< infinite where one side is not finite and the other not the same
  double max_rel = 0;    ///< max_abs over the largest magnitude in B
  double tolerance = 0;  ///< of max_rel
  std::string problem;   ///< why the numbers could not be compared

  bool is_within() const { return problem.empty() && max_rel <= tolerance; }
};

/// Two files compared.
struct file_comparison {
  std::vector<tensor_difference> tensors;  ///< in forward order of A
  std::vector<std::string> only_in_a, only_in_b;

  /// The first tensor beyond its tolerance, or null.
  const tensor_difference* first_divergence() const {
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [](const tensor_difference& t) { return !t.is_within(); });
    return found == tensors.end() ? nullptr : &*found;
  }
};

namespace detail {

/// Shape without its extents of 1: a batch of one row compares with a row.
inline std::vector<std::uint64_t> squeezed(std::vector<std::uint64_t> shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), std::uint64_t{1}), shape.end());
  return shape;
}

template <class T>
void measure(tensor_difference& out, const safetensors_file& a, const tensor_info& in_a, const safetensors_file& b,
             const tensor_info& in_b) {
  const auto size = static_cast<std::size_t>(in_a.elements());
  std::vector<T> x(size), y(size);
  a.copy_to(in_a, x.data());
  b.copy_to(in_b, y.data());
  double largest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto xi = static_cast<double>(x[i]), yi = static_cast<double>(y[i]);
    if (std::isfinite(yi)) largest = std::max(largest, std::abs(yi));
    if (x[i] == y[i]) continue;  // equal infinities as well
    const double difference = std::abs(xi - yi);
    out.max_abs = std::max(out.max_abs, std::isfinite(difference) ? difference : INFINITY);
  }
  out.max_rel = out.max_abs == 0 ? 0 : out.max_abs / largest;
}

/// Below this relative difference two stored numbers may be roundings of the same one. Equal types hold copies of a
/// weight bit by bit; computed half-precision numbers differ by a rounding all the same.
inline double rounding(dtype a, dtype b, bool is_weight) {
  const auto spacing = [](dtype t) { return t == dtype::bf16 ? 0x1p-7 : t == dtype::f16 ? 0x1p-10 : 0x1p-23; };
  const bool is_half = a == dtype::bf16 || a == dtype::f16;
  if (a == b && (is_weight || !is_half)) return 0;
  return std::max(spacing(a), spacing(b));
}

inline tensor_difference compare_tensor(const safetensors_file& a, const tensor_info& in_a, const safetensors_file& b,
                                        const tensor_info& in_b, const tolerance_table& tolerances) {
  tensor_difference out;
  out.name = in_a.name;
  out.other = in_b.name;
  out.kind = tolerance_table::kind_of(in_a.name, in_a.type);
  out.tolerance = tolerances.of(out.kind);
  if (out.kind != "ids") {
    out.tolerance = std::max(out.tolerance, rounding(in_a.type, in_b.type, out.kind == "weights"));
  }
  if (squeezed(in_a.shape) != squeezed(in_b.shape)) {
    out.problem = "shape " + shape_text(in_a.shape) + " against " + shape_text(in_b.shape);
  } else if (!has_statistics(in_a.type) || !has_statistics(in_b.type)) {
    out.problem = "type " + std::string(dtype_name(has_statistics(in_a.type) ? in_b.type : in_a.type)) + " is not read";
  } else if (is_floating(in_a.type) != is_floating(in_b.type)) {
    out.problem = "type " + std::string(dtype_name(in_a.type)) + " against " + std::string(dtype_name(in_b.type));
  } else if (is_floating(in_a.type)) {
    measure<double>(out, a, in_a, b, in_b);
  } else {
    measure<std::int64_t>(out, a, in_a, b, in_b);
  }
  return out;
}

}  // namespace detail

/// Compares what both files have, names of A translated by `names`. Throws file_error when an exact name of the map is
/// in neither place it claims, when nothing is in both files, and when a file cannot be read.
inline file_comparison compare_files(const safetensors_file& a, const safetensors_file& b, const name_map& names,
                                     const tolerance_table& tolerances) {
  for (const auto& [in_a, in_b] : names.exact_names()) {
    if (a.find(in_a) == nullptr) throw file_error(a.path(), "lacks tensor \"" + in_a + "\", which the map names");
    if (b.find(in_b) == nullptr) throw file_error(b.path(), "lacks tensor \"" + in_b + "\", which the map names");
  }
  std::vector<tensor_info> tensors = a.tensors();
  std::stable_sort(tensors.begin(), tensors.end(), [](const tensor_info& x, const tensor_info& y) {
    return forward_position(x.name) < forward_position(y.name);
  });
  file_comparison out;
  std::set<std::string> seen;
  for (const tensor_info& in_a : tensors) {
    const std::string other = names(in_a.name);
    const tensor_info* in_b = b.find(other);
    if (in_b == nullptr) {
      out.only_in_a.push_back(in_a.name);
      continue;
    }
    seen.insert(other);
    out.tensors.push_back(detail::compare_tensor(a, in_a, b, *in_b, tolerances));
  }
  for (const tensor_info& in_b : b.tensors()) {
    if (seen.count(in_b.name) == 0) out.only_in_b.push_back(in_b.name);
  }
  if (out.tensors.empty()) {
    throw file_error(a.path(), "has no tensor in common with " + b.path() + "; a --map FILE.json translates names");
  }
  return out;
}

/// The table, what is in one file alone, and the verdict, for people.
inline std::string describe(const file_comparison& comparison) {
  aligned_table table({{"tensor"}, {"kind"}, {"max abs", true}, {"max rel", true}, {"tolerance", true}, {"within"}});
  const auto number = [](double x) { return fmt::format("{:.2g}", x); };
  for (const tensor_difference& t : comparison.tensors) {
    const std::string name = t.name == t.other ? t.name : t.name + " = " + t.other;
    if (!t.problem.empty()) {
      table.add({printable(name), t.kind, "", "", number(t.tolerance), "NO: " + t.problem});
    } else {
      table.add({printable(name), t.kind, number(t.max_abs), number(t.max_rel), number(t.tolerance),
                 t.is_within() ? "yes" : "NO"});
    }
  }
  std::string out = table.plain() + "\n";
  const auto list = [&](const char* title, const std::vector<std::string>& only) {
    if (only.empty()) return;
    out += fmt::format("{} ({}):", title, only.size());
    for (const std::string& name : only) out += " " + printable(name);
    out += "\n";
  };
  list("only in the first file", comparison.only_in_a);
  list("only in the second file", comparison.only_in_b);
  const tensor_difference* first = comparison.first_divergence();
  if (first == nullptr) return out + fmt::format("all {} compared tensors agree\n", comparison.tensors.size());
  const forward_key key = forward_position(first->name);
  const std::string place = std::get<0>(key) == 2 ? fmt::format(" (layer {})", std::get<1>(key)) : "";
  return out + fmt::format("first to diverge: {}{}\n", printable(first->name), place);
}

}  // namespace inhibitor::examples
