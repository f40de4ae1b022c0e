// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/attention_u8/aggregate.hpp"

// The u8 value step of one instruction set. On x86 it multiplies by signs (vpdpbusd, pmaddubsw, SSE2 pmullw) and is
// outside the claim of the add-only kernels; on aarch64 and in portable code it adds.

namespace inhibitor {
namespace kernels {

template void u8_aggregate<best_isa, 1, false>(std::int32_t*, index_t, const std::uint8_t*, index_t,
                                               const std::uint8_t*, index_t, const std::uint16_t*, index_t);
template void u8_aggregate<best_isa, 1, true>(std::int32_t*, index_t, const std::uint8_t*, index_t, const std::uint8_t*,
                                              index_t, const std::uint16_t*, index_t);

}  // namespace kernels
}  // namespace inhibitor
