// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "inhibitor/base/alternatives.hpp"
#include "inhibitor/base/check.hpp"
#include "inhibitor/nn/mixers/dot_product.hpp"
#include "inhibitor/nn/mixers/inhibitor.hpp"

// What mixes the tokens of a block. A mixer is a class of tensors in a file of nn/mixers/ with
//
//   name                        as config.json calls it
//   constructor(dim, heads, options), visit(prefix, f)
//   visit_options(options, f)   its keys of config.json
//   out_lin                     the projection (C, C) that follows its context
//   forward, backward           of the context, as in nn/mixers/dot_product.hpp
//   inference<Gemm, Isa>        the class of its forward pass at inference, as nn/mixers/attention_inference.hpp
//   decoding<Gemm, Isa>         the same token by token, as nn/mixers/attention_decoding.hpp
//
// and an entry in mixer_registry. Models, files and programs find it there by name.

namespace inhibitor {
inline namespace INHIBITOR_TARGET {

/// All mixers. A new one is an entry here.
template <class T>
using mixer_registry = std::variant<dot_product_mixer<T>, inhibitor_mixer<T>>;

/// The names of all mixers.
inline std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for_each_alternative<mixer_registry<float>>(
      [&](auto* m) { names.emplace_back(std::remove_pointer_t<decltype(m)>::name); });
  return names;
}

/// One mixer, whichever it is: tensors, or their gradients.
template <class T>
class mixer {
 public:
  mixer() = default;
  /// Throws std::invalid_argument unless `name` is that of a mixer.
  mixer(const std::string& name, index_t dim, index_t heads, const mixer_options& options) {
    bool found = false;
    for_each_alternative<mixer_registry<T>>([&](auto* m) {
      using M = std::remove_pointer_t<decltype(m)>;
      if (name != M::name) return;
      form_ = M(dim, heads, options);
      found = true;
    });
    check(found, [&] {
      std::string text;
      for (const std::string& known : mixer_names()) text += (text.empty() ? "" : ", ") + known;
      return "there is no mixer \"" + name + "\"; the mixers are " + text;
    });
  }

  const char* name() const {
    return std::visit([](const auto& m) { return std::decay_t<decltype(m)>::name; }, form_);
  }
  /// This mixer as `M`, as in as<inhibitor_mixer>(), or null when it is another.
  template <template <class> class M>
  M<T>* as() {
    return std::get_if<M<T>>(&form_);
  }
  template <template <class> class M>
  const M<T>* as() const {
    return std::get_if<M<T>>(&form_);
  }
  /// The projections of a mixer that is attention, or null.
  attention_projections<T>* projections() {
    return std::visit(
        [](auto& m) -> attention_projections<T>* {
          if constexpr (std::is_base_of_v<attention_projections<T>, std::decay_t<decltype(m)>>) return &m;
          return nullptr;
        },
        form_);
  }
  const attention_projections<T>* projections() const { return const_cast<mixer*>(this)->projections(); }
  /// The projection that follows the context.
  linear_tensors<T>& out_lin() {
    return std::visit([](auto& m) -> linear_tensors<T>& { return m.out_lin; }, form_);
  }
  const linear_tensors<T>& out_lin() const { return const_cast<mixer*>(this)->out_lin(); }
  template <class Visitor>
  void visit(const std::string& prefix, Visitor&& f) {
    std::visit([&](auto& m) { m.visit(prefix, f); }, form_);
  }

  /// Fills saved.context (M, C). Does not throw; allocates only while buffers grow.
  void forward(mixer_activations<T>& saved, const mixer_input<T>& in, const mixer_shape& s, const mixer_options& o,
               attention_workspace& workspace, const executor& workers) const {
    std::visit([&](const auto& m) { m.forward(saved, in, s, o, workspace, workers); }, form_);
  }
  /// Adds to `din` and to the gradients `d`, all but those of out_lin, from dcontext (M, C). `d` is of the same mixer.
  void backward(const mixer_input_gradients<T>& din, mixer& d, const T* dcontext, const mixer_activations<T>& saved,
                const mixer_input<T>& in, const mixer_shape& s, const mixer_options& o, mixer_scratch<T>& scratch,
                attention_workspace& workspace, const executor& workers) const {
    std::visit(
        [&](const auto& m) {
          auto& dm = std::get<std::decay_t<decltype(m)>>(d.form_);
          m.backward(din, dm, dcontext, saved, in, s, o, scratch, workspace, workers);
        },
        form_);
  }

  const mixer_registry<T>& form() const { return form_; }

 private:
  mixer_registry<T> form_;
};

namespace detail {
template <class Gemm, class Isa>
struct packed_form {
  template <class Mixer>
  struct of {
    using type = typename Mixer::template inference<Gemm, Isa>;
  };
};
template <class Gemm, class Isa>
struct decoding_form {
  template <class Mixer>
  struct of {
    using type = typename Mixer::template decoding<Gemm, Isa>;
  };
};
}  // namespace detail

/// One mixer at inference: the alternatives of mixer_registry in their packed form.
template <class T, class Gemm, class Isa>
using mixer_inference =
    typename alternatives<mixer_registry<T>>::template mapped<detail::packed_form<Gemm, Isa>::template of>;

/// Packs a mixer for inference. `is_last`: of the last layer, which may be asked for first rows alone.
template <class Gemm, class Isa, class T>
mixer_inference<T, Gemm, Isa> pack_mixer(const mixer<T>& m, index_t heads, const mixer_options& o,
                                         const inference_options& how, bool is_last) {
  return std::visit(
      [&](const auto& form) -> mixer_inference<T, Gemm, Isa> {
        using packed = typename std::decay_t<decltype(form)>::template inference<Gemm, Isa>;
        return packed(form, heads, o, how, is_last);
      },
      m.form());
}

/// One mixer in decoding: the alternatives of mixer_registry with what they keep of the past.
template <class T, class Gemm, class Isa>
using mixer_decoding =
    typename alternatives<mixer_registry<T>>::template mapped<detail::decoding_form<Gemm, Isa>::template of>;

/// Packs a mixer for decoding. `has_memory`: it mixes with another sequence, which is given once, and not with its own
/// past.
template <class Gemm, class Isa, class T>
mixer_decoding<T, Gemm, Isa> pack_mixer_for_decoding(const mixer<T>& m, index_t heads, const mixer_options& o,
                                                     bool has_memory) {
  return std::visit(
      [&](const auto& form) -> mixer_decoding<T, Gemm, Isa> {
        using packed = typename std::decay_t<decltype(form)>::template decoding<Gemm, Isa>;
        return packed(form, heads, o, has_memory);
      },
      m.form());
}

}  // namespace INHIBITOR_TARGET
}  // namespace inhibitor
