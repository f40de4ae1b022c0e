# SPDX-License-Identifier: Apache-2.0
# Flags of our own executables. Nothing here reaches a consumer of inhibitor::inhibitor.
add_library(inhibitor_program_settings INTERFACE)
target_compile_options(inhibitor_program_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  $<$<BOOL:${INHIBITOR_WARNINGS_AS_ERRORS}>:-Werror>)
# g++ 12 takes the deliberately undefined operands inside its own AVX-512 headers for mistakes (GCC bug 105593).
target_compile_options(inhibitor_program_settings INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized -Wno-maybe-uninitialized>)
# Our executor already cuts the work by shape; a second level of threads inside Eigen would make results depend on it.
target_compile_definitions(inhibitor_program_settings INTERFACE EIGEN_DONT_PARALLELIZE)
if(INHIBITOR_NATIVE)
  # A target made for one instruction set (property INHIBITOR_ISA) brings its own flags.
  target_compile_options(inhibitor_program_settings INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:INHIBITOR_ISA>,>:-march=native>)
endif()
if(INHIBITOR_SANITIZE)
  target_compile_options(inhibitor_program_settings INTERFACE
    -fsanitize=${INHIBITOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_compile_options(inhibitor_program_settings INTERFACE
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/tests/support/ignored_by_sanitizers.txt>)
  target_link_options(inhibitor_program_settings INTERFACE -fsanitize=${INHIBITOR_SANITIZE})
endif()
if(OpenMP_CXX_FOUND)
  target_link_libraries(inhibitor_program_settings INTERFACE OpenMP::OpenMP_CXX)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# The kernels that programs, tests and benchmarks link, compiled once:
#
#   inhibitor_kernels               for programs: where the build is for this machine alone (INHIBITOR_NATIVE) its own kernels
#   inhibitor_dispatched_kernels    for what chooses at run time: those of every instruction set
#
# Where one is not wanted it is the other. A list for the tests restricts the second, because a variant takes most of a minute
# to compile; `scalar` runs everywhere. A list with nothing in it leaves the kernels of the build alone.
function(inhibitor_kernel_library name)
  add_library(${name} STATIC EXCLUDE_FROM_ALL)
  inhibitor_add_isa_variants(${name} PUBLIC ISAS ${ARGN} LINK inhibitor_program_settings)
  target_link_libraries(${name} PUBLIC inhibitor::inhibitor)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

inhibitor_isa_names(inhibitor_test_isas)
if(INHIBITOR_TEST_ISAS)
  list(FILTER inhibitor_test_isas INCLUDE REGEX "^(${INHIBITOR_TEST_ISAS})$")
endif()
if(inhibitor_test_isas)
  set(dispatched scalar ${inhibitor_test_isas})
  list(REMOVE_DUPLICATES dispatched)
  inhibitor_kernel_library(inhibitor_dispatched_kernels ${dispatched})
endif()
if(INHIBITOR_NATIVE OR NOT inhibitor_test_isas)
  inhibitor_kernel_library(inhibitor_kernels own)
else()
  add_library(inhibitor_kernels ALIAS inhibitor_dispatched_kernels)
endif()
if(NOT inhibitor_test_isas)
  add_library(inhibitor_dispatched_kernels ALIAS inhibitor_kernels)
endif()
