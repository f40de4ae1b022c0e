// SPDX-License-Identifier: Apache-2.0
// torch.ops.inhibitor.attention: the library as an operator of PyTorch, with gradients of everything by the backward
// pass written by hand. Tensors have the shape (B, H, L, D) and any strides with a contiguous last dimension, so that a
// (B, L, H, D) tensor is passed as x.transpose(1, 2) without a copy; the output has the layout of the query. Threads
// are those of PyTorch, as many as torch.get_num_threads(). inhibitor_torch.py compiles and loads this file.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <tuple>

#include "inhibitor/attention/multi_head.hpp"

namespace {

using at::Tensor;
using mask_argument = c10::optional<Tensor>;
using gradients = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

constexpr const char* arguments =
    "Tensor query, Tensor key, Tensor value, Tensor score_scale, Tensor shift, Tensor output_scale, *, "
    "Tensor? key_mask=None, bool is_causal=False, str center=\"attended_keys\", bool is_signed=True, "
    "bool normalize_by_length=False";

/// PyTorch's threads as an executor: its workers take the items in turn, so a masked head does not hold up the others.
/// Inside a parallel region of PyTorch everything runs on the calling thread. Must outlive the executor.
class torch_threads {
 public:
  inhibitor::executor handle() { return {workers_, run, this}; }

 private:
  static void run(void* pool, inhibitor::index_t items, inhibitor::executor::task task, void* context) {
    std::atomic<inhibitor::index_t> next{0};
    at::parallel_for(0, static_cast<torch_threads*>(pool)->workers_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t worker = begin; worker < end; ++worker) {
        for (inhibitor::index_t i = next++; i < items; i = next++) task(context, i, worker);
      }
    });
  }

  inhibitor::index_t workers_ = at::get_num_threads();
};

inhibitor::centering centering_of(c10::string_view name) {
  if (name == "none") return inhibitor::centering::none;
  if (name == "all_keys") return inhibitor::centering::all_keys;
  TORCH_CHECK(name == "attended_keys", "inhibitor: center is \"", name,
              "\"; expected \"attended_keys\", \"all_keys\" or \"none\"");
  return inhibitor::centering::attended_keys;
}

void check_like_query(const Tensor& t, const char* name, const Tensor& query) {
  TORCH_CHECK(t.device() == query.device(), "inhibitor: ", name, " is on ", t.device(), " and query on ",
              query.device());
  TORCH_CHECK(t.scalar_type() == query.scalar_type(), "inhibitor: ", name, " is ", t.scalar_type(), " and query ",
              query.scalar_type());
}

void check_shape(const Tensor& t, const char* name, const char* meaning, at::IntArrayRef expected) {
  TORCH_CHECK(t.sizes() == expected, "inhibitor: ", name, " has the shape ", t.sizes(), "; expected ", expected, ", ",
              meaning);
}

/// Rows as the library reads them; copies only what has gaps within a row.
Tensor with_whole_rows(const Tensor& t) { return t.size(3) <= 1 || t.stride(3) == 1 ? t : t.contiguous(); }

/// A (B, H, L, width) tensor of the type and the layout of `like` (B, H, L, D).
Tensor empty_as(const Tensor& like, std::int64_t width) {
  const bool rows_hold_heads = like.stride(1) < like.stride(2);
  const std::int64_t b = like.size(0), h = like.size(1), l = like.size(2);
  return rows_hold_heads ? at::empty({b, l, h, width}, like.options()).transpose(1, 2)
                         : at::empty({b, h, l, width}, like.options());
}

template <class T>
inhibitor::heads_view<T> view(const Tensor& t) {
  return {t.data_ptr<T>(), t.stride(0), t.stride(2), t.stride(1)};
}

/// Scratch memory of the calling thread, kept from call to call: layers of a model need the same again and again.
inhibitor::attention_workspace& workspace_of_thread() {
  static thread_local inhibitor::attention_workspace workspace;
  return workspace;
}

/// The arguments of a call, checked and in the library's terms.
struct attention_call {
  attention_call(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& score_scale,
                 const Tensor& shift, const Tensor& output_scale, const mask_argument& key_mask, bool is_causal,
                 c10::string_view center, bool is_signed, bool normalize_by_length) {
    TORCH_CHECK(query.scalar_type() == at::kFloat || query.scalar_type() == at::kDouble, "inhibitor: query is ",
                query.scalar_type(), "; expected Float or Double");
    TORCH_CHECK(query.dim() == 4, "inhibitor: query has the shape ", query.sizes(), "; expected (B, H, L, D)");
    TORCH_CHECK(query.size(3) > 0, "inhibitor: query has the shape ", query.sizes(),
                "; heads need a size of at least 1");
    TORCH_CHECK(key.dim() == 4, "inhibitor: key has the shape ", key.sizes(), "; expected (B, Hkv, S, D)");
    TORCH_CHECK(value.dim() == 4, "inhibitor: value has the shape ", value.sizes(), "; expected (B, Hkv, S, Dv)");
    check_like_query(key, "key", query);
    check_like_query(value, "value", query);
    const std::int64_t b = query.size(0), h = query.size(1), d = query.size(3), kv_heads = key.size(1), s = key.size(2);
    check_shape(key, "key", "(B, Hkv, S, D) with B and D of query", {b, kv_heads, s, d});
    TORCH_CHECK(kv_heads == h || (kv_heads > 0 && h % kv_heads == 0), "inhibitor: key has ", kv_heads,
                " heads, which does not divide the ", h, " heads of query");
    check_shape(value, "value", "(B, Hkv, S, Dv) with B, Hkv and S of key", {b, kv_heads, s, value.size(3)});
    for (const auto& [scalar, name] : {std::pair(&score_scale, "score_scale"), std::pair(&shift, "shift"),
                                       std::pair(&output_scale, "output_scale")}) {
      check_like_query(*scalar, name, query);
      check_shape(*scalar, name, "one number for each head of query", {h});
    }
    shape = {b, h, query.size(2), s, d, value.size(3)};
    shape.kv_heads = kv_heads;
    options.center = centering_of(center);
    options.is_signed = is_signed;
    options.normalize_by_length = normalize_by_length;
    q = with_whole_rows(query), k = with_whole_rows(key), v = with_whole_rows(value);
    scalars = {score_scale.contiguous(), shift.contiguous(), output_scale.contiguous()};
    mask.causal = is_causal;
    if (!key_mask.has_value()) return;
    TORCH_CHECK(key_mask->scalar_type() == at::kBool, "inhibitor: key_mask is ", key_mask->scalar_type(),
                "; expected Bool, true where a key may be attended to");
    TORCH_CHECK(key_mask->device() == query.device(), "inhibitor: key_mask is on ", key_mask->device(),
                " and query on ", query.device());
    check_shape(*key_mask, "key_mask", "(B, S)", {b, s});
    mask_bytes = key_mask->contiguous();
    if (!query.is_meta()) mask.key_mask = reinterpret_cast<const std::uint8_t*>(mask_bytes.data_ptr<bool>());
  }

  template <class T>
  inhibitor::inhibitor_attention<T> mechanism() const {
    return {options, {scalars[0].data_ptr<T>(), scalars[1].data_ptr<T>(), scalars[2].data_ptr<T>()}};
  }

  /// Calls compute(T(), workspace, executor) for the element type; what the library throws becomes PyTorch's error.
  template <class Compute>
  void run(Compute&& compute) const {
    torch_threads threads;
    try {
      if (q.scalar_type() == at::kFloat) {
        compute(float(), workspace_of_thread(), threads.handle());
      } else {
        compute(double(), workspace_of_thread(), threads.handle());
      }
    } catch (const std::invalid_argument& error) {
      TORCH_CHECK(false, error.what());
    }
  }

  inhibitor::attention_shape shape;
  inhibitor::attention_mask mask;
  inhibitor::inhibitor_options options;
  Tensor q, k, v, mask_bytes;
  std::array<Tensor, 3> scalars;
};

/// Of the kinds of PyTorch devices, CPU and "meta", which computes shapes alone.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& score_scale,
                 const Tensor& shift, const Tensor& output_scale, const mask_argument& key_mask, bool is_causal,
                 c10::string_view center, bool is_signed, bool normalize_by_length) {
  const attention_call call(query, key, value, score_scale, shift, output_scale, key_mask, is_causal, center, is_signed,
                            normalize_by_length);
  const Tensor out = empty_as(query, call.shape.value_size);
  if (query.is_meta()) return out;
  call.run([&](auto zero, inhibitor::attention_workspace& workspace, const inhibitor::executor& run) {
    using T = decltype(zero);
    inhibitor::multi_head_attention_forward<T>(view<T>(out), view<T>(call.q), view<T>(call.k), view<T>(call.v),
                                               call.shape, call.mask, call.mechanism<T>(), workspace, run);
  });
  return out;
}

/// Gradients of query, key, value and the three scalars.
gradients attention_backward(const Tensor& grad_output, const Tensor& query, const Tensor& key, const Tensor& value,
                             const Tensor& score_scale, const Tensor& shift, const Tensor& output_scale,
                             const mask_argument& key_mask, bool is_causal, c10::string_view center, bool is_signed,
                             bool normalize_by_length) {
  const attention_call call(query, key, value, score_scale, shift, output_scale, key_mask, is_causal, center, is_signed,
                            normalize_by_length);
  const inhibitor::attention_shape& s = call.shape;
  check_like_query(grad_output, "grad_output", query);
  check_shape(grad_output, "grad_output", "(B, H, L, Dv)", {s.batch, s.heads, s.queries, s.value_size});
  const Tensor dout = with_whole_rows(grad_output);
  const Tensor dq = empty_as(query, s.head_size).zero_(), dk = empty_as(key, s.head_size).zero_(),
               dv = empty_as(value, s.value_size).zero_(), dscalars = at::zeros({3, s.heads}, query.options());
  const gradients result{dq, dk, dv, dscalars[0], dscalars[1], dscalars[2]};
  if (query.is_meta()) return result;
  call.run([&](auto zero, inhibitor::attention_workspace& workspace, const inhibitor::executor& run) {
    using T = decltype(zero);
    T* sums = dscalars.data_ptr<T>();
    inhibitor::multi_head_attention_backward<T>(
        view<T>(dq), view<T>(dk), view<T>(dv), {sums, sums + s.heads, sums + 2 * s.heads}, view<T>(dout),
        view<T>(call.q), view<T>(call.k), view<T>(call.v), s, call.mask, call.mechanism<T>(), workspace, run);
  });
  return result;
}

template <class Function>
auto operator_named(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Function>();
}

/// Joins the two for autograd. Everything is recomputed from the inputs, so nothing else is kept.
class differentiable_attention : public torch::autograd::Function<differentiable_attention> {
 public:
  using context = torch::autograd::AutogradContext;

  static Tensor forward(context* ctx, const Tensor& query, const Tensor& key, const Tensor& value,
                        const Tensor& score_scale, const Tensor& shift, const Tensor& output_scale,
                        const mask_argument& key_mask, bool is_causal, c10::string_view center, bool is_signed,
                        bool normalize_by_length) {
    ctx->save_for_backward({query, key, value, score_scale, shift, output_scale, key_mask.value_or(Tensor())});
    ctx->saved_data["is_causal"] = is_causal;
    ctx->saved_data["center"] = std::string(center);
    ctx->saved_data["is_signed"] = is_signed;
    ctx->saved_data["normalize_by_length"] = normalize_by_length;
    at::AutoDispatchBelowADInplaceOrView below;
    static const auto forward_operator = operator_named<decltype(attention)>("inhibitor::attention");
    return forward_operator.call(query, key, value, score_scale, shift, output_scale, key_mask, is_causal, center,
                                 is_signed, normalize_by_length);
  }

  static torch::autograd::variable_list backward(context* ctx, const torch::autograd::variable_list& grad) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "inhibitor: there are no second derivatives; call without create_graph");
    at::AutoDispatchBelowADInplaceOrView below;
    const auto saved = ctx->get_saved_variables();
    const mask_argument key_mask = saved[6].defined() ? mask_argument(saved[6]) : c10::nullopt;
    static const auto backward_operator = operator_named<decltype(attention_backward)>("inhibitor::attention_backward");
    const auto [dq, dk, dv, dscore_scale, dshift, doutput_scale] =
        backward_operator.call(grad[0], saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], key_mask,
                               ctx->saved_data["is_causal"].toBool(), ctx->saved_data["center"].toStringRef(),
                               ctx->saved_data["is_signed"].toBool(), ctx->saved_data["normalize_by_length"].toBool());
    const Tensor none;  // for the mask and the options
    return {dq, dk, dv, dscore_scale, dshift, doutput_scale, none, none, none, none, none};
  }
};

Tensor attention_with_gradients(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& score_scale,
                                const Tensor& shift, const Tensor& output_scale, const mask_argument& key_mask,
                                bool is_causal, c10::string_view center, bool is_signed, bool normalize_by_length) {
  return differentiable_attention::apply(query, key, value, score_scale, shift, output_scale, key_mask, is_causal,
                                         center, is_signed, normalize_by_length);
}

TORCH_LIBRARY(inhibitor, library) {
  const std::string list = arguments;
  library.def(("attention(" + list + ") -> Tensor").c_str());
  library.def(
      ("attention_backward(Tensor grad_output, " + list + ") -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)")
          .c_str());
}

TORCH_LIBRARY_IMPL(inhibitor, CPU, library) {
  library.impl("attention", attention);
  library.impl("attention_backward", attention_backward);
}

TORCH_LIBRARY_IMPL(inhibitor, Meta, library) {
  library.impl("attention", attention);
  library.impl("attention_backward", attention_backward);
}

TORCH_LIBRARY_IMPL(inhibitor, Autograd, library) { library.impl("attention", attention_with_gradients); }

}  // namespace
