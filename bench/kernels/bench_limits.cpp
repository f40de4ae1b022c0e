// SPDX-License-Identifier: Apache-2.0
// What one core can do at best with the instructions of the inner loops, everything in registers: the bounds that
// docs/performance.md argues with. x86-64; names are limit/<loop>/<bits>, the counter is lanes per second.
#include <benchmark/benchmark.h>

#include <string>

#include "inhibitor/base/config.hpp"
#include "kernels/product_limit.hpp"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace {

/// 12 independent chains of `step`: more than latency times ports.
template <class Register, class Step>
void run(benchmark::State& state, double lanes, Register start, Step step) {
  Register sums[12], operand = start;
  __asm__ volatile("" : "+v"(operand));
  for (Register& sum : sums) {
    sum = start;
    __asm__ volatile("" : "+v"(sum));  // twelve equal chains would be computed once
  }
  constexpr int rounds = 4096;
  for (auto _ : state) {
    for (int r = 0; r < rounds; ++r) {
      INHIBITOR_UNROLL
      for (Register& sum : sums) {
        sum = step(sum, operand);
      }
    }
    benchmark::DoNotOptimize(sums);
  }
  state.counters["lanes/s"] = benchmark::Counter(12.0 * rounds * lanes, benchmark::Counter::kIsIterationInvariantRate);
}

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VNNI__)
void add_512() {
  const auto add = [](const char* name, double lanes, auto start, auto step) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& s) { run(s, lanes, start, step); });
  };
  using f = __m512;
  using i = __m512i;
  const f one = _mm512_set1_ps(1.0F);
  const i ones = _mm512_set1_epi8(1);
  add("limit/fma_f32/512", 16, one, [](f s, f x) { return _mm512_fmadd_ps(x, x, s); });
  add("limit/max_add_f32/512", 16, one, [](f s, f x) { return _mm512_add_ps(s, _mm512_max_ps(x, s)); });
  add("limit/range_add_f32/512", 16, one, [](f s, f x) { return _mm512_add_ps(s, _mm512_range_ps(x, s, 2)); });
  add("limit/sad_addq_u8/512", 64, ones, [](i s, i x) { return _mm512_add_epi64(s, _mm512_sad_epu8(x, s)); });
  add("limit/sad_addusw_u8/512", 64, ones, [](i s, i x) { return _mm512_adds_epu16(s, _mm512_sad_epu8(x, s)); });
  add("limit/subusb_dpbusd_u8/512", 64, ones,
      [](i s, i x) { return _mm512_dpbusd_epi32(s, _mm512_subs_epu8(x, s), x); });
}
#else
void add_512() {}
#endif

#if defined(__AVX2__) && defined(__FMA__)
void add_256() {
  const auto add = [](const char* name, double lanes, auto start, auto step) {
    benchmark::RegisterBenchmark(name, [=](benchmark::State& s) { run(s, lanes, start, step); });
  };
  using f = __m256;
  using i = __m256i;
  const f one = _mm256_set1_ps(1.0F);
  const i ones = _mm256_set1_epi8(1);
  add("limit/fma_f32/256", 8, one, [](f s, f x) { return _mm256_fmadd_ps(x, x, s); });
  add("limit/max_add_f32/256", 8, one, [](f s, f x) { return _mm256_add_ps(s, _mm256_max_ps(x, s)); });
  add("limit/sad_addusw_u8/256", 32, ones, [](i s, i x) { return _mm256_adds_epu16(s, _mm256_sad_epu8(x, s)); });
  add("limit/subusb_maddubsw_addw_u8/256", 32, ones,
      [](i s, i x) { return _mm256_add_epi16(s, _mm256_maddubs_epi16(_mm256_subs_epu8(x, s), x)); });
}
#else
void add_256() {}
#endif

/// What bounds the integer matrix product (docs/integers.md).
void add_products() {
#if defined(INHIBITOR_BENCH_PRODUCT_LIMIT)
  using limit = inhibitor::bench::product_limit;
  benchmark::RegisterBenchmark((std::string("limit/") + limit::name).c_str(), [](benchmark::State& s) {
    run(s, limit::products, limit::registers{},
        [](limit::registers sum, limit::registers x) { return limit::step(sum, x); });
  });
#endif
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_512();
  add_256();
  add_products();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
