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
  target_link_options(inhibitor_program_settings INTERFACE -fsanitize=${INHIBITOR_SANITIZE})
endif()
if(OpenMP_CXX_FOUND)
  target_link_libraries(inhibitor_program_settings INTERFACE OpenMP::OpenMP_CXX)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# All kernels for every instruction set, for the tests and benchmarks of the choice at run time. A list for the tests restricts it,
# because a variant takes half a minute to compile; `scalar` runs everywhere.
inhibitor_isa_names(dispatched)
if(INHIBITOR_TEST_ISAS)
  list(FILTER dispatched INCLUDE REGEX "^(scalar|${INHIBITOR_TEST_ISAS})$")
endif()
add_library(inhibitor_dispatched_kernels STATIC EXCLUDE_FROM_ALL)
inhibitor_add_isa_variants(inhibitor_dispatched_kernels PUBLIC ISAS ${dispatched} LINK inhibitor_program_settings)
target_link_libraries(inhibitor_dispatched_kernels PUBLIC inhibitor::inhibitor)
set_target_properties(inhibitor_dispatched_kernels PROPERTIES LINKER_LANGUAGE CXX)
