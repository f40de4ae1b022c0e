# SPDX-License-Identifier: Apache-2.0
# Whose matrix product the programs use for the linear layers of inference (nn/packed_linear.hpp). The library itself
# never asks: a product is a template argument. Targets of what was found, each with the header of its policy:
#
#   inhibitor_openblas, inhibitor_onednn      link one and include "inhibitor/backends/<name>.hpp"
#   inhibitor_program_gemm                    what INHIBITOR_GEMM chose, for examples/support/program_gemm.hpp

set(INHIBITOR_GEMM auto CACHE STRING "Matrix product of the programs: auto, own, eigen, openblas or onednn")
set_property(CACHE INHIBITOR_GEMM PROPERTY STRINGS auto own eigen openblas onednn)

find_path(OPENBLAS_INCLUDE NAMES openblas_config.h PATH_SUFFIXES openblas-pthread openblas-serial openblas-openmp openblas)
find_library(OPENBLAS_LIBRARY NAMES openblas)
# Debian's package file of oneDNN insists on OpenCL headers that the CPU library does not need.
find_path(ONEDNN_INCLUDE NAMES oneapi/dnnl/dnnl.h)
find_library(ONEDNN_LIBRARY NAMES dnnl)

# inhibitor_gemm_library(<name> <include folder> <library>)
function(inhibitor_gemm_library name include library)
  add_library(inhibitor_${name} INTERFACE)
  target_include_directories(inhibitor_${name} SYSTEM INTERFACE ${include})
  string(TOUPPER ${name} upper)
  target_compile_definitions(inhibitor_${name} INTERFACE INHIBITOR_HAS_${upper})
  target_link_libraries(inhibitor_${name} INTERFACE inhibitor_models ${library} ${ARGN})
  target_sources(inhibitor_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                 FILES ${PROJECT_SOURCE_DIR}/include/inhibitor/backends/${name}.hpp)
endfunction()

set(inhibitor_gemms own eigen)
if(OPENBLAS_INCLUDE AND OPENBLAS_LIBRARY)
  inhibitor_gemm_library(openblas ${OPENBLAS_INCLUDE} ${OPENBLAS_LIBRARY})
  list(APPEND inhibitor_gemms openblas)
endif()
set(onednn_version 0)
if(ONEDNN_INCLUDE AND ONEDNN_LIBRARY AND OpenMP_CXX_FOUND)
  file(STRINGS ${ONEDNN_INCLUDE}/oneapi/dnnl/dnnl_version.h onednn_lines REGEX "#define DNNL_VERSION_(MAJOR|MINOR) ")
  string(REGEX REPLACE "[^0-9;]" "" onednn_numbers "${onednn_lines}")
  list(JOIN onednn_numbers "." onednn_version)
  inhibitor_gemm_library(onednn ${ONEDNN_INCLUDE} ${ONEDNN_LIBRARY} OpenMP::OpenMP_CXX)
  list(APPEND inhibitor_gemms onednn)
endif()

# Our own product packs its weights once and fetches them ahead; docs/model-performance.md has it ahead of the others on
# every encoder measured, so what is best is known without looking.
set(chosen ${INHIBITOR_GEMM})
if(chosen STREQUAL "auto")
  set(chosen own)
endif()
list(JOIN inhibitor_gemms ", " found)
if(NOT chosen IN_LIST inhibitor_gemms)
  message(FATAL_ERROR "INHIBITOR_GEMM is ${INHIBITOR_GEMM}; expected auto or one of what was found: ${found}.\n"
          "  Debian, Ubuntu: apt install libopenblas-dev libdnnl-dev (oneDNN needs a compiler with OpenMP)\n"
          "  installed elsewhere: -DOPENBLAS_INCLUDE=, -DOPENBLAS_LIBRARY=, -DONEDNN_INCLUDE=, -DONEDNN_LIBRARY=")
endif()
message(STATUS "programs multiply matrices with: ${chosen} (found: ${found}; choose with -DINHIBITOR_GEMM=)")
add_library(inhibitor_program_gemm INTERFACE)
target_compile_definitions(inhibitor_program_gemm INTERFACE INHIBITOR_PROGRAM_GEMM_${chosen})
if(TARGET inhibitor_${chosen})
  target_link_libraries(inhibitor_program_gemm INTERFACE inhibitor_${chosen})
endif()
