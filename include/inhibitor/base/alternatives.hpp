// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "inhibitor/base/config.hpp"

// Registries are variants: the list of what there is, and the type of one of it.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

template <class Variant>
struct alternatives;

/// The list of the types M of a variant.
template <class... M>
struct alternatives<std::variant<M...>> {
  template <class F>
  static void for_each(F&& f) {
    (f(static_cast<M*>(nullptr)), ...);
  }
  /// The variant of Map<M>::type.
  template <template <class> class Map>
  using mapped = std::variant<typename Map<M>::type...>;
};

/// Calls f(static_cast<M*>(nullptr)) for every alternative M of a variant, in order.
template <class Variant, class F>
void for_each_alternative(F&& f) {
  alternatives<Variant>::for_each(f);
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
