// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// The matrix product that this build's programs use, chosen by the CMake option INHIBITOR_GEMM (cmake/Gemm.cmake):
//
//   encoder_inference<float, program_gemm> model(tensors);
//   fmt::print("linear layers by {}\n", gemm_name());

#if defined(INHIBITOR_PROGRAM_GEMM_onednn)
#include "inhibitor/backends/onednn.hpp"
#elif defined(INHIBITOR_PROGRAM_GEMM_openblas)
#include "inhibitor/backends/openblas.hpp"
#elif defined(INHIBITOR_PROGRAM_GEMM_eigen)
#include "inhibitor/nn/gemm_eigen.hpp"
#else
#include "inhibitor/kernels/gemm/panel_gemm.hpp"
#endif

namespace inhibitor::examples {

#if defined(INHIBITOR_PROGRAM_GEMM_onednn)
using program_gemm = onednn_gemm;
#elif defined(INHIBITOR_PROGRAM_GEMM_openblas)
using program_gemm = openblas_gemm;
#elif defined(INHIBITOR_PROGRAM_GEMM_eigen)
using program_gemm = eigen_gemm;
#else
using program_gemm = panel_gemm;
#endif

/// Name and version of what multiplies matrices, for the output of programs.
inline std::string gemm_name() { return program_gemm::name(); }

}  // namespace inhibitor::examples
