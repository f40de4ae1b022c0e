// SPDX-License-Identifier: Apache-2.0
#pragma once

// INHIBITOR_TARGET names what decides the instructions of this translation unit, as in avx2_fma_bmi2: the compiler
// flags, an instruction set that the build chose below them (INHIBITOR_COMPILED_ISA, simd/isa.hpp), and whose compiled
// variants plain calls use (INHIBITOR_VARIANTS, kernels/dispatch/). Everything in the library lives in the inline
// namespace of that name, so that two parts of a program that were built differently share no function: the linker
// keeps one of two namesakes and would hand the processor of one part the instructions of the other. User code need not
// know. A function of a user that takes a type of the library and is called under other flags than it was defined under
// does not link, and the message says which.

#if defined(__AVX512F__)
#define INHIBITOR_TARGET_BASE avx512
#elif defined(__AVX2__)
#define INHIBITOR_TARGET_BASE avx2
#elif defined(__AVX__)
#define INHIBITOR_TARGET_BASE avx
#elif defined(__SSE4_2__)
#define INHIBITOR_TARGET_BASE sse4_2
#elif defined(__SSE4_1__)
#define INHIBITOR_TARGET_BASE sse4_1
#elif defined(__SSSE3__)
#define INHIBITOR_TARGET_BASE ssse3
#elif defined(__SSE3__)
#define INHIBITOR_TARGET_BASE sse3
#elif defined(__SSE2__)
#define INHIBITOR_TARGET_BASE sse2
#elif defined(__ARM_FEATURE_SVE)
#define INHIBITOR_TARGET_BASE sve
#elif defined(__aarch64__)
#define INHIBITOR_TARGET_BASE neon
#else
#define INHIBITOR_TARGET_BASE scalar
#endif

// Features on top, a word each.
#if defined(__FMA__)
#define INHIBITOR_TARGET_FMA _fma
#else
#define INHIBITOR_TARGET_FMA
#endif
#if defined(__F16C__)
#define INHIBITOR_TARGET_F16C _f16c
#else
#define INHIBITOR_TARGET_F16C
#endif
#if defined(__BMI__)
#define INHIBITOR_TARGET_BMI _bmi
#else
#define INHIBITOR_TARGET_BMI
#endif
#if defined(__BMI2__)
#define INHIBITOR_TARGET_BMI2 _bmi2
#else
#define INHIBITOR_TARGET_BMI2
#endif
#if defined(__LZCNT__)
#define INHIBITOR_TARGET_LZCNT _lzcnt
#else
#define INHIBITOR_TARGET_LZCNT
#endif
#if defined(__POPCNT__)
#define INHIBITOR_TARGET_POPCNT _popcnt
#else
#define INHIBITOR_TARGET_POPCNT
#endif
#if defined(__MOVBE__)
#define INHIBITOR_TARGET_MOVBE _movbe
#else
#define INHIBITOR_TARGET_MOVBE
#endif
#if defined(__GFNI__)
#define INHIBITOR_TARGET_GFNI _gfni
#else
#define INHIBITOR_TARGET_GFNI
#endif
#if defined(__AVXVNNI__)
#define INHIBITOR_TARGET_AVXVNNI _avxvnni
#else
#define INHIBITOR_TARGET_AVXVNNI
#endif
#if defined(__AVX512BW__)
#define INHIBITOR_TARGET_BW _bw
#else
#define INHIBITOR_TARGET_BW
#endif
#if defined(__AVX512DQ__)
#define INHIBITOR_TARGET_DQ _dq
#else
#define INHIBITOR_TARGET_DQ
#endif
#if defined(__AVX512VL__)
#define INHIBITOR_TARGET_VL _vl
#else
#define INHIBITOR_TARGET_VL
#endif
#if defined(__AVX512CD__)
#define INHIBITOR_TARGET_CD _cd
#else
#define INHIBITOR_TARGET_CD
#endif
#if defined(__AVX512VBMI__)
#define INHIBITOR_TARGET_VBMI _vbmi
#else
#define INHIBITOR_TARGET_VBMI
#endif
#if defined(__AVX512VBMI2__)
#define INHIBITOR_TARGET_VBMI2 _vbmi2
#else
#define INHIBITOR_TARGET_VBMI2
#endif
#if defined(__AVX512IFMA__)
#define INHIBITOR_TARGET_IFMA _ifma
#else
#define INHIBITOR_TARGET_IFMA
#endif
#if defined(__AVX512VPOPCNTDQ__)
#define INHIBITOR_TARGET_VPOPCNT _vpopcnt
#else
#define INHIBITOR_TARGET_VPOPCNT
#endif
#if defined(__AVX512VNNI__)
#define INHIBITOR_TARGET_VNNI _vnni
#else
#define INHIBITOR_TARGET_VNNI
#endif
#if defined(__AVX512BF16__)
#define INHIBITOR_TARGET_BF16 _bf16
#else
#define INHIBITOR_TARGET_BF16
#endif
#if defined(__AVX512FP16__)
#define INHIBITOR_TARGET_FP16 _fp16
#else
#define INHIBITOR_TARGET_FP16
#endif
#if defined(__ARM_FEATURE_DOTPROD)
#define INHIBITOR_TARGET_DOT _dot
#else
#define INHIBITOR_TARGET_DOT
#endif
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define INHIBITOR_TARGET_I8MM _i8mm
#else
#define INHIBITOR_TARGET_I8MM
#endif
#if defined(__FAST_MATH__)
#define INHIBITOR_TARGET_FAST _fastmath
#else
#define INHIBITOR_TARGET_FAST
#endif

// What the build chose.
#define INHIBITOR_JOIN_CHOICE_WORDS(word, choice) word##choice
#define INHIBITOR_JOIN_CHOICE(word, choice) INHIBITOR_JOIN_CHOICE_WORDS(word, choice)
#if defined(INHIBITOR_COMPILED_ISA)
#define INHIBITOR_TARGET_CHOSEN INHIBITOR_JOIN_CHOICE(_as_, INHIBITOR_COMPILED_ISA)
#else
#define INHIBITOR_TARGET_CHOSEN
#endif
#if defined(INHIBITOR_VARIANTS)
#define INHIBITOR_TARGET_VARIANTS INHIBITOR_JOIN_CHOICE(_with_, INHIBITOR_VARIANTS)
#else
#define INHIBITOR_TARGET_VARIANTS
#endif

#define INHIBITOR_JOIN_WORDS(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, \
                             a20, a21, a22, a23, a24, a25)                                                             \
  a0##a1##a2##a3##a4##a5##a6##a7##a8##a9##a10##a11##a12##a13##a14##a15##a16##a17##a18##a19##a20##a21##a22##a23##a24##a25
#define INHIBITOR_JOIN_TARGET(...) INHIBITOR_JOIN_WORDS(__VA_ARGS__)
#define INHIBITOR_TARGET                                                                                               \
  INHIBITOR_JOIN_TARGET(                                                                                               \
      INHIBITOR_TARGET_BASE, INHIBITOR_TARGET_FMA, INHIBITOR_TARGET_F16C, INHIBITOR_TARGET_BMI, INHIBITOR_TARGET_BMI2, \
      INHIBITOR_TARGET_LZCNT, INHIBITOR_TARGET_POPCNT, INHIBITOR_TARGET_MOVBE, INHIBITOR_TARGET_GFNI,                  \
      INHIBITOR_TARGET_AVXVNNI, INHIBITOR_TARGET_BW, INHIBITOR_TARGET_DQ, INHIBITOR_TARGET_VL, INHIBITOR_TARGET_CD,    \
      INHIBITOR_TARGET_VBMI, INHIBITOR_TARGET_VBMI2, INHIBITOR_TARGET_IFMA, INHIBITOR_TARGET_VPOPCNT,                  \
      INHIBITOR_TARGET_VNNI, INHIBITOR_TARGET_BF16, INHIBITOR_TARGET_FP16, INHIBITOR_TARGET_DOT,                       \
      INHIBITOR_TARGET_I8MM, INHIBITOR_TARGET_FAST, INHIBITOR_TARGET_CHOSEN, INHIBITOR_TARGET_VARIANTS)
