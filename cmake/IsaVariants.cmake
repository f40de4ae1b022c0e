# SPDX-License-Identifier: Apache-2.0
# Kernels compiled once per instruction set into one target. Names are the tags of include/inhibitor/simd/isa.hpp.
#
#   inhibitor_isa_names(<out>)              the instruction sets this compiler can target on this architecture
#   inhibitor_isa_flags(<out> <isa>)        their compiler flags
#   inhibitor_add_isa_variants(<target> [PUBLIC] [ISAS <isa>...] [LINK <library>...])
#       compiles all kernels (float and byte attention, matrix products and row passes of inference) for every instruction
#       set, or those listed, into <target>, an executable or a library. Plain calls in its sources then use the best set
#       that the CPU and its operating system support (kernels/dispatch/dispatch.hpp): nothing is written at the call.
#       PUBLIC: in the sources of targets that link <target> as well, unless they have variants of their own. ISAS `own`
#       stands for the flags of the build alone. LINK: libraries whose settings the kernels are compiled with.
#
# A program and a library may each have variants, the same or others, or none; they do not meet, because everything of
# inhibitor carries the flags and the owner of its variants in its name (base/target.hpp).

include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

set(INHIBITOR_ISA_FLAGS_scalar "")
set(INHIBITOR_ISA_FLAGS_sse2 -msse2)
set(INHIBITOR_ISA_FLAGS_sse4_1 -msse4.1)
set(INHIBITOR_ISA_FLAGS_avx2 -mavx2 -mfma)
set(INHIBITOR_ISA_FLAGS_avx2_vnni ${INHIBITOR_ISA_FLAGS_avx2} -mavxvnni)
set(INHIBITOR_ISA_FLAGS_avx512 ${INHIBITOR_ISA_FLAGS_avx2} -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl)
set(INHIBITOR_ISA_FLAGS_avx512_vnni ${INHIBITOR_ISA_FLAGS_avx512} -mavx512vnni)
set(INHIBITOR_ISA_FLAGS_neon "")
set(INHIBITOR_ISA_FLAGS_own "")
# What only the byte kernels use: floats are taken from the set named here, where the target has it.
set(INHIBITOR_ISA_FLOATS_sse4_1 sse2)
set(INHIBITOR_ISA_FLOATS_avx2_vnni avx2)
set(INHIBITOR_ISA_FLOATS_avx512_vnni avx512)
set(INHIBITOR_ISA_SOURCE ${CMAKE_CURRENT_LIST_DIR}/isa_variant.cpp CACHE INTERNAL "")
foreach(isa own scalar sse2 sse4_1 avx2 avx2_vnni avx512 avx512_vnni neon)
  set(INHIBITOR_ISA_FLAGS_${isa} "${INHIBITOR_ISA_FLAGS_${isa}}" CACHE INTERNAL "")
  set(INHIBITOR_ISA_FLOATS_${isa} "${INHIBITOR_ISA_FLOATS_${isa}}" CACHE INTERNAL "")
endforeach()

function(inhibitor_isa_flags out isa)
  if(NOT DEFINED CACHE{INHIBITOR_ISA_FLAGS_${isa}})
    message(FATAL_ERROR "inhibitor: unknown instruction set ${isa}")
  endif()
  set(${out} ${INHIBITOR_ISA_FLAGS_${isa}} PARENT_SCOPE)
endfunction()

function(inhibitor_isa_names out)
  set(names scalar)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    foreach(isa sse2 sse4_1 avx2 avx2_vnni avx512 avx512_vnni)
      list(JOIN INHIBITOR_ISA_FLAGS_${isa} " " flags)
      check_cxx_compiler_flag("${flags}" INHIBITOR_COMPILES_${isa})
      if(INHIBITOR_COMPILES_${isa})
        list(APPEND names ${isa})
      endif()
    endforeach()
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND names neon)
  endif()
  set(${out} ${names} PARENT_SCOPE)
endfunction()

function(inhibitor_add_isa_variants target)
  cmake_parse_arguments(arg "PUBLIC" "" "ISAS;LINK" ${ARGN})
  if(NOT arg_ISAS)
    inhibitor_isa_names(arg_ISAS)
  endif()
  string(MAKE_C_IDENTIFIER ${target} owner)
  set(definitions INHIBITOR_VARIANTS=${owner})
  foreach(isa IN LISTS arg_ISAS)
    inhibitor_isa_flags(flags ${isa})
    set(object ${target}_inhibitor_${isa})
    add_library(${object} OBJECT EXCLUDE_FROM_ALL ${INHIBITOR_ISA_SOURCE})
    target_link_libraries(${object} PRIVATE inhibitor::inhibitor ${arg_LINK})
    target_compile_definitions(${object} PRIVATE INHIBITOR_VARIANT_TARGET=${owner} INHIBITOR_VARIANT_ISA=${isa})
    if(INHIBITOR_ISA_FLOATS_${isa} IN_LIST arg_ISAS)
      target_compile_definitions(${object} PRIVATE INHIBITOR_VARIANT_FLOATS=${INHIBITOR_ISA_FLOATS_${isa}})
    endif()
    if(NOT isa STREQUAL "own")
      target_compile_definitions(${object} PRIVATE INHIBITOR_COMPILED_ISA=${isa})
      set_target_properties(${object} PROPERTIES INHIBITOR_ISA ${isa})
    endif()
    target_compile_options(${object} PRIVATE ${flags})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # g++ 12 takes the deliberately undefined operands inside its own AVX-512 headers for mistakes (GCC bug 105593).
      target_compile_options(${object} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    set_target_properties(${object} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
    list(APPEND definitions INHIBITOR_VARIANT_${isa})
  endforeach()
  target_compile_definitions(${target} PRIVATE ${definitions})
  set_target_properties(${target} PROPERTIES INHIBITOR_VARIANTS ${owner})
  if(arg_PUBLIC)
    foreach(definition IN LISTS definitions)
      target_compile_definitions(${target} INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:INHIBITOR_VARIANTS>,>:${definition}>)
    endforeach()
  endif()
endfunction()
