// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "inhibitor/simd/isa.hpp"
#include "support/catch.hpp"

using namespace inhibitor;

TEST_CASE("isa_supported: a CPU that has a set has everything the set extends", "[simd]") {
  CHECK(isa_supported<isa::scalar>());
  CHECK((!isa_supported<isa::avx512_amx>() || isa_supported<isa::avx512_vnni>()));
  CHECK((!isa_supported<isa::avx512_vnni>() || isa_supported<isa::avx512>()));
  CHECK((!isa_supported<isa::avx512>() || isa_supported<isa::avx2>()));
  CHECK((!isa_supported<isa::avx2_vnni>() || isa_supported<isa::avx2>()));
  CHECK((!isa_supported<isa::avx2>() || isa_supported<isa::sse4_1>()));
  CHECK((!isa_supported<isa::sse4_1>() || isa_supported<isa::sse2>()));
  CHECK((!isa_supported<isa::neon_i8mm>() || isa_supported<isa::neon_dot>()));
  CHECK((!isa_supported<isa::neon_dot>() || isa_supported<isa::neon>()));
  CHECK_FALSE((isa_supported<isa::sse2>() && isa_supported<isa::neon>()));
#if defined(__x86_64__)
  CHECK(isa_supported<isa::sse2>());
#endif
  // This very program was compiled for best_isa and runs.
  CHECK(isa_supported<best_isa>());
}

TEST_CASE("isa_name: one name per tag", "[simd]") {
  const std::set<std::string> names{
      isa_name<isa::scalar>(),     isa_name<isa::sse2>(),      isa_name<isa::sse4_1>(),      isa_name<isa::avx2>(),
      isa_name<isa::avx512>(),     isa_name<isa::avx2_vnni>(), isa_name<isa::avx512_vnni>(), isa_name<isa::neon>(),
      isa_name<isa::avx512_amx>(), isa_name<isa::neon_dot>(),  isa_name<isa::neon_i8mm>()};
  CHECK(names.size() == 11);
  CHECK(names.count("avx512_vnni") == 1);
}

TEST_CASE("isa_has: follows what extends what", "[simd]") {
  CHECK(isa_has<isa::avx512_vnni, isa::avx512>);
  CHECK(isa_has<isa::avx512_vnni, isa::avx2>);
  CHECK_FALSE(isa_has<isa::avx512_vnni, isa::avx2_vnni>);
  CHECK_FALSE(isa_has<isa::avx2, isa::avx512>);
  CHECK(isa_has<isa::avx512_amx, isa::avx512_vnni>);
  CHECK(isa_has<isa::neon_dot, isa::neon>);
  CHECK(isa_has<isa::neon_i8mm, isa::neon_dot>);
  CHECK_FALSE(isa_has<isa::neon, isa::neon_dot>);
  CHECK_FALSE(isa_has<isa::neon, isa::sse2>);
}
