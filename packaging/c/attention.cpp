// SPDX-License-Identifier: Apache-2.0
#include "call.hpp"
#include "inhibitor/kernels/dispatch/dispatch.hpp"
#include "inhibitor/version.hpp"

// The calls of inhibitor.h on whole tensors; those on caches are in kv_cache.cpp.

using namespace inhibitor;
using c_interface::call_arguments;
using c_interface::status_of;

#define INHIBITOR_TEXT_OF(number) INHIBITOR_TEXT(number)
#define INHIBITOR_TEXT(number) #number

namespace {

using output = heads_view<float>;
using input = heads_view<const float>;

template <class... Pointers>
bool any_null(const Pointers*... pointers) {
  return ((pointers == nullptr) || ...);
}

/// The u8 calls, which differ in their output: run(mechanism, arguments, q, k, v).
template <class Run>
inhibitor_status u8_call(const inhibitor_input* q, const inhibitor_input* k, const inhibitor_input* v,
                         const inhibitor_shape* shape, const inhibitor_mask* mask, const inhibitor_mechanism* mechanism,
                         void* workspace, size_t workspace_bytes, const inhibitor_executor* executor, Run&& run) {
  if (any_null(q, k, v)) return INHIBITOR_NULL_POINTER;
  call_arguments a;
  const inhibitor_status status =
      a.take(INHIBITOR_CALL_U8_FORWARD, shape, mask, mechanism, workspace, workspace_bytes, executor);
  if (status != INHIBITOR_OK) return status;
  if (a.mechanism.kind != INHIBITOR_KIND_INHIBITOR) return INHIBITOR_BAD_ARGUMENT;
  return status_of(
      run(a, c_interface::view_of<input>(*q), c_interface::view_of<input>(*k), c_interface::view_of<input>(*v)));
}

}  // namespace

const char* inhibitor_status_text(int status) {
  if (status == INHIBITOR_BAD_ARGUMENT) return "an option or a number that the call does not take";
  if (status == INHIBITOR_OUT_OF_MEMORY) return "out of memory";
  if (status < INHIBITOR_OK || status > INHIBITOR_OUT_OF_MEMORY) return "unknown status";
  return describe(static_cast<attention_status>(status));
}

const char* inhibitor_version(void) {
  return INHIBITOR_TEXT_OF(INHIBITOR_VERSION_MAJOR) "." INHIBITOR_TEXT_OF(
      INHIBITOR_VERSION_MINOR) "." INHIBITOR_TEXT_OF(INHIBITOR_VERSION_PATCH);
}

const char* inhibitor_active_isa(void) { return active_isa(); }

inhibitor_status inhibitor_workspace_size(size_t* bytes, int32_t call, const inhibitor_shape* shape,
                                          ptrdiff_t workers) {
  if (any_null(bytes, shape)) return INHIBITOR_NULL_POINTER;
  index_t size = 0;
  const inhibitor_status status = c_interface::workspace_size(size, call, *shape, workers);
  if (status == INHIBITOR_OK) *bytes = static_cast<size_t>(size);
  return status;
}

inhibitor_status inhibitor_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                             const inhibitor_input* k, const inhibitor_input* v,
                                             const inhibitor_shape* shape, const inhibitor_mask* mask,
                                             const inhibitor_mechanism* mechanism, void* workspace,
                                             size_t workspace_bytes, const inhibitor_executor* executor) {
  if (any_null(out, q, k, v)) return INHIBITOR_NULL_POINTER;
  call_arguments a;
  const inhibitor_status status =
      a.take(INHIBITOR_CALL_FORWARD, shape, mask, mechanism, workspace, workspace_bytes, executor);
  if (status != INHIBITOR_OK) return status;
  return a.with_mechanism([&](const auto& m) {
    return status_of(try_multi_head_attention_forward<float>(
        c_interface::view_of<output>(*out), c_interface::view_of<input>(*q), c_interface::view_of<input>(*k),
        c_interface::view_of<input>(*v), a.shape, a.mask, m, a.workspace, a.workspace_bytes, a.run));
  });
}

inhibitor_status inhibitor_attention_backward(const inhibitor_tensor* dq, const inhibitor_tensor* dk,
                                              const inhibitor_tensor* dv, const inhibitor_scalar_gradients* dscalars,
                                              const inhibitor_input* dout, const inhibitor_input* q,
                                              const inhibitor_input* k, const inhibitor_input* v,
                                              const inhibitor_shape* shape, const inhibitor_mask* mask,
                                              const inhibitor_mechanism* mechanism, void* workspace,
                                              size_t workspace_bytes, const inhibitor_executor* executor) {
  if (any_null(dq, dk, dv) || any_null(dout, q, k, v)) return INHIBITOR_NULL_POINTER;
  call_arguments a;
  const inhibitor_status status =
      a.take(INHIBITOR_CALL_BACKWARD, shape, mask, mechanism, workspace, workspace_bytes, executor);
  if (status != INHIBITOR_OK) return status;
  inhibitor_scalars<float> gradients;
  if (dscalars != nullptr) gradients = {dscalars->score_scale, dscalars->shift, dscalars->output_scale};
  const auto run = [&](const auto& m) {
    return status_of(try_multi_head_attention_backward<float>(
        c_interface::view_of<output>(*dq), c_interface::view_of<output>(*dk), c_interface::view_of<output>(*dv),
        gradients, c_interface::view_of<input>(*dout), c_interface::view_of<input>(*q), c_interface::view_of<input>(*k),
        c_interface::view_of<input>(*v), a.shape, a.mask, m, a.workspace, a.workspace_bytes, a.run));
  };
  if (a.mechanism.kind == INHIBITOR_KIND_ADD_ONLY) return INHIBITOR_BAD_ARGUMENT;
  return a.mechanism.kind == INHIBITOR_KIND_INHIBITOR ? run(a.inhibitor()) : run(dot_product_attention<float>{});
}

inhibitor_status inhibitor_u8_attention_forward(const inhibitor_tensor* out, const inhibitor_input* q,
                                                const inhibitor_input* k, const inhibitor_input* v,
                                                const inhibitor_shape* shape, const inhibitor_mask* mask,
                                                const inhibitor_mechanism* mechanism, void* workspace,
                                                size_t workspace_bytes, const inhibitor_executor* executor) {
  if (out == nullptr) return INHIBITOR_NULL_POINTER;
  return u8_call(q, k, v, shape, mask, mechanism, workspace, workspace_bytes, executor,
                 [&](const call_arguments& a, const input& qs, const input& ks, const input& vs) {
                   return u8::try_multi_head_attention_forward(c_interface::view_of<output>(*out), qs, ks, vs, a.shape,
                                                               a.mask, a.inhibitor(), a.workspace, a.workspace_bytes,
                                                               a.run);
                 });
}

inhibitor_status inhibitor_u8_attention_forward_integers(const inhibitor_integers* out, float* scales,
                                                         const inhibitor_input* q, const inhibitor_input* k,
                                                         const inhibitor_input* v, const inhibitor_shape* shape,
                                                         const inhibitor_mask* mask,
                                                         const inhibitor_mechanism* mechanism, void* workspace,
                                                         size_t workspace_bytes, const inhibitor_executor* executor) {
  if (out == nullptr) return INHIBITOR_NULL_POINTER;
  return u8_call(q, k, v, shape, mask, mechanism, workspace, workspace_bytes, executor,
                 [&](const call_arguments& a, const input& qs, const input& ks, const input& vs) {
                   return u8::try_multi_head_attention_forward_integers(
                       c_interface::view_of<heads_view<std::int32_t>>(*out), scales, qs, ks, vs, a.shape, a.mask,
                       a.inhibitor(), a.workspace, a.workspace_bytes, a.run);
                 });
}
