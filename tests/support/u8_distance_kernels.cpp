// SPDX-License-Identifier: Apache-2.0
#include "inhibitor/kernels/attention_u8/distances.hpp"

// The u8 score step of one instruction set, for the test of the add-only kernels to disassemble.

namespace inhibitor {
namespace kernels {

#define INHIBITOR_U8_DISTANCES(rows)                                                                \
  template void u8_distances<best_isa, rows>(std::uint16_t*, index_t, const std::uint8_t*, index_t, \
                                             const std::uint8_t*, index_t);

INHIBITOR_U8_DISTANCES(1)
INHIBITOR_U8_DISTANCES(u8_tile_queries<best_isa>)

}  // namespace kernels
}  // namespace inhibitor
