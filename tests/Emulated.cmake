# SPDX-License-Identifier: Apache-2.0
# Tests on machines that this one is not, under qemu, with the label `emulated` (ctest -L emulated, or -LE to leave them out):
# x86 processors without AVX and without AVX-512 run the programs built above, and aarch64 runs what a cross compiler
# builds here. What is missing on this machine is left out with a message.

option(INHIBITOR_TEST_EMULATED "Also run some tests under qemu (needs qemu-user; for aarch64 its g++)" ${INHIBITOR_NATIVE})
if(NOT INHIBITOR_TEST_EMULATED OR INHIBITOR_SANITIZE)
  return()
endif()

# inhibitor_emulated_test(<name> <command>...)
function(inhibitor_emulated_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS emulated)
endfunction()

find_program(INHIBITOR_QEMU_X86 qemu-x86_64)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND INHIBITOR_QEMU_X86)
  # Processor model and the most capable of our instruction sets that it has.
  foreach(pair Conroe:sse2 Nehalem:sse4_1 Haswell:avx2)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 model)
    list(GET pair 1 isa)
    set(emulator ${INHIBITOR_QEMU_X86} -cpu ${model})
    if(NOT isa IN_LIST inhibitor_test_isas)
      continue()
    endif()
    inhibitor_emulated_test(test_ops.${model} ${emulator} $<TARGET_FILE:test_ops.${isa}>)
    foreach(test test_u8_attention test_gemm_s8 test_dispatch)
      inhibitor_emulated_test(${test}.${model} ${emulator} $<TARGET_FILE:${test}>)
    endforeach()
    set_tests_properties(test_dispatch.${model} PROPERTIES ENVIRONMENT INHIBITOR_EXPECTED_ISA=${isa})
  endforeach()
else()
  message(STATUS "No qemu-x86_64: no tests on emulated x86 processors")
endif()

find_program(INHIBITOR_AARCH64_COMPILER aarch64-linux-gnu-g++)
find_program(INHIBITOR_QEMU_AARCH64 qemu-aarch64)
# Catch2 2 has a header that brings its own main; nothing compiled is needed for another architecture.
find_path(INHIBITOR_CATCH_HEADER catch2/catch.hpp)
find_path(INHIBITOR_XSIMD_HEADER xsimd/xsimd.hpp)
if(INHIBITOR_AARCH64_COMPILER AND INHIBITOR_QEMU_AARCH64 AND INHIBITOR_CATCH_HEADER AND INHIBITOR_XSIMD_HEADER)
  # The folder of these headers may hold the C library of this machine too, which the cross compiler must not see.
  set(headers ${CMAKE_CURRENT_BINARY_DIR}/aarch64_include)
  file(MAKE_DIRECTORY ${headers} ${CMAKE_CURRENT_BINARY_DIR}/aarch64)
  file(CREATE_LINK ${INHIBITOR_CATCH_HEADER}/catch2 ${headers}/catch2 SYMBOLIC)
  file(CREATE_LINK ${INHIBITOR_XSIMD_HEADER}/xsimd ${headers}/xsimd SYMBOLIC)
  set(aarch64_compile ${INHIBITOR_AARCH64_COMPILER} -std=c++17 -O1 -isystem ${headers} -I${PROJECT_SOURCE_DIR}/include
      -I${CMAKE_CURRENT_SOURCE_DIR})
  set(catch_main ${CMAKE_CURRENT_BINARY_DIR}/aarch64/catch_main.o)
  add_custom_command(
    OUTPUT ${catch_main}
    COMMAND ${aarch64_compile} -DCATCH_CONFIG_MAIN -include catch2/catch.hpp -x c++ -c /dev/null -o ${catch_main}
    VERBATIM)
  foreach(pair simd/test_ops:neon attention/test_u8_attention:neon kernels/test_gemm_s8:neon kernels/test_gemm_s8:neon_dot
               kernels/test_gemm_s8:neon_i8mm)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 source)
    list(GET pair 1 isa)
    inhibitor_isa_flags(flags ${isa})
    get_filename_component(test ${source} NAME)
    if(NOT isa STREQUAL "neon")
      string(APPEND test .${isa})
    endif()
    set(program ${CMAKE_CURRENT_BINARY_DIR}/aarch64/${test})
    add_custom_command(
      OUTPUT ${program}
      COMMAND ${aarch64_compile} -static ${flags} -MD -MF ${program}.d ${CMAKE_CURRENT_SOURCE_DIR}/${source}.cpp ${catch_main}
              -o ${program}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}.cpp ${catch_main}
      DEPFILE ${program}.d
      VERBATIM)
    add_custom_target(${test}.aarch64 ALL DEPENDS ${program})
    inhibitor_emulated_test(${test}.aarch64 ${INHIBITOR_QEMU_AARCH64} ${program})
  endforeach()
else()
  message(STATUS "No aarch64 compiler, qemu-aarch64 or Catch2 2 header: no tests on emulated aarch64")
endif()
