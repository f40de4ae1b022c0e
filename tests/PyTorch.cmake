# SPDX-License-Identifier: Apache-2.0
# The operator of examples/torch is tested where Python has PyTorch and its headers (Debian: python3-torch, libtorch-dev
# and python3-setuptools). PyTorch's own tool compiles it in the test, so once is enough: in the build optimized for this
# machine.

find_program(INHIBITOR_TORCH_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH DOC "A Python with PyTorch")
if(NOT INHIBITOR_NATIVE OR NOT INHIBITOR_TORCH_PYTHON)
  return()
endif()
if(NOT INHIBITOR_TORCH_FOUND)
  execute_process(
    COMMAND ${INHIBITOR_TORCH_PYTHON} -c "import os
from torch.utils import cpp_extension
exit(not any(os.path.exists(folder + '/ATen/Parallel.h') for folder in cpp_extension.include_paths()))"
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(NOT status EQUAL 0)
    message(STATUS "tests go without PyTorch (Debian, Ubuntu: python3-torch libtorch-dev python3-setuptools)")
    return()
  endif()
  set(INHIBITOR_TORCH_FOUND TRUE CACHE INTERNAL "")
endif()

add_test(NAME program_pytorch
  COMMAND ${INHIBITOR_TORCH_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/programs/pytorch.py ${PROJECT_SOURCE_DIR}/examples/torch
          $<TARGET_FILE:make_model> $<TARGET_FILE:inspect> $<TARGET_FILE:classify> ${PROJECT_SOURCE_DIR}/examples/data
          ${CMAKE_CURRENT_BINARY_DIR}/pytorch)
set(build INHIBITOR_TORCH_BUILD=${CMAKE_CURRENT_BINARY_DIR}/torch)
set_tests_properties(program_pytorch PROPERTIES
  ENVIRONMENT "${inhibitor_test_environment};CXX=${CMAKE_CXX_COMPILER};${build}")
